using System.Runtime.InteropServices;

namespace SkMmBert;

/// <summary>Keeps large blocks of native memory out of the C library's heaps, which shrink only at their ends.</summary>
/// <remarks>
/// With glibc each freed large block raises the size from which blocks come straight from the system, up to 32 MB. After a few long texts the runtime's blocks of
/// every size lie side by side in the heaps: 200 texts of 1 to 8,000 tokens then take twice the memory at the peak and keep three times as much afterwards.
/// A fixed size ends that. A heap that is larger at its end then keeps twice that size, as glibc's own rule has it: opening a model packs a block for each matrix
/// and frees it again, and its pages need not come anew each time.
/// These are settings of the whole process and change nothing but where blocks lie; other C libraries do not have them.
/// </remarks>
internal static partial class LargeBlocks
{
    private const int MmapThreshold = -3, TrimThreshold = -1;   // M_MMAP_THRESHOLD and M_TRIM_THRESHOLD of glibc's malloc.h
    private const int Size = 4 * 1024 * 1024;

    private static readonly bool s_apart = Set();

    /// <summary>Takes effect at the first call in a process. Whether the C library knows the setting.</summary>
    public static bool KeepApart() => s_apart;

    private static bool Set()
    {
        try
        {
            return OperatingSystem.IsLinux() && SetOption(MmapThreshold, Size) == 1 && SetOption(TrimThreshold, 2 * Size) == 1;
        }
        catch (Exception error) when (error is DllNotFoundException or EntryPointNotFoundException)
        {
            return false;   // musl, for one
        }
    }

    [LibraryImport("libc", EntryPoint = "mallopt")]
    private static partial int SetOption(int option, int value);
}
