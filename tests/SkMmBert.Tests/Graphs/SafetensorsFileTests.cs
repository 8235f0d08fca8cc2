using System.Buffers.Binary;
using System.Text;
using Xunit;

namespace SkMmBert.Tests;

public sealed class SafetensorsFileTests
{
    private static readonly string Accepted = Path.Combine(Paths.Goldens, "malformed", "safetensors");

    [Fact]
    public void Open_EmptyTensor_ZeroElements()
    {
        using SafetensorsFile file = SafetensorsFile.Open(Path.Combine(Accepted, "accept-empty-tensor.safetensors"));
        Assert.Equal([0, 4], file.Find("a").Shape);
        Assert.Equal((0, 1), (file.Find("a").Elements, file.Find("b").Elements));
        Assert.Empty(file.Bytes(file.Find("a")).ToArray());
    }

    [Fact]
    public void Find_NoSuchTensor_NamesIt()
    {
        using SafetensorsFile file = SafetensorsFile.Open(Path.Combine(Accepted, "accept-unordered.safetensors"));
        Assert.Contains("\"c\"", Assert.Throws<InvalidDataException>(() => file.Find("c")).Message);
    }

    [Fact]
    public void Open_AnyHeaderByteChanged_RefusedOrStillWithinTheFile()
    {
        byte[] good = File.ReadAllBytes(Path.Combine(Accepted, "accept-unordered.safetensors"));
        using TemporaryFolder folder = new();
        for (int i = 0; i < good.Length * 8; i++)
        {
            byte[] bad = [.. good];
            bad[i / 8] ^= (byte)(1 << (i % 8));
            File.WriteAllBytes(folder.File("bad.safetensors"), bad);
            try
            {
                using SafetensorsFile file = SafetensorsFile.Open(folder.File("bad.safetensors"));
                Assert.All(file.Tensors.Values, tensor => Assert.Equal(tensor.Bytes, file.Bytes(tensor).ToArray().Length));
            }
            catch (InvalidDataException error)
            {
                Assert.DoesNotContain('\n', error.Message);
            }
        }
    }

    [Fact]
    public void ToFloat32_Integers_RefusedByType()
    {
        using TemporaryFolder folder = new();
        Write(folder.File("x.safetensors"), """{"a":{"dtype":"I64","shape":[1],"data_offsets":[0,8]}}""", 8);
        using SafetensorsFile file = SafetensorsFile.Open(folder.File("x.safetensors"));
        Assert.Contains("I64", Assert.Throws<InvalidDataException>(() => file.ToFloat32("a", new float[1])).Message);
    }

    [Fact]
    public void Open_FileOverFourGigabytes_ReadsItsLastTensor()
    {
        // A sparse file: only header and tail take space on disk.
        using TemporaryFolder folder = new();
        const long Big = 5L << 30;
        string path = folder.File("big.safetensors");
        Write(path, $$$"""{"big":{"dtype":"U8","shape":[{{{Big}}}],"data_offsets":[0,{{{Big}}}]},"last":{"dtype":"F32","shape":[1],"data_offsets":[{{{Big}}},{{{Big + 4}}}]}}""", 0);
        using (FileStream stream = new(path, FileMode.Open))
        {
            stream.Position = stream.Length + Big;
            stream.Write(BitConverter.GetBytes(1.5f));
        }

        long before = GC.GetAllocatedBytesForCurrentThread();
        using SafetensorsFile file = SafetensorsFile.Open(path);
        float[] value = new float[1];
        file.ToFloat32("last", value);
        Assert.Equal([1.5f], value);
        Assert.True(GC.GetAllocatedBytesForCurrentThread() - before < 1 << 20);
    }

    private static void Write(string path, string header, int data)
    {
        byte[] length = new byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(length, Encoding.UTF8.GetByteCount(header));
        File.WriteAllBytes(path, [.. length, .. Encoding.UTF8.GetBytes(header), .. new byte[data]]);
    }
}
