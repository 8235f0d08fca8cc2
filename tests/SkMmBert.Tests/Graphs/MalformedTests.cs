using System.Text.Json;
using Xunit;

namespace SkMmBert.Tests;

/// <summary>Every entry of the set of hostile, broken and odd-but-valid files behaves as its manifest says.</summary>
public sealed class MalformedTests
{
    private const long MaxAllocatedBytes = 4 << 20;

    private static readonly string Folder = Path.Combine(Paths.Goldens, "malformed");

    private static readonly string Tiny = Path.Combine(Paths.Goldens, "tiny-modernbert", "model");

    public static TheoryData<string, string> Entries()
    {
        using JsonDocument manifest = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(Folder, "manifest.json")));
        TheoryData<string, string> entries = [];
        foreach (JsonProperty entry in manifest.RootElement.EnumerateObject())
        {
            entries.Add(entry.Name, entry.Value.GetProperty("expect").GetString()!);
        }

        return entries;
    }

    [Fact]
    public void Manifest_ListsEveryFile()
    {
        HashSet<string> listed = [.. Entries().Select(entry => entry.Data.Item1)];
        IEnumerable<string> files = Directory.EnumerateFiles(Folder, "*", SearchOption.AllDirectories)
            .Select(file => Path.GetRelativePath(Folder, file).Replace('\\', '/'))
            .Where(file => file.Contains('/'))
            .Select(file => file.StartsWith("index/", StringComparison.Ordinal) ? string.Join('/', file.Split('/')[..2]) : file);
        Assert.All(files, file => Assert.Contains(file, listed));
        Assert.True(listed.Count >= 90);
    }

    [Theory]
    [MemberData(nameof(Entries))]
    public void Open_Entry_AsItsManifestSays(string entry, string expect)
    {
        string path = Path.Combine(Folder, entry);
        long before = GC.GetAllocatedBytesForCurrentThread();
        Exception? error = Record.Exception(() => Load(entry, path));
        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;

        Assert.True(allocated < MaxAllocatedBytes, $"{allocated:N0} bytes were allocated");
        if (expect.StartsWith("accept", StringComparison.Ordinal) && !expect.StartsWith("accept, or refuse", StringComparison.Ordinal))
        {
            Assert.Null(error);
        }
        else if (error is not null || !expect.Contains("or "))
        {
            Assert.IsType<InvalidDataException>(error);
            Assert.DoesNotContain('\n', error.Message);
            Assert.Contains("Expected: ", error.Message);
            Assert.Contains(entry.StartsWith("config/too-many", StringComparison.Ordinal) ? Tiny : entry.Split('/')[^1], error.Message);
            if (Named(entry, expect) is string name)
            {
                Assert.Contains($"\"{name}\"", error.Message);
            }
        }
    }

    [Theory]
    [InlineData("heads/evil-system.pt", "system")]
    [InlineData("heads/evil-system-legacy.pt", "before version 1.6")]
    [InlineData("heads/accept-legacy.pt", "before version 1.6")]
    [InlineData("heads/evil-eval.pt", "eval")]
    [InlineData("heads/evil-nested.pt", "torch.storage._load_from_bytes")]
    [InlineData("heads/flipped-byte.pt", "checksum")]
    [InlineData("heads/missing-storage.pt", "data/0")]
    [InlineData("heads/escaping-entry.pt", "..")]
    [InlineData("heads/big-endian.pt", "little-endian")]
    [InlineData("safetensors/duplicate-key.safetensors", "twice")]
    [InlineData("safetensors/hole.safetensors", "holes")]
    [InlineData("safetensors/unknown-dtype.safetensors", "F17")]
    [InlineData("index/missing-shard", "model-00002-of-00002.safetensors")]
    [InlineData("index/parent-hidden", "without a path")]
    [InlineData("config/unknown-rope.json", "longrope")]
    [InlineData("config/heads-do-not-divide.json", "num_attention_heads")]
    [InlineData("config/other-architecture.json", "qwen3")]
    public void Open_Entry_MessageSaysWhatIsWrong(string entry, string part) =>
        Assert.Contains(part, Assert.Throws<InvalidDataException>(() => Load(entry, Path.Combine(Folder, entry))).Message);

    private static void Load(string entry, string path)
    {
        switch (entry.Split('/')[0])
        {
            case "config":
                EncoderConfig config = EncoderConfig.ReadFile(path);
                SafetensorsFolder.Open(Tiny, config).Dispose();
                break;
            case "index":
                SafetensorsFolder.Open(path).Dispose();
                break;
            case "safetensors":
                SafetensorsFile.Open(path).Dispose();
                break;
            case "heads" when entry is "heads/missing-key.pt" or "heads/wrong-shape.pt":
                ScoreHeads.ReadFile(path, [2], [16]);
                break;
            case "heads" when path.EndsWith(".pt", StringComparison.Ordinal):
                TorchCheckpoint.Read(path);
                break;
            case "heads":
                ScoreHeads.ReadFile(path, [2], [16]);
                break;
            default:
                throw new InvalidOperationException($"Nobody opens {entry}.");
        }
    }

    private static string? Named(string entry, string expect) =>
        entry.StartsWith("config/missing-", StringComparison.Ordinal) ? Path.GetFileNameWithoutExtension(entry)["missing-".Length..]
        : entry == "config/too-many-layers.json" ? "layers.7.attn_norm.weight"
        : expect.IndexOf("naming ", StringComparison.Ordinal) is >= 0 and int at && char.IsDigit(expect[at + 7]) ? expect[(at + 7)..]
        : null;
}
