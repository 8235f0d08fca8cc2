using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace SkMmBert;

/// <summary>Which instructions the processor has, as far as the form of packed weights depends on it.</summary>
internal static class ProcessorName
{
    public static string Text => $"{RuntimeInformation.ProcessArchitecture} {Vector512.IsHardwareAccelerated} {Avx2.IsSupported} {AvxVnni.IsSupported} {Instructions()}";

    // AVX512-VNNI and AMX have no IsSupported of their own: leaf 7 of CPUID.
    private static string Instructions()
    {
        if (!X86Base.IsSupported)
        {
            return "";
        }

        (int _, int b, int c, int d) = X86Base.CpuId(7, 0);
        return $"{b:x}{c:x}{d:x}";
    }
}
