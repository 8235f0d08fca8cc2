using Xunit;

namespace SkMmBert.Tests;

/// <summary>What a model runs on: what was asked for, or an error that says why not.</summary>
public sealed class ModelDeviceTests
{
    [Fact]
    public void Open_NothingAsked_RunsOnTheProcessor()
    {
        using MmBertModel model = MmBertModel.Open(ModelFolders.Tiny, Goldens.Options);
        Assert.Equal(ModelDevice.Cpu, model.Device);
    }

    [Fact]
    public void Open_CudaWithoutItsRuntime_SaysWhyAndWhatToInstall()
    {
        Assert.SkipWhen(ExecutionDevice.Resolve(ModelDevice.Auto) != ModelDevice.Cpu, "A graphics card is there.");
        string message = Assert.Throws<NotSupportedException>(() => MmBertModel.Open(ModelFolders.Tiny, Goldens.Options with { Device = ModelDevice.Cuda(1) })).Message;
        Assert.Contains("cuda:1", message);
        Assert.Matches("(?i)no CUDAExecutionProvider|cuda: failed", message);   // the runtime lacks the provider, or the provider its library
        Assert.DoesNotContain("[ErrorCode", message);
        TestContext.Current.TestOutputHelper?.WriteLine(message);
        Assert.Contains("Microsoft.ML.OnnxRuntime.Gpu", message);
        Assert.DoesNotContain('\n', message);
    }

    [Fact]
    public void Open_Auto_RunsAndSaysOnWhat()
    {
        using MmBertModel model = MmBertModel.Open(ModelFolders.Tiny, Goldens.Options with { Device = ModelDevice.Auto });
        Assert.NotEqual(ModelDevice.Auto, model.Device);
        using LayerState state = model.Run(TokenBatch.Of([2, 5, 1]), 7, default);
        Assert.True(float.IsFinite(state.Hidden[0]));
    }

    [Theory]
    [InlineData("cpu", "cpu")]
    [InlineData(" CPU ", "cpu")]
    [InlineData("auto", "auto")]
    [InlineData("cuda", "cuda:0")]
    [InlineData("cuda:3", "cuda:3")]
    public void Parse_KnownName_PrintsBack(string text, string name) => Assert.Equal(name, ModelDevice.Parse(text).ToString());

    [Theory]
    [InlineData("")]
    [InlineData("gpu")]
    [InlineData("cuda:")]
    [InlineData("cuda:-1")]
    [InlineData("cuda:99999999999")]
    public void Parse_OtherText_IsRefusedWithTheChoice(string text) => Assert.Contains("cpu, auto, cuda or cuda:N", Assert.Throws<FormatException>(() => ModelDevice.Parse(text)).Message);

    [Fact]
    public void Cuda_NegativeIndex_IsRefused() => Assert.Throws<ArgumentOutOfRangeException>(() => ModelDevice.Cuda(-1));

    [Fact]
    public void Equals_DefaultAndKinds_AreWhatTheySay()
    {
        Assert.Equal(default, ModelDevice.Cpu);
        Assert.NotEqual(ModelDevice.Cpu, ModelDevice.Cuda());
        Assert.NotEqual(ModelDevice.Auto, ModelDevice.Cuda());
        Assert.Equal((null, null, 2), (ModelDevice.Cpu.CudaIndex, ModelDevice.Auto.CudaIndex, ModelDevice.Cuda(2).CudaIndex));
    }
}
