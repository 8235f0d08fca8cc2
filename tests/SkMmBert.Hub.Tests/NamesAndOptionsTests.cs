using Xunit;

namespace SkMmBert.Hub.Tests;

public sealed class NamesAndOptionsTests
{
    [Theory]
    [InlineData("mmbert-embed", "llm-semantic-router/mmbert-embed-32k-2d-matryoshka")]
    [InlineData("mmbert-rerank-32k-2d-matryoshka", "llm-semantic-router/mmbert-rerank-32k-2d-matryoshka")]
    [InlineData("VLLM-SR/vela-1.0-encoder-307m-reranker", "vllm-sr/Vela-1.0-Encoder-307M-Reranker")]
    public void Find_KnownName_GivesItsRepository(string name, string repository) => Assert.Equal(repository, KnownModel.Find(name)?.Repository);

    [Fact]
    public void All_KnownModels_AreConsistent()
    {
        Assert.Null(KnownModel.Find("nobody/nothing"));
        Assert.Equal(KnownModel.All.Count, KnownModel.All.Select(m => m.Name).Distinct().Count());
        Assert.All(KnownModel.All, m =>
        {
            Assert.Matches("^[0-9a-f]{40}$", m.Revision);
            Assert.True(m.IsPinned);
            Assert.Equal(m.Exits.Order(), m.Exits);
            Assert.Equal(m.Dimensions.OrderDescending(), m.Dimensions);
            Assert.Equal(m.Layers, m.Exits[^1]);
        });
    }

    [Theory]
    [InlineData("no-owner")]
    [InlineData("../..")]
    [InlineData("acme/..")]
    [InlineData("acme/a--b")]
    [InlineData("acme/encoder@../../main")]
    [InlineData("acme/encoder@")]
    [InlineData("acme/encoder@a//b")]
    [InlineData("acme/encoder/extra")]
    [InlineData("acme\\encoder")]
    [InlineData("acme/encoder\n")]
    [InlineData("http://acme/encoder")]
    public void Find_NameThatIsNone_IsRefused(string name)
    {
        using ModelHub hub = new(new HubOptions { CacheFolder = Path.GetTempPath() });

        ArgumentException error = Assert.Throws<ArgumentException>(() => hub.TryFind(name, out _));

        Assert.Contains("Expected", error.Message);
    }

    [Fact]
    public void FromEnvironment_Nothing_GivesTheStandardPlaces()
    {
        HubOptions options = HubOptions.FromEnvironment(_ => null);

        Assert.Equal(new HubOptions().CacheFolder, options.CacheFolder);
        Assert.Equal("https://huggingface.co/", options.Endpoint.AbsoluteUri);
        Assert.False(options.Offline);
    }

    [Fact]
    public void FromEnvironment_Variables_AreRead()
    {
        using TemporaryFolder home = new();
        File.WriteAllText(Path.Combine(home, "token"), "hf_from_file\n");
        HubOptions Read(params (string Name, string Value)[] values) => HubOptions.FromEnvironment(name => values.FirstOrDefault(v => v.Name == name).Value);

        HubOptions options = Read(("HF_HOME", home), ("HF_ENDPOINT", "https://mirror.example/"), ("HF_HUB_OFFLINE", "true"));
        Assert.Equal((Path.Combine(home, "hub"), "hf_from_file", true), (options.CacheFolder, options.Token, options.Offline));
        Assert.Equal("mirror.example", options.Endpoint.Host);
        Assert.Equal("hf_direct", Read(("HF_HOME", home), ("HF_TOKEN", " hf_direct ")).Token);
        Assert.Equal(Path.GetFullPath("/somewhere"), Read(("HF_HOME", home), ("HF_HUB_CACHE", "/somewhere")).CacheFolder);
        Assert.False(Read(("HF_HUB_OFFLINE", "0")).Offline);
        Assert.Contains("HF_ENDPOINT is 'mirror'", Assert.Throws<InvalidDataException>(() => Read(("HF_ENDPOINT", "mirror"))).Message);
    }

    [Fact]
    public void ToString_WithToken_HidesIt() => Assert.DoesNotContain("hf_secret", new HubOptions { Token = "hf_secret" }.ToString());

    [Fact]
    public void ModelHub_InvalidOptions_AreRefusedAtOnce()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => new ModelHub(new HubOptions { Parallelism = 0 }));
        Assert.Throws<ArgumentOutOfRangeException>(() => new ModelHub(new HubOptions { RangeBytes = 0 }));
        Assert.Throws<ArgumentException>(() => new ModelHub(new HubOptions { Endpoint = new Uri("ftp://x") }));
    }
}
