using System.Globalization;

namespace SkMmBert.Benchmarks;

/// <summary>What the words behind a verb say.</summary>
internal static class BenchmarkArguments
{
    /// <summary>The numbers among them; others where there are none.</summary>
    public static int[] Numbers(string[] args, params int[] others)
    {
        int[] numbers = [.. args.Where(arg => char.IsAsciiDigit(arg[0])).Select(arg => int.Parse(arg, CultureInfo.InvariantCulture))];
        return numbers.Length > 0 ? numbers : others;
    }

    /// <summary>The precision: <c>int8</c> where that is said.</summary>
    public static ModelPrecision Precision(string[] args) => args.Contains("int8") ? ModelPrecision.Int8 : ModelPrecision.Fp32;

    /// <summary>The precision that is said, or all.</summary>
    public static ModelPrecision[] Precisions(string[] args) => args.Contains("int8") || args.Contains("fp32") ? [Precision(args)] : Enum.GetValues<ModelPrecision>();
}
