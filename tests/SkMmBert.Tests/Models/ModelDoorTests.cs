using Xunit;

namespace SkMmBert.Tests;

/// <summary>Broken folders at the public door: one line that names file and fault, and no graphs written for them.</summary>
public sealed class ModelDoorTests
{
    private static readonly string Malformed = Path.Combine(Paths.Goldens, "malformed");

    public static TheoryData<string> Configurations() => [.. Directory.GetFiles(Path.Combine(Malformed, "config")).Select(file => Path.GetFileName(file)).Where(name => name != "null-values.json")];

    public static TheoryData<string> Indexes() => [.. Directory.GetDirectories(Path.Combine(Malformed, "index")).Select(folder => Path.GetFileName(folder))];

    public static TheoryData<string> Weights() => [.. Directory.GetFiles(Path.Combine(Malformed, "safetensors")).Select(file => Path.GetFileName(file))];

    [Theory]
    [MemberData(nameof(Configurations))]
    public void Open_MalformedConfiguration_IsRefusedInOneLine(string name)
    {
        using TemporaryFolder folder = ModelFolders.Copy(ModelFolders.Tiny);
        File.Copy(Path.Combine(Malformed, "config", name), folder.File("config.json"), overwrite: true);
        string message = Refused(folder.Path);
        Assert.Contains(name is "too-many-layers.json" or "attention-bias.json" ? folder.Path : "config.json", message);
        if (name.StartsWith("missing-", StringComparison.Ordinal))
        {
            Assert.Contains($"\"{Path.GetFileNameWithoutExtension(name)["missing-".Length..]}\"", message);
        }
    }

    [Theory]
    [MemberData(nameof(Indexes))]
    public void Open_MalformedIndex_IsRefusedInOneLine(string name)
    {
        using TemporaryFolder folder = ModelFolders.Copy(ModelFolders.Tiny);
        File.Delete(folder.File("model.safetensors"));
        foreach (string file in Directory.GetFiles(Path.Combine(Malformed, "index", name)))
        {
            File.Copy(file, folder.File(Path.GetFileName(file)));
        }

        Assert.Contains("model.safetensors.index.json", Refused(folder.Path));
    }

    // Those that are sound files hold none of the model's tensors, so none of them opens.
    [Theory]
    [MemberData(nameof(Weights))]
    public void Open_MalformedWeights_IsRefusedInOneLine(string name)
    {
        using TemporaryFolder folder = ModelFolders.Copy(ModelFolders.Tiny);
        File.Copy(Path.Combine(Malformed, "safetensors", name), folder.File("model.safetensors"), overwrite: true);
        Assert.Contains(name.StartsWith("accept", StringComparison.Ordinal) ? folder.Path : "model.safetensors", Refused(folder.Path));
    }

    [Theory]
    [InlineData("config.json")]
    [InlineData("tokenizer.json")]
    [InlineData("model.safetensors")]
    public void Open_FileMissing_NamesItAndWhatToDo(string name)
    {
        using TemporaryFolder folder = ModelFolders.Copy(ModelFolders.Tiny);
        File.Delete(folder.File(name));
        string message = Assert.Throws<FileNotFoundException>(() => MmBertModel.Open(folder.Path, Goldens.Options)).Message;
        Assert.Contains(name, message);
        Assert.Contains(folder.Path, message);
        Assert.Contains("download", message);
        Assert.DoesNotContain('\n', message);
    }

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("[]")]
    [InlineData("{\"model\":{\"type\":\"Unigram\"}}")]
    public void Open_BrokenTokenizer_IsRefusedInOneLine(string content)
    {
        using TemporaryFolder folder = ModelFolders.Copy(ModelFolders.Tiny);
        File.WriteAllText(folder.File("tokenizer.json"), content);
        Assert.Contains("tokenizer.json", Refused(folder.Path));
    }

    [Fact]
    public void Open_NoSuchFolder_SaysWhatToGive() =>
        Assert.Contains("no model folder", Assert.Throws<DirectoryNotFoundException>(() => MmBertModel.Open(Path.Combine(Paths.Root, "no-such-model"))).Message);

    [Fact]
    public void Open_EmptyFolder_NamesWhatIsExpected()
    {
        using TemporaryFolder folder = new();
        Assert.Contains("config.json", Assert.Throws<FileNotFoundException>(() => MmBertModel.Open(folder.Path)).Message);
    }

    [Fact]
    public void Open_PublishedGraphsAskedOfAFolderWithout_SaysWhatIsExpected() =>
        Assert.Contains("layer-N/model.onnx", Assert.Throws<FileNotFoundException>(() => MmBertModel.Open(ModelFolders.Tiny, Goldens.Options with { UsePublishedOnnx = true })).Message);

    private static string Refused(string folder)
    {
        using TemporaryFolder cache = new();
        InvalidDataException error = Assert.Throws<InvalidDataException>(() => MmBertModel.Open(folder, new() { CacheFolder = cache.Path }));
        Assert.DoesNotContain('\n', error.Message);
        Assert.DoesNotContain(Directory.GetDirectories(cache.Path), made => Path.GetFileName(made) != "hashes");
        return error.Message;
    }
}
