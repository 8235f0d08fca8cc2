using System.Buffers.Binary;
using System.Text.Json;
using Xunit;

namespace SkMmBert.Tests;

public sealed class SafetensorsFolderTests
{
    private static readonly string Tiny = Path.Combine(Paths.Goldens, "tiny-modernbert");

    [Theory]
    [InlineData("tiny-modernbert", "prefix-model", "model.")]
    [InlineData("tiny-modernbert", "prefix-orig-mod", "_orig_mod.")]
    [InlineData("tiny-modernbert", "prefix-orig-mod-model", "_orig_mod.model.")]
    [InlineData("tiny-bert-2d", "prefix-bert", "bert.")]
    [InlineData("tiny-bert-2d", "prefix-bert-gamma-beta", "bert.")]
    public void Open_WeightsUnderAPrefix_EveryTensorEqual(string golden, string variant, string prefix)
    {
        string model = Path.Combine(Paths.Goldens, golden, "model");
        byte[] plain = File.ReadAllBytes(Path.Combine(model, "model.safetensors"));
        int data = 8 + (int)BinaryPrimitives.ReadInt64LittleEndian(plain);
        using TemporaryFolder folder = new();
        File.WriteAllBytes(folder.File("model.safetensors"), [.. File.ReadAllBytes(Path.Combine(Paths.Goldens, golden, "variants", variant + ".safetensors-header")), .. plain[data..]]);
        EncoderConfig config = EncoderConfig.Read(model);

        using SafetensorsFolder expected = SafetensorsFolder.Open(model, config), actual = SafetensorsFolder.Open(folder.Path, config);

        Assert.Contains(actual.Stored.Keys, name => name.StartsWith(prefix, StringComparison.Ordinal));
        AssertSame(config, expected, actual);
    }

    [Fact]
    public void Open_Shards_EveryTensorEqual()
    {
        string shards = Path.Combine(Tiny, "variants", "sharded");
        EncoderConfig config = EncoderConfig.Read(shards);

        using SafetensorsFolder expected = SafetensorsFolder.Open(Path.Combine(Tiny, "model"), config), actual = SafetensorsFolder.Open(shards, config);

        Assert.Equal(3, actual.Files.Count);
        AssertSame(config, expected, actual);
    }

    [Theory]
    [InlineData("bf16", 1f / 256)]
    [InlineData("fp16", 1f / 2048)]
    public void ToFloat32_HalfPrecisions_WithinHalfAUnitOfTheOriginal(string variant, float unit)
    {
        string halves = Path.Combine(Tiny, "variants", variant);
        EncoderConfig config = EncoderConfig.Read(halves);
        using SafetensorsFolder exact = SafetensorsFolder.Open(Path.Combine(Tiny, "model"), config), rounded = SafetensorsFolder.Open(halves, config);
        int inexact = 0;
        foreach ((string name, long[] shape) in SafetensorsFolderNames.Expected(config))
        {
            float[] a = Read(exact, name, shape), b = Read(rounded, name, shape);
            for (int i = 0; i < a.Length; i++)
            {
                // The second term is half of the smallest subnormal of a 16-bit float.
                Assert.True(Math.Abs(a[i] - b[i]) <= (Math.Abs(a[i]) * unit) + 3e-8f, $"{name}[{i}]: {a[i]} and {b[i]}");
                inexact += a[i] != b[i] ? 1 : 0;
            }
        }

        Assert.True(inexact > 1_000, "the variant must hold rounded weights");
    }

    [Fact]
    public void Open_OneLayerMoreThanTheWeights_NamesTheFirstMissingTensor()
    {
        EncoderConfig config = EncoderConfig.Read(Path.Combine(Tiny, "model"));
        InvalidDataException error = Assert.Throws<InvalidDataException>(() => SafetensorsFolder.Open(
            Path.Combine(Tiny, "model"), config with { Layers = config.Layers + 1, GlobalLayers = [.. config.GlobalLayers, false] }));
        Assert.Contains("\"layers.7.attn_norm.weight\"", error.Message);
    }

    [Fact]
    public void Open_OneLayerLessThanTheWeights_NamesATensorNobodyUses()
    {
        EncoderConfig config = EncoderConfig.Read(Path.Combine(Tiny, "model"));
        InvalidDataException error = Assert.Throws<InvalidDataException>(() => SafetensorsFolder.Open(Path.Combine(Tiny, "model"), config with { Layers = config.Layers - 1 }));
        Assert.Contains("\"layers.6.", error.Message);
    }

    [Fact]
    public void Open_AnotherWidth_NamesTensorAndBothShapes()
    {
        EncoderConfig config = EncoderConfig.Read(Path.Combine(Tiny, "model"));
        InvalidDataException error = Assert.Throws<InvalidDataException>(() => SafetensorsFolder.Open(Path.Combine(Tiny, "model"), config with { IntermediateSize = 97 }));
        Assert.Contains("\"layers.0.mlp.Wi.weight\"", error.Message);
        Assert.Contains("[192, 96]", error.Message);
        Assert.Contains("[194, 96]", error.Message);
    }

    [Fact]
    public void Open_BertWithPooler_IgnoresIt()
    {
        string model = Path.Combine(Paths.Goldens, "tiny-bert-2d", "model");
        using SafetensorsFolder weights = SafetensorsFolder.Open(model, EncoderConfig.Read(model));
        Assert.Contains("pooler.dense.weight", weights.Stored.Keys);
        Assert.Throws<InvalidDataException>(() => weights.Find("pooler.dense.weight"));
    }

    [Fact]
    public void Open_NoWeights_SaysWhatIsExpected()
    {
        using TemporaryFolder folder = new();
        Assert.Contains("model.safetensors", Assert.Throws<FileNotFoundException>(() => SafetensorsFolder.Open(folder.Path)).Message);
    }

    [Fact]
    public void ToFloat32_ASlice_EqualsThatPartOfTheWhole()
    {
        string model = Path.Combine(Tiny, "variants", "bf16");
        EncoderConfig config = EncoderConfig.Read(model);
        using SafetensorsFolder weights = SafetensorsFolder.Open(model, config);
        float[] whole = Read(weights, "layers.1.attn.Wqkv.weight", [288, 96]), part = new float[101];
        weights.ToFloat32("layers.1.attn.Wqkv.weight", part, 777);
        Assert.Equal(whole[777..878], part);
        Assert.Throws<ArgumentOutOfRangeException>(() => weights.ToFloat32("layers.1.attn.Wqkv.weight", part, whole.Length - 100));
    }

    [Fact]
    public void Bytes_AfterDispose_Refused()
    {
        string model = Path.Combine(Tiny, "model");
        SafetensorsFolder weights = SafetensorsFolder.Open(model, EncoderConfig.Read(model));
        weights.Dispose();
        weights.Dispose();
        Assert.Throws<ObjectDisposedException>(() => weights.Bytes("final_norm.weight").Length);
    }

    private static void AssertSame(EncoderConfig config, SafetensorsFolder expected, SafetensorsFolder actual)
    {
        foreach ((string name, long[] shape) in SafetensorsFolderNames.Expected(config))
        {
            Assert.Equal(Read(expected, name, shape), Read(actual, name, shape));
        }
    }

    private static float[] Read(SafetensorsFolder weights, string name, long[] shape)
    {
        float[] values = new float[shape.Aggregate(1L, (a, b) => a * b)];
        weights.ToFloat32(name, values);
        return values;
    }
}
