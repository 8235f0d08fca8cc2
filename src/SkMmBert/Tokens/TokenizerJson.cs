using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Unicode;

namespace SkMmBert;

/// <summary>A tokenizer.json in memory: tables for the large parts, JSON elements for the small ones.</summary>
internal sealed class TokenizerJson
{
    private readonly Dictionary<string, JsonElement> _parts = [];
    private readonly Dictionary<string, JsonElement> _model = [];

    private TokenizerJson(string path) => Path = path;

    public string Path { get; }

    public Vocabulary Vocabulary { get; private set; } = null!;

    public MergeTable? Merges { get; private set; }

    public AddedToken[] AddedTokens { get; private set; } = [];

    public TokenizerPart Normalizer => Part("normalizer");

    public TokenizerPart PreTokenizer => Part("pre_tokenizer");

    public TokenizerPart PostProcessor => Part("post_processor");

    public TokenizerPart Decoder => Part("decoder");

    /// <summary>The model without vocabulary and merges.</summary>
    public TokenizerPart Model => new(Path, "model", _model);

    public int? PaddingId => _parts.TryGetValue("padding", out JsonElement padding) && padding.ValueKind == JsonValueKind.Object
        && padding.TryGetProperty("pad_id", out JsonElement id) && id.TryGetInt32(out int value) ? value : null;

    public InvalidDataException Fault(string fault) => new($"'{Path}' is not a tokenizer.json that SkMmBert can read: {fault}.");

    /// <summary>Reads a file; its bytes are held outside the managed heap and given back before this returns.</summary>
    public static unsafe TokenizerJson Read(string path)
    {
        using Microsoft.Win32.SafeHandles.SafeFileHandle file = File.OpenHandle(path, options: FileOptions.SequentialScan);
        long length = RandomAccess.GetLength(file);
        if (length > 1 << 30)
        {
            throw new InvalidDataException($"'{path}' has {length} bytes; a tokenizer.json of at most {1 << 30} is expected.");
        }

        byte* bytes = (byte*)NativeMemory.Alloc((nuint)Math.Max(1, length));
        try
        {
            int read = 0;
            while (read < length)
            {
                int part = RandomAccess.Read(file, new Span<byte>(bytes + read, (int)length - read), read);
                if (part == 0)
                {
                    break;
                }

                read += part;
            }

            return Parse(new ReadOnlySpan<byte>(bytes, read), path);
        }
        finally
        {
            NativeMemory.Free(bytes);
        }
    }

    internal static TokenizerJson Parse(ReadOnlySpan<byte> json, string path)
    {
        TokenizerJson file = new(path);
        if (!Utf8.IsValid(json))
        {
            throw file.Fault("it is not valid UTF-8");
        }

        JsonScanner scanner = new(json, path);
        scanner.Take((byte)'{');
        if (!scanner.TryTake((byte)'}'))
        {
            do
            {
                string key = System.Text.Encoding.UTF8.GetString(scanner.ReadString());
                scanner.Take((byte)':');
                if (key == "model")
                {
                    file.ReadModel(ref scanner, json);
                }
                else
                {
                    file.Add(file._parts, key, scanner.SkipValue());
                }
            }
            while (scanner.Next((byte)'}'));
        }

        if (scanner.Peek() != 0 || scanner.Position != json.Length)
        {
            throw scanner.Fault("something stands after the closing brace");
        }

        if (file._model.Count == 0)
        {
            throw file.Fault("it has no 'model'");
        }

        file.ReadAddedTokens();
        return file;
    }

    private void ReadModel(ref JsonScanner scanner, ReadOnlySpan<byte> json)
    {
        if (_model.Count > 0)
        {
            throw scanner.Fault("'model' stands there twice");
        }

        int mergesAt = -1;
        scanner.Take((byte)'{');
        if (!scanner.TryTake((byte)'}'))
        {
            do
            {
                string key = System.Text.Encoding.UTF8.GetString(scanner.ReadString());
                scanner.Take((byte)':');
                if (key == "vocab" && scanner.Peek() == (byte)'{' && Vocabulary is null)
                {
                    Vocabulary = Vocabulary.Read(ref scanner);
                }
                else if (key == "merges" && Vocabulary is not null && Merges is null)
                {
                    Merges = MergeTable.Read(ref scanner, Vocabulary);
                }
                else if (key == "merges" && Vocabulary is null && mergesAt < 0)
                {
                    mergesAt = scanner.Position;
                    scanner.SkipValue();
                }
                else if (key == "vocab")
                {
                    scanner.SkipValue();
                    Add(_model, key, "[]"u8);
                }
                else
                {
                    Add(_model, key, scanner.SkipValue());
                }
            }
            while (scanner.Next((byte)'}'));
        }

        if (mergesAt >= 0 && Vocabulary is not null)
        {
            JsonScanner again = new(json, Path) { Position = mergesAt };
            Merges = MergeTable.Read(ref again, Vocabulary);
        }
    }

    private void Add(Dictionary<string, JsonElement> parts, string key, ReadOnlySpan<byte> value)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(value.ToArray());
            if (!parts.TryAdd(key, document.RootElement.Clone()))
            {
                throw Fault($"'{key}' stands there twice");
            }
        }
        catch (JsonException fault)
        {
            throw Fault($"'{key}' is not valid JSON ({fault.Message.Split('.')[0]})");
        }
    }

    private TokenizerPart Part(string name) => _parts.TryGetValue(name, out JsonElement element) && element.ValueKind != JsonValueKind.Null
        ? TokenizerPart.From(Path, name, element)
        : new TokenizerPart(Path, name, null);

    private void ReadAddedTokens()
    {
        if (!_parts.TryGetValue("added_tokens", out JsonElement tokens) || tokens.ValueKind == JsonValueKind.Null)
        {
            return;
        }

        if (tokens.ValueKind != JsonValueKind.Array)
        {
            throw Fault("'added_tokens' must be an array");
        }

        AddedTokens = new AddedToken[tokens.GetArrayLength()];
        int next = Vocabulary?.Pieces ?? 0;
        for (int index = 0; index < AddedTokens.Length; index++)
        {
            TokenizerPart token = TokenizerPart.From(Path, "added_tokens", tokens[index]);
            string text = token.Text("content");
            int id = token.Number("id");
            int expected = id;
            if (Vocabulary is not null && !Vocabulary.TryFind(text, out expected))
            {
                // Hugging Face numbers new tokens on from the vocabulary, whatever the file says.
                expected = next++;
            }

            if (id != expected)
            {
                throw Fault($"the added token '{text}' has id {id}; {expected}, its id in the vocabulary or the next free one, is expected");
            }

            AddedTokens[index] = new AddedToken(
                id, text, token.Flag("single_word", false), token.Flag("lstrip", false), token.Flag("rstrip", false), token.Flag("normalized", !token.Flag("special", false)), token.Flag("special", false));
            token.RefuseOtherKeys("id", "content", "single_word", "lstrip", "rstrip", "normalized", "special");
        }
    }
}
