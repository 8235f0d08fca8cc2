using System.Text.Json;

namespace SkMmBert;

/// <summary>The weights of a model folder, in one file or in shards with an index, under the names an encoder uses. Thread-safe until disposed.</summary>
internal sealed unsafe class SafetensorsFolder : IDisposable
{
    private const string SingleName = "model.safetensors", IndexName = "model.safetensors.index.json";

    private readonly List<SafetensorsFile> _files = [];

    // By name in the files.
    private readonly Dictionary<string, (SafetensorsFile File, SafetensorsTensor Tensor)> _stored = new(StringComparer.Ordinal);

    // By the name an encoder uses, filled by Bind.
    private readonly Dictionary<string, (SafetensorsFile File, SafetensorsTensor Tensor)> _bound = new(StringComparer.Ordinal);

    private SafetensorsFolder(string folder) => Folder = folder;

    public string Folder { get; }

    /// <summary>The weight files, to hash or to describe them.</summary>
    public IReadOnlyList<SafetensorsFile> Files => _files;

    /// <summary>The tensors as they are named in the files.</summary>
    public IReadOnlyDictionary<string, SafetensorsTensor> Stored => _stored.ToDictionary(pair => pair.Key, pair => pair.Value.Tensor, StringComparer.Ordinal);

    /// <summary>Maps the weights of a folder; nothing but headers is read.</summary>
    public static SafetensorsFolder Open(string folder)
    {
        SafetensorsFolder weights = new(folder);
        try
        {
            string single = Path.Combine(folder, SingleName), index = Path.Combine(folder, IndexName);
            if (File.Exists(single))
            {
                weights.AddSingle(single);
            }
            else if (File.Exists(index))
            {
                weights.AddShards(index);
            }
            else
            {
                string pickle = File.Exists(Path.Combine(folder, "pytorch_model.bin")) ? "; it has a pytorch_model.bin, convert that to safetensors" : "";
                throw new FileNotFoundException($"'{folder}' has no weights. Expected: {SingleName} or {IndexName}{pickle}; download the folder again.", single);
            }

            return weights;
        }
        catch
        {
            weights.Dispose();
            throw;
        }
    }

    /// <summary>Maps the weights of a folder and checks that every tensor of the configuration is there, in its shape.</summary>
    public static SafetensorsFolder Open(string folder, EncoderConfig config)
    {
        SafetensorsFolder weights = Open(folder);
        try
        {
            weights.Bind(config);
            return weights;
        }
        catch
        {
            weights.Dispose();
            throw;
        }
    }

    /// <summary>Finds the prefix the checkpoint was saved with and the place of each tensor an encoder needs; other tensors (a language-model head, a pooler) are left alone.</summary>
    public void Bind(EncoderConfig config)
    {
        _bound.Clear();
        string prefix = SafetensorsFolderNames.FindPrefix(this, config, _stored.Keys);
        foreach ((string name, long[] shape) in SafetensorsFolderNames.Expected(config))
        {
            (SafetensorsFile File, SafetensorsTensor Tensor) found = _stored.TryGetValue(prefix + name, out var stored) ||
                _stored.TryGetValue(prefix + SafetensorsFolderNames.OlderName(name), out stored)
                ? stored
                : throw new InvalidDataException($"'{Folder}' has no tensor \"{prefix}{name}\". Expected: shape [{string.Join(", ", shape)}] by config.json; configuration and weights do not belong together, download both again.");
            if (!found.Tensor.Shape.SequenceEqual(shape))
            {
                throw new InvalidDataException(
                    $"'{found.File.Path}' has tensor \"{found.Tensor.Name}\" in shape [{string.Join(", ", found.Tensor.Shape)}]. Expected: [{string.Join(", ", shape)}] by config.json; configuration and weights do not belong together, download both again.");
            }

            if (found.Tensor.Type is not (SafetensorsType.F32 or SafetensorsType.F16 or SafetensorsType.BF16))
            {
                throw new InvalidDataException($"'{found.File.Path}' stores tensor \"{found.Tensor.Name}\" as {found.Tensor.Type}. Expected: F32, F16 or BF16; convert the checkpoint to one of them.");
            }

            _bound.Add(name, found);
        }

        SafetensorsFolderNames.RefuseUnused(Folder, config, prefix, _stored.Keys, _bound);
    }

