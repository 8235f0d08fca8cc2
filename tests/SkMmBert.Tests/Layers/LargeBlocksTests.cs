using System.Runtime.InteropServices;
using Xunit;

namespace SkMmBert.Tests;

[Collection("Alone")]
public sealed class LargeBlocksTests
{
    [Fact]
    public unsafe void KeepApart_LargeBlocksFreedOften_GoBackToTheSystem()
    {
        Assert.SkipUnless(LargeBlocks.KeepApart(), "This C library has no such setting.");
        const int Size = 24 * 1024 * 1024;

        // With the library's own rule the first freed block moves the limit to its size, and a small block behind a second one keeps both in the heap.
        NativeMemory.Free(NativeMemory.AllocZeroed(Size));
        long before = Private();
        void* large = NativeMemory.AllocZeroed(Size), behind = NativeMemory.AllocZeroed(1_000);
        new Span<byte>(large, Size).Fill(1);
        NativeMemory.Free(large);
        long kept = Private() - before;
        NativeMemory.Free(behind);
        Assert.InRange(kept, long.MinValue, Size / 2);
    }

    private static long Private() => long.Parse(File.ReadLines("/proc/self/status").First(line => line.StartsWith("RssAnon:", StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], System.Globalization.CultureInfo.InvariantCulture) * 1024;
}
