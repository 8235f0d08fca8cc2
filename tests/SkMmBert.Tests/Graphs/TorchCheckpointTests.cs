using Xunit;

namespace SkMmBert.Tests;

public sealed class TorchCheckpointTests
{
    private static readonly string Heads = Path.Combine(Paths.Goldens, "malformed", "heads");

    [Theory]
    [InlineData("accept-small.pt", 0)]
    [InlineData("accept-views.pt", 0)]
    [InlineData("accept-ordered-dict.pt", 0)]
    [InlineData("accept-fp64.pt", 0)]
    [InlineData("accept-fp16.pt", 1f / 2048)]
    [InlineData("accept-bf16.pt", 1f / 256)]
    public void Read_EachStorage_ValuesOfTheSafetensorsFile(string file, float unit)
    {
        using SafetensorsFile expected = SafetensorsFile.Open(Path.Combine(Heads, "accept-small.safetensors"));
        IReadOnlyDictionary<string, TorchTensor> actual = TorchCheckpoint.Read(Path.Combine(Heads, file));

        Assert.Equal(expected.Tensors.Keys.Order(), actual.Keys.Order());
        foreach (SafetensorsTensor tensor in expected.Tensors.Values)
        {
            float[] values = new float[tensor.Elements];
            expected.ToFloat32(tensor, 0, values);
            Assert.Equal(tensor.Shape, actual[tensor.Name].Shape);
            Assert.All(values.Zip(actual[tensor.Name].Values), pair => Assert.True(Math.Abs(pair.First - pair.Second) <= (Math.Abs(pair.First) * unit) + (unit * 1e-4f), $"{pair}"));
        }
    }

    [Fact]
    public void Read_RealStateDict_EqualsItsSafetensors()
    {
        string model = Path.Combine(Paths.Goldens, "tiny-reranker");
        IReadOnlyDictionary<string, TorchTensor> actual = TorchCheckpoint.Read(Path.Combine(model, "model", "classification_heads.pt"));
        using SafetensorsFile expected = SafetensorsFile.Open(Path.Combine(model, "classification_heads.safetensors"));
        Assert.Equal(64, actual.Count);
        foreach (SafetensorsTensor tensor in expected.Tensors.Values)
        {
            float[] values = new float[tensor.Elements];
            expected.ToFloat32(tensor, 0, values);
            Assert.Equal(values, actual[tensor.Name].Values);
        }
    }

    [Fact]
    public void Read_EveryBytePrefixOfAGoodFile_RefusedInOneLine()
    {
        byte[] good = File.ReadAllBytes(Path.Combine(Heads, "accept-small.pt"));
        using TemporaryFolder folder = new();
        for (int length = 0; length < good.Length; length += 13)
        {
            File.WriteAllBytes(folder.File("cut.pt"), good[..length]);
            Assert.DoesNotContain('\n', Assert.Throws<InvalidDataException>(() => TorchCheckpoint.Read(folder.File("cut.pt"))).Message);
        }
    }

    [Fact]
    public void Read_AnyByteChanged_RefusedOrTheSameValues()
    {
        byte[] good = File.ReadAllBytes(Path.Combine(Heads, "accept-small.pt"));
        IReadOnlyDictionary<string, TorchTensor> expected = TorchCheckpoint.Read(Path.Combine(Heads, "accept-small.pt"));
        using TemporaryFolder folder = new();
        int refused = 0;
        for (int i = 0; i < good.Length; i++)
        {
            byte[] bad = [.. good];
            bad[i] ^= (byte)(1 << (i % 8));
            File.WriteAllBytes(folder.File("bad.pt"), bad);
            try
            {
                // A change that nobody notices may only be in padding or in fields that carry no data.
                IReadOnlyDictionary<string, TorchTensor> actual = TorchCheckpoint.Read(folder.File("bad.pt"));
                Assert.All(expected, pair => Assert.Equal(pair.Value.Values, actual[pair.Key].Values));
            }
            catch (InvalidDataException error)
            {
                Assert.DoesNotContain('\n', error.Message);
                refused++;
            }
        }

        Assert.True(refused > good.Length / 4, $"{refused} of {good.Length}");
    }

    [Fact]
    public void Read_RandomPickles_RefusedWithoutAnyOtherError()
    {
        // Starts from real instructions so that many of them run before the first fault.
        byte[] seed = "\u0080\u0002}q\0(X\u0001\0\0\0aK\u0001X\u0001\0\0\0b(tq\u0001h\0]N\u0088\u0085\u0086\u0087u.RbQcG)ejr"u8.ToArray();
        Random random = new(7);
        for (int i = 0; i < 20_000; i++)
        {
            byte[] pickle = new byte[random.Next(1, 60)];
            for (int j = 0; j < pickle.Length; j++)
            {
                pickle[j] = random.Next(5) == 0 ? (byte)random.Next(256) : seed[random.Next(seed.Length)];
            }

            Exception? error = Record.Exception(() => new PickleReader("x", pickle).Read());
            Assert.True(error is null or InvalidDataException, $"{Convert.ToHexString(pickle)}: {error}");
        }
    }
}