    /// <summary>A tensor by the name an encoder uses (no prefix).</summary>
    public SafetensorsTensor Find(string name) => Lookup(name).Tensor;

    /// <summary>A tensor's bytes as stored; valid until disposed.</summary>
    public ReadOnlySpan<byte> Bytes(string name)
    {
        (SafetensorsFile file, SafetensorsTensor tensor) = Lookup(name);
        return file.Bytes(tensor);
    }

    /// <summary>Where a tensor's bytes begin; valid until disposed.</summary>
    public byte* Pointer(string name)
    {
        (SafetensorsFile file, SafetensorsTensor tensor) = Lookup(name);
        return file.Pointer(tensor);
    }

    /// <summary>Widens a tensor, or as much as fits the destination from the given value on, to single precision.</summary>
    public void ToFloat32(string name, Span<float> destination, long first = 0)
    {
        (SafetensorsFile file, SafetensorsTensor tensor) = Lookup(name);
        file.ToFloat32(tensor, first, destination);
    }

    /// <summary>Reads scattered rows of a large table without making the mapping resident.</summary>
    public void ReadFloat32(string name, Span<float> destination, long first)
    {
        (SafetensorsFile file, SafetensorsTensor tensor) = Lookup(name);
        file.ReadFloat32(tensor, first, destination);
    }

    public void Dispose() => _files.ForEach(file => file.Dispose());

    private (SafetensorsFile File, SafetensorsTensor Tensor) Lookup(string name) => _bound.TryGetValue(name, out var found)
        ? found
        : throw new InvalidDataException($"'{Folder}' has no tensor \"{name}\" that its configuration asks for. Expected: a name of the encoder, without prefix.");

    private void AddSingle(string path)
    {
        SafetensorsFile file = SafetensorsFile.Open(path);
        _files.Add(file);
        foreach (SafetensorsTensor tensor in file.Tensors.Values)
        {
            _stored.Add(tensor.Name, (file, tensor));
        }
    }

    private void AddShards(string path)
    {
        EncoderConfigFields index = EncoderConfigFields.ReadFile(path);
        EncoderConfigFields map = index.Object("weight_map");
        Dictionary<string, SafetensorsFile> shards = new(StringComparer.Ordinal);
        foreach (string name in map.Names)
        {
            string shard = map.String(name);
            if (!shards.TryGetValue(shard, out SafetensorsFile? file))
            {
                // Only a plain name: a path, a drive, a URL or a step up could leave the folder.
                if (shard.Length is 0 or > 255 || shard.AsSpan().IndexOfAny("/\\:\0") >= 0 || !shard.EndsWith(".safetensors", StringComparison.Ordinal))
                {
                    throw new InvalidDataException($"'{path}' puts tensor \"{name}\" into \"{shard}\". Expected: a .safetensors file of the same folder, without a path; do not use this download.");
                }

                string shardPath = Path.Combine(Folder, shard);
                if (!File.Exists(shardPath))
                {
                    throw new InvalidDataException($"'{path}' puts tensor \"{name}\" into \"{shard}\", which is not there. Expected: all shards beside the index; download the missing one.");
                }

                _files.Add(file = SafetensorsFile.Open(shardPath));
                shards.Add(shard, file);
            }

            _stored.Add(name, (file, file.Tensors.TryGetValue(name, out SafetensorsTensor? tensor) ? tensor : throw new InvalidDataException(
                $"'{path}' puts tensor \"{name}\" into \"{shard}\", which has no such tensor. Expected: index and shards of one checkpoint; download all of them again.")));
        }
    }
}
