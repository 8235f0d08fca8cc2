using Microsoft.Extensions.AI;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Options;
using Xunit;

namespace SkMmBert.Hosting.Tests;

public sealed class OptionsTests
{
    [Fact]
    public void Configuration_EveryName_IsRead()
    {
        MmBertOptions read = Read(
            ("embeddingmodel", "e"), ("RerankModel", "r"), ("ModelsFolder", "m"), ("Precision", "int8"), ("Device", "cuda:1"), ("Exit", "3"),
            ("Dimensions", " 64"), ("RerankEffort", "exit:6"), ("Threads", "2"), ("CacheFolder", "c"), ("WarmUp", "background"));
        Assert.Equal(("e", "r", "m", "c"), (read.EmbeddingModel, read.RerankModel, read.ModelsFolder, read.CacheFolder));
        Assert.Equal((ModelPrecision.Int8, ModelDevice.Cuda(1), ModelWarmUp.Background, RerankEffort.Exit(6)), (read.Precision, read.Device, read.WarmUp, read.RerankEffort));
        Assert.Equal((3, 64, 2), (read.Exit, read.Dimensions, read.Threads));
    }

    [Fact]
    public void Configuration_Nothing_LeavesTheDefaults()
    {
        MmBertOptions read = Read(("Dimensions", ""), ("Memory:Path", "a section of somebody else"));
        Assert.Equal(("mini", "mini", null, null), (read.EmbeddingModel, read.RerankModel, read.ModelsFolder, read.CacheFolder));
        Assert.Equal((null, null, null, ModelWarmUp.None), (read.Exit, read.Dimensions, read.Threads, read.WarmUp));
    }

    [Fact]
    public void Configuration_AndCode_CodeWins()
    {
        using ServiceProvider provider = HostedServices.Provider(services => services.AddMmBert(HostedServices.Configuration(("Dimensions", "64"), ("Exit", "3")), o => o.Exit = 4));
        MmBertOptions options = provider.GetRequiredService<IOptions<MmBertOptions>>().Value;
        Assert.Equal((64, 4), (options.Dimensions, options.Exit));
    }

    [Theory]
    [InlineData("EmbedModel", "x", "The configuration has 'SkMmBert:EmbedModel', which is no option. Expected: one of EmbeddingModel, RerankModel,")]
    [InlineData("Precision", "fp8", "The configuration value 'SkMmBert:Precision' is 'fp8'. Expected: fp32 or int8.")]
    [InlineData("Precision", "1", "The configuration value 'SkMmBert:Precision' is '1'. Expected: fp32 or int8.")]
    [InlineData("WarmUp", "true", "The configuration value 'SkMmBert:WarmUp' is 'true'. Expected: None, Background or BeforeStart.")]
    [InlineData("Device", "gpu", "The configuration value 'SkMmBert:Device' is 'gpu'. Expected: cpu, auto, cuda or cuda:N.")]
    [InlineData("RerankEffort", "some", "The configuration value 'SkMmBert:RerankEffort' is 'some'. Expected: full, exit:LAYER, progressive or deadline:MILLISECONDS.")]
    [InlineData("Exit", "3.5", "The configuration value 'SkMmBert:Exit' is '3.5'. Expected: a whole number.")]
    [InlineData("Threads", "0", "AddMmBert: Threads is 0. Expected: at least 1, or nothing for one thread a run.")]
    [InlineData("Exit", "0", "AddMmBert: Exit is 0. Expected: a layer of the model, from 1, or nothing for the last exit.")]
    [InlineData("Dimensions", "-1", "AddMmBert: Dimensions is -1. Expected: at least 1, or nothing for all dimensions of the model.")]
    [InlineData("EmbeddingModel", " ", "AddMmBert: EmbeddingModel is empty. Expected: the path of a model folder, 'mini', or the name of a folder in ModelsFolder.")]
    public async Task StartAsync_WrongConfiguration_EndsTheStartWithOneLine(string name, string value, string line)
    {
        HostApplicationBuilder builder = Host.CreateEmptyApplicationBuilder(null);
        builder.Services.AddMmBert(HostedServices.Configuration((name, value)));
        using IHost host = builder.Build();
        string message = (await Assert.ThrowsAsync<OptionsValidationException>(() => host.StartAsync())).Message;
        Assert.StartsWith(line, message, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', message);
    }

    [Fact]
    public void GetService_WrongOptionsUnderAKey_NamesTheKey()
    {
        using ServiceProvider provider = HostedServices.Provider(services => services.AddKeyedMmBert("fast", o => o.Threads = 0));
        string message = Assert.Throws<OptionsValidationException>(() => provider.GetRequiredKeyedService<IEmbeddingGenerator>("fast")).Message;
        Assert.StartsWith("AddKeyedMmBert(\"fast\"): Threads is 0.", message, StringComparison.Ordinal);
    }

    [Fact]
    public void Find_MiniByName_IsTheFolderOfItsRole()
    {
        ModelFolders folders = new(Paths.Root, null);
        Assert.Equal(Paths.MiniEmbed, folders.Find("mini", "embed", out _));
        Assert.Equal(Paths.MiniRerank, folders.Find("mini", "rerank", out _));
        Assert.Equal(Paths.MiniRerank, folders.Find("mini-rerank", "embed", out _));
    }

    [Fact]
    public void Find_PathBelowTheRoot_IsThatFolder() => Assert.Equal(Paths.MiniEmbed, new ModelFolders(Paths.Root, "nowhere").Find("models/mini-embed", "embed", out _));

    [Theory]
    [InlineData("mmbert-embed", "There is no model folder for 'mmbert-embed'. Looked for: {0}/nowhere/mmbert-embed. Expected:")]
    [InlineData("./mini", "There is no model folder for './mini'. Looked for: {0}/mini. Expected:")]
    [InlineData("../x/mini", "There is no model folder for '../x/mini'.")]
    public void Find_Missing_SaysWhereItLooked(string name, string line)
    {
        Assert.Null(new ModelFolders(Paths.Root, "nowhere").Find(name, "embed", out string missing));
        Assert.StartsWith(string.Format(null, line, Paths.Root), missing.Replace('\\', '/'), StringComparison.Ordinal);
    }

    private static MmBertOptions Read(params (string Name, string Value)[] values)
    {
        MmBertOptions options = new();
        MmBertConfiguration.Apply("", HostedServices.Configuration(values), options);
        return options;
    }
}
