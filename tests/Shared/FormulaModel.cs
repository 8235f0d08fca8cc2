using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;

namespace SkMmBert.Tests;

/// <summary>The full-size encoder and its reranker heads with weights computed by the formula of <c>goldens/fullsize-formula/README.md</c>.</summary>
internal static class FormulaModel
{
    private static readonly Lock Writing = new();
    private static readonly int[] HeadExits = [3, 6, 11, 22];
    private static readonly (int Dim, float First, float Last)[] Heads =
        [(768, 0.0625f, 0.1875f), (512, 0.078125f, 0.21875f), (256, 0.109375f, 0.3125f), (128, 0.15625f, 0.4375f), (64, 0.21875f, 0.625f)];

    /// <summary>A Hugging Face folder with the model, written on first use (1.2 GB) and kept for later runs.</summary>
    public static string Folder(string goldens, string root, string tokenizerFrom)
    {
        string folder = Path.Combine(root, "formula-model");
        lock (Writing)   // test classes run side by side
        {
            Write(folder, goldens, tokenizerFrom);
        }

        return folder;
    }

    /// <summary>The same weights in the layout of the published reranker.</summary>
    public static string RerankFolder(string goldens, string root, string tokenizerFrom)
    {
        string weights = Folder(goldens, root, tokenizerFrom), folder = Path.Combine(root, "formula-reranker");
        lock (Writing)
        {
            Directory.CreateDirectory(folder);
            foreach (string name in (string[])["model.safetensors", "classification_heads.safetensors", "config.json", "tokenizer.json"])
            {
                if (!File.Exists(Path.Combine(folder, name)))
                {
                    File.CreateSymbolicLink(Path.Combine(folder, name), Path.Combine(weights, name));
                }
            }

            File.WriteAllText(
                Path.Combine(folder, "matryoshka_config.json"),
                """{"layer_indices":[3,6,11,22],"dim_indices":[768,512,256,128,64],"hidden_size":768,"num_layers":22,"pooling_strategy":"cls","has_final_norm":true,"model_name_or_path":"formula"}""");
        }

        return folder;
    }

    private static void Write(string folder, string goldens, string tokenizerFrom)
    {
        if (!File.Exists(Path.Combine(folder, "classification_heads.safetensors")))
        {
            Directory.CreateDirectory(folder);
            File.Copy(Path.Combine(goldens, "fullsize-formula", "config.json"), Path.Combine(folder, "config.json"), overwrite: true);
            File.Copy(Path.Combine(tokenizerFrom, "tokenizer.json"), Path.Combine(folder, "tokenizer.json"), overwrite: true);
            Directory.CreateDirectory(Path.Combine(folder, "1_Pooling"));
            File.WriteAllText(Path.Combine(folder, "1_Pooling", "config.json"), """{"word_embedding_dimension":768,"pooling_mode_mean_tokens":true,"pooling_mode_cls_token":false}""");
            WriteSafetensors(Path.Combine(folder, "model.safetensors"), [.. Encoder()]);
            WriteSafetensors(Path.Combine(folder, "classification_heads.safetensors"), [.. HeadTensors()]);
        }
    }

    /// <summary>Fills a tensor: <c>scale · u(name, i)</c>, one more for norms.</summary>
    public static void Fill(string name, float scale, Span<float> values)
    {
        ulong seed = Seed(name);
        bool norm = name.EndsWith("norm.weight", StringComparison.Ordinal);
        for (int i = 0; i < values.Length; i++)
        {
            float u = ((int)(Mix(seed, (ulong)i) >> 40) - (1 << 23)) / (float)(1 << 23);
            values[i] = norm ? 1 + (scale * u) : scale * u;
        }
    }

