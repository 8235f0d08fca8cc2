using System.Text.Json;
using Xunit;

namespace SkMmBert.Tests;

public sealed class EncoderConfigTests
{
    private static readonly string Tiny = Path.Combine(Paths.Goldens, "tiny-modernbert");

    [Fact]
    public void Read_TinyModernBert_AllFields()
    {
        EncoderConfig config = EncoderConfig.Read(Path.Combine(Tiny, "model"));
        Assert.Equal((EncoderConfig.ModernBert, 512, 96, 96, 7, 3, 32, 512), (config.Architecture, config.VocabSize, config.HiddenSize, config.IntermediateSize, config.Layers, config.Heads, config.HeadSize, config.MaxPositions));
        Assert.Equal((1e-5f, 16, 0), (config.NormEps, config.LocalAttention, config.PadId));
        Assert.Equal([true, false, false, true, false, false, true], config.GlobalLayers);
        Assert.Equal((160_000f, 10_000f, 1f), (config.GlobalRope!.Theta, config.LocalRope!.Theta, config.LocalRope.AttentionScaling));
        Assert.Equal((ModelPooling.Mean, 512, null), (config.Pooling, config.ContextLength, config.Contract));
        Assert.Equal("", config.Prompts["query"]);
        Assert.Empty(config.Exits);
    }

    [Fact]
    public void Read_TinyBert_AllFields()
    {
        EncoderConfig config = EncoderConfig.Read(Path.Combine(Paths.Goldens, "tiny-bert-2d", "model"));
        Assert.Equal((EncoderConfig.Bert, 64, 128, 8, 4, 512, 2), (config.Architecture, config.HiddenSize, config.IntermediateSize, config.Layers, config.Heads, config.MaxPositions, config.TokenTypes));
        Assert.Equal((1e-12f, ModelPooling.Cls), (config.NormEps, config.Pooling));
        Assert.Null(config.GlobalRope);
    }

    [Fact]
    public void Read_TinyReranker_HeadsOfTheFolder()
    {
        EncoderConfig config = EncoderConfig.Read(Path.Combine(Paths.Goldens, "tiny-reranker", "model"));
        Assert.True(config.IsReranker);
        Assert.Equal([2, 3, 5, 7], config.Exits);
        Assert.Equal([96, 64, 32, 16], config.Dimensions);
        Assert.Equal((ModelPooling.Cls, null), (config.Pooling, config.Contract));
    }

    [Fact]
    public void Read_MiniPair_ContractAndLimits()
    {
        EncoderConfig embed = EncoderConfig.Read(Paths.MiniEmbed), rerank = EncoderConfig.Read(Paths.MiniRerank);
        Assert.Equal(new RepresentationContract(true, ModelPooling.Mean), embed.Contract);
        Assert.Equal(new RepresentationContract(true, ModelPooling.Cls), rerank.Contract);
        Assert.Equal((8192, 512), (embed.ContextLength, rerank.PairLength));
        Assert.Equal([1, 2, 3, 6], embed.Exits);
    }

    [Fact]
    public void Read_NewerStyle_SameAsOlder()
    {
        EncoderConfig older = EncoderConfig.Read(Path.Combine(Tiny, "model")), newer = EncoderConfig.ReadFile(Path.Combine(Tiny, "variants", "tf5", "config.json"));
        Assert.Equal(older.GlobalLayers, newer.GlobalLayers);
        Assert.Equal(older.GlobalRope!.InverseFrequencies, newer.GlobalRope!.InverseFrequencies);
        Assert.Equal(older.LocalRope!.InverseFrequencies, newer.LocalRope!.InverseFrequencies);
    }

