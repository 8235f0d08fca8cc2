using System.IO.MemoryMappedFiles;
using Xunit;

namespace SkMmBert.Tests;

[Collection("Alone")]
public sealed class MappedFilesTests
{
    [Fact]
    public void LetGo_MappedFile_LeavesMemoryAndReadsTheSame()
    {
        Assert.SkipUnless(File.Exists("/proc/self/smaps"), "This system does not tell what is mapped.");
        const int Size = 8 * 1024 * 1024;
        string folder = Directory.CreateTempSubdirectory("skmmbert-mapped-").FullName, file = Path.Combine(folder, "a.data");
        try
        {
            byte[] content = [.. Enumerable.Range(0, Size).Select(i => (byte)(i * 31))];
            File.WriteAllBytes(file, content);
            using (MemoryMappedFile mapping = MemoryMappedFile.CreateFromFile(file, FileMode.Open, null, 0, MemoryMappedFileAccess.Read))
            using (MemoryMappedViewAccessor view = mapping.CreateViewAccessor(0, Size, MemoryMappedFileAccess.Read))
            {
                Assert.Equal(content, Read(view));
                long resident = Resident();
                Assert.Equal(0, MappedFiles.LetGo(folder));   // nobody answers for it
                MappedFiles.Enter(folder);
                MappedFiles.Enter(folder);
                Assert.Equal(0, MappedFiles.LetGo(folder));   // another owner may close his mapping meanwhile
                MappedFiles.Leave(folder);
                Assert.InRange(MappedFiles.LetGo(folder), Size, Size + 65_536);
                Assert.InRange(resident - Resident(), Size * 3 / 4, long.MaxValue);
                Assert.Equal(content, Read(view));
            }
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public void Run_VeryLongTextAfterShortOnes_GivesTheSameStatesAsBefore()
    {
        using MmBertModel model = MmBertModel.Open(Paths.MiniEmbed, Goldens.Options with { Threads = null });
        TokenBatch shortText = TokenBatch.Of([2, 5, 6, 7, 1]), longText = TokenBatch.Of([.. Enumerable.Range(0, 4_200).Select(i => 5 + (i % 3_000))]);
        float[] before = Hidden(model, shortText), first = Hidden(model, longText);
        Assert.Equal(first, Hidden(model, longText));
        Assert.Equal(before, Hidden(model, shortText));
    }

    private static float[] Hidden(MmBertModel model, TokenBatch batch)
    {
        using LayerState state = model.Run(batch, model.Manifest.Layers, default);
        return state.Hidden.ToArray();
    }

    private static byte[] Read(MemoryMappedViewAccessor view)
    {
        byte[] bytes = new byte[view.Capacity];
        view.ReadArray(0, bytes, 0, bytes.Length);
        return bytes;
    }

    private static long Resident() => long.Parse(File.ReadLines("/proc/self/status").First(line => line.StartsWith("RssFile:", StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], System.Globalization.CultureInfo.InvariantCulture) * 1024;
}