    /// <summary>The formula's scale of a tensor of the encoder.</summary>
    public static float Scale(string name) => name switch
    {
        "embeddings.tok_embeddings.weight" => 0.0625f,
        "final_norm.weight" => 0.5f,
        _ when name.EndsWith("norm.weight", StringComparison.Ordinal) => 0.125f,
        _ when name.EndsWith("attn.Wqkv.weight", StringComparison.Ordinal) => 0.09375f,
        _ when name.EndsWith("mlp.Wi.weight", StringComparison.Ordinal) => 0.0625f,
        _ => 0.03125f,
    };

    public static ulong Seed(string name)
    {
        ulong hash = 0xCBF29CE484222325;
        foreach (byte b in Encoding.UTF8.GetBytes(name))
        {
            hash = (hash ^ b) * 0x100000001B3;
        }

        return hash;
    }

    private static ulong Mix(ulong seed, ulong i)
    {
        ulong z = seed + ((i + 1) * 0x9E3779B97F4A7C15);
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }

    private static IEnumerable<(string Name, long[] Shape, float Scale)> Encoder()
    {
        yield return Tensor("embeddings.tok_embeddings.weight", 256_000, 768);
        yield return Tensor("embeddings.norm.weight", 768);
        for (int i = 0; i < 22; i++)
        {
            if (i > 0)
            {
                yield return Tensor($"layers.{i}.attn_norm.weight", 768);
            }

            yield return Tensor($"layers.{i}.attn.Wqkv.weight", 2_304, 768);
            yield return Tensor($"layers.{i}.attn.Wo.weight", 768, 768);
            yield return Tensor($"layers.{i}.mlp_norm.weight", 768);
            yield return Tensor($"layers.{i}.mlp.Wi.weight", 2_304, 768);
            yield return Tensor($"layers.{i}.mlp.Wo.weight", 768, 1_152);
        }

        yield return Tensor("final_norm.weight", 768);
    }

    private static IEnumerable<(string Name, long[] Shape, float Scale)> HeadTensors()
    {
        foreach (int exit in HeadExits)
        {
            foreach ((int dim, float first, float last) in Heads)
            {
                yield return ($"{exit}.{dim}.0.weight", [dim / 2, dim], first);
                yield return ($"{exit}.{dim}.0.bias", [dim / 2], 0.25f);
                yield return ($"{exit}.{dim}.3.weight", [1, dim / 2], last);
                yield return ($"{exit}.{dim}.3.bias", [1], 0.5f);
            }
        }
    }

    private static (string Name, long[] Shape, float Scale) Tensor(string name, params long[] shape) => (name, shape, Scale(name));

    private static void WriteSafetensors(string path, (string Name, long[] Shape, float Scale)[] tensors)
    {
        using MemoryStream header = new();
        using (Utf8JsonWriter json = new(header))
        {
            json.WriteStartObject();
            long at = 0;
            foreach ((string name, long[] shape, _) in tensors)
            {
                long bytes = 4 * shape.Aggregate(1L, (a, b) => a * b);
                json.WriteStartObject(name);
                json.WriteString("dtype", "F32");
                json.WriteStartArray("shape");
                Array.ForEach(shape, json.WriteNumberValue);
                json.WriteEndArray();
                json.WriteStartArray("data_offsets");
                json.WriteNumberValue(at);
                json.WriteNumberValue(at += bytes);
                json.WriteEndArray();
                json.WriteEndObject();
            }

            json.WriteEndObject();
        }

        while (header.Length % 8 != 0)
        {
            header.WriteByte((byte)' ');
        }

        byte[] length = new byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(length, header.Length);
        using (FileStream file = File.Create(path + ".tmp"))
        {
            file.Write(length);
            file.Write(header.ToArray());
            foreach ((string name, long[] shape, float scale) in tensors)
            {
                float[] values = new float[shape.Aggregate(1L, (a, b) => a * b)];
                Fill(name, scale, values);
                file.Write(MemoryMarshal.AsBytes<float>(values));
            }
        }

        File.Move(path + ".tmp", path, overwrite: true);
    }
}