    [Theory]
    [InlineData("yarn", true)]
    [InlineData("yarn-full-only", false)]
    public void Read_Yarn_FrequenciesOfTheReference(string variant, bool localToo)
    {
        using JsonDocument report = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(Tiny, "report.json")));
        JsonElement yarn = report.RootElement.GetProperty("yarn");
        EncoderConfig config = EncoderConfig.ReadFile(Path.Combine(Tiny, "variants", variant, "config.json"));

        AssertClose(yarn.GetProperty("inv_freq_global"), config.GlobalRope!.InverseFrequencies);
        Assert.Equal(yarn.GetProperty("attention_factor")[0].GetSingle(), config.GlobalRope.AttentionScaling);
        AssertClose(yarn.GetProperty("plain_global"), EncoderConfig.Read(Path.Combine(Tiny, "model")).GlobalRope!.InverseFrequencies);
        if (localToo)
        {
            AssertClose(yarn.GetProperty("inv_freq_local"), config.LocalRope!.InverseFrequencies);
            Assert.Equal(yarn.GetProperty("attention_factor")[1].GetSingle(), config.LocalRope.AttentionScaling);
        }
        else
        {
            Assert.Equal(EncoderConfig.Read(Path.Combine(Tiny, "model")).LocalRope!.InverseFrequencies, config.LocalRope!.InverseFrequencies);
            Assert.Equal(1f, config.LocalRope.AttentionScaling);
        }
    }

    [Theory]
    [InlineData("attention_multiplier", "2")]
    [InlineData("final_logit_softcapping", "30")]
    [InlineData("mlp_bias", "true")]
    [InlineData("norm_bias", "true")]
    [InlineData("position_embedding_type", "\"absolute\"")]
    [InlineData("layer_types", "[\"full_attention\"]")]
    [InlineData("rope_parameters", "{\"rope_type\":\"dynamic\",\"rope_theta\":160000}")]
    [InlineData("rope_scaling", "{\"rope_type\":\"yarn\",\"factor\":4,\"original_max_position_embeddings\":128,\"surprise\":1}")]
    [InlineData("rope_scaling", "{\"rope_type\":\"yarn\",\"factor\":4}")]
    [InlineData("representation_contract", "{\"version\":2,\"intermediate_normalization\":\"none\",\"final_normalization\":\"final_norm\"}")]
    [InlineData("representation_contract", "{\"version\":1,\"intermediate_normalization\":\"rms\",\"final_normalization\":\"final_norm\"}")]
    [InlineData("matryoshka_layers", "[2, 9]")]
    public void Read_KeyThatChangesTheArithmetic_RefusedByName(string key, string value)
    {
        using TemporaryFolder folder = new();
        File.WriteAllText(folder.File("config.json"), With(key, value));
        InvalidDataException error = Assert.Throws<InvalidDataException>(() => EncoderConfig.Read(folder.Path));
        Assert.Contains($"\"{key}", error.Message);
        Assert.DoesNotContain('\n', error.Message);
    }

    [Theory]
    [InlineData("rope_scaling", "null")]
    [InlineData("a_note", "\"anything\"")]
    [InlineData("_name_or_path", "\"x\"")]
    [InlineData("id2label", "{\"0\":\"LABEL_0\"}")]
    [InlineData("summary_activation", "null")]
    public void Read_KeyThatDoesNot_Ignored(string key, string value)
    {
        using TemporaryFolder folder = new();
        File.WriteAllText(folder.File("config.json"), With(key, value));
        Assert.Equal(7, EncoderConfig.Read(folder.Path).Layers);
    }

    [Fact]
    public void Read_FlatRopeParameters_ThetaOfBothKinds()
    {
        using TemporaryFolder folder = new();
        File.WriteAllText(folder.File("config.json"), With("rope_parameters", "{\"rope_type\":\"default\",\"rope_theta\":5000}", "global_rope_theta", "local_rope_theta"));
        EncoderConfig config = EncoderConfig.Read(folder.Path);
        Assert.Equal((5000f, 5000f), (config.GlobalRope!.Theta, config.LocalRope!.Theta));
    }

    [Theory]
    [InlineData("{\"pooling_mode_mean_tokens\":true,\"pooling_mode_cls_token\":true}", "pooling_mode_cls_token")]
    [InlineData("{\"pooling_mode_max_tokens\":true}", "pooling_mode_max_tokens")]
    [InlineData("{\"pooling_mode\":\"max\"}", "pooling_mode")]
    public void Read_PoolingNotSupported_RefusedByName(string pooling, string named)
    {
        using TemporaryFolder folder = new();
        Directory.CreateDirectory(folder.File("1_Pooling"));
        File.Copy(Path.Combine(Tiny, "model", "config.json"), folder.File("config.json"));
        File.WriteAllText(folder.File(Path.Combine("1_Pooling", "config.json")), pooling);
        Assert.Contains(named, Assert.Throws<InvalidDataException>(() => EncoderConfig.Read(folder.Path)).Message);
    }

    private static string With(string key, string value, params string[] without)
    {
        Dictionary<string, JsonElement> config = JsonSerializer.Deserialize<Dictionary<string, JsonElement>>(File.ReadAllBytes(Path.Combine(Tiny, "model", "config.json")))!;
        config[key] = JsonDocument.Parse(value).RootElement;
        return JsonSerializer.Serialize(config.Where(pair => !without.Contains(pair.Key)).ToDictionary());
    }

    private static void AssertClose(JsonElement expected, float[] actual)
    {
        Assert.Equal(expected.GetArrayLength(), actual.Length);
        for (int j = 0; j < actual.Length; j++)
        {
            float value = expected[j].GetSingle();
            Assert.True(Math.Abs(value - actual[j]) <= value * 3e-7f, $"{j}: expected {value}, got {actual[j]}");
        }
    }
}
