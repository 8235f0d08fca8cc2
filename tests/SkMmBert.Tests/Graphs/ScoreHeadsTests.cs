using System.Text.Json;
using Xunit;

namespace SkMmBert.Tests;

public sealed class ScoreHeadsTests
{
    private static readonly string Tiny = Path.Combine(Paths.Goldens, "tiny-reranker");

    [Fact]
    public void Read_FolderWithPickleOnly_AllHeads()
    {
        ScoreHeads heads = ScoreHeads.Read(Path.Combine(Tiny, "model"), EncoderConfig.Read(Path.Combine(Tiny, "model")));
        Assert.EndsWith("classification_heads.pt", heads.Path);
        float[] state = [.. Enumerable.Range(0, 96).Select(i => MathF.Sin(i))];
        ScoreHeads safe = ScoreHeads.ReadFile(Path.Combine(Tiny, "classification_heads.safetensors"), heads.Exits, heads.Dimensions);
        foreach (int exit in (int[])[2, 3, 5, 7])
        {
            foreach (int dimension in (int[])[96, 64, 32, 16])
            {
                float[] a = new float[1], b = new float[1];
                heads.Score(exit, dimension, state, 96, a);
                safe.Score(exit, dimension, state, 96, b);
                Assert.Equal(a, b);
            }
        }
    }

    [Fact]
    public void Read_CorruptSafetensorsBesideAGoodPickle_IsAnError()
    {
        using TemporaryFolder folder = new();
        File.Copy(Path.Combine(Tiny, "model", "classification_heads.pt"), folder.File("classification_heads.pt"));
        File.WriteAllBytes(folder.File("classification_heads.safetensors"), File.ReadAllBytes(Path.Combine(Tiny, "classification_heads.safetensors"))[..^1]);
        EncoderConfig config = EncoderConfig.Read(Path.Combine(Tiny, "model"));
        Assert.Contains("classification_heads.safetensors", Assert.Throws<InvalidDataException>(() => ScoreHeads.Read(folder.Path, config)).Message);
    }

    [Fact]
    public void Read_NoHeads_NamesTheFolder()
    {
        string embed = Paths.MiniEmbed;
        FileNotFoundException error = Assert.Throws<FileNotFoundException>(() => ScoreHeads.Read(embed, EncoderConfig.Read(embed)));
        Assert.Contains(embed, error.Message);
        Assert.False(ScoreHeads.Exist(embed));
    }

    [Fact]
    public void ReadFile_FourTensorsOnly_NamesTheFirstMissingHead()
    {
        string small = Path.Combine(Paths.Goldens, "malformed", "heads", "accept-small.pt");
        Assert.Contains("\"2.96.0.weight\"", Assert.Throws<InvalidDataException>(() => ScoreHeads.ReadFile(small, [2, 3, 5, 7], [96, 64, 32, 16])).Message);
    }

    [Fact]
    public void Score_HeadThatIsNotThere_ListsThoseThatAre()
    {
        ScoreHeads heads = ScoreHeads.ReadFile(Path.Combine(Tiny, "classification_heads.safetensors"), [2, 3], [96, 16]);
        ArgumentException error = Assert.Throws<ArgumentException>(() => heads.Score(4, 96, new float[96], 96, new float[1]));
        Assert.Contains("2, 3", error.Message);
        Assert.Contains("96, 16", error.Message);
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(0.5, 0.5204998778130465)]
    [InlineData(-0.5, -0.5204998778130465)]
    [InlineData(1, 0.8427007929497149)]
    [InlineData(2, 0.9953222650189527)]
    [InlineData(3, 0.9999779095030014)]
    [InlineData(5, 0.9999999999984626)]
    [InlineData(40, 1)]
    [InlineData(double.NegativeInfinity, -1)]
    public void Erf_KnownValues_ToFourteenDigits(double x, double expected) => Assert.Equal(expected, ScoreHeads.Erf(x), 2e-14);
}
