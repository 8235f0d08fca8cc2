using System.CommandLine;
using System.Globalization;

namespace SkMmBert.Cli;

/// <summary>What every evaluation takes.</summary>
internal sealed class EvalOptions
{
    public SharedOptions Shared { get; } = new();

    public Option<string> Data { get; } = new("--data") { Description = "A folder of evaluation sets, or of folders with them; docs/quality.md says what files it takes.", Required = true };

    public Option<string?> Exits { get; } = new("--exit", "--exits") { Description = "Layers to leave at: numbers with commas, or all (default: the last)." };

    public Option<string?> Dims { get; } = new("--dims") { Description = "Vector lengths: numbers with commas, or all (default: the full width)." };

    public Option<string[]> Sets { get; } = new("--set") { Description = "Only sets whose name holds this text; may be given several times.", DefaultValueFactory = _ => [] };

    public Option<int?> Limit { get; } = new("--limit") { Description = "Most questions or pairs of a set, taken evenly (default: all)." };

    public Option<bool> Rerank { get; } = new("--rerank") { Description = "Measure with the reranker too." };

    public Symbol[] All => [Data, Shared.Json, Shared.Out, Shared.Model, Exits, Dims, Shared.Precision, Shared.ExitNorm, Shared.Threads, Sets, Limit];

    public string Folder(ParseResult parsed)
    {
        string folder = parsed.GetValue(Data)!;
        return Directory.Exists(folder) ? folder : throw new InputException($"There is no folder '{folder}'. Expected: a folder of evaluation sets.");
    }

    public bool Wants(ParseResult parsed, string set) => parsed.GetValue(Sets) is not { Length: > 0 } parts || parts.Any(part => set.Contains(part, StringComparison.OrdinalIgnoreCase));

    public int Most(ParseResult parsed) => SharedOptions.AtLeastOne(parsed, Limit) ?? int.MaxValue;

    /// <summary>The numbers of an option; the default where it is not given.</summary>
    public static IReadOnlyList<int> Numbers(ParseResult parsed, Option<string?> option, IReadOnlyList<int> all, int last)
    {
        string? text = parsed.GetValue(option);
        return text is null ? [last] : text == "all" ? (all.Count > 0 ? all : [last]) : [.. text.Split(',').Select(part =>
            int.TryParse(part, NumberStyles.None, CultureInfo.InvariantCulture, out int number) && number > 0
                ? number
                : throw new InputException($"{option.Name} is '{text}'. Expected: numbers with commas, such as 3,6, or all."))];
    }

    /// <summary>At most so many things, evenly taken.</summary>
    public static IReadOnlyList<T> Take<T>(IReadOnlyList<T> all, int most) => all.Count <= most ? all : [.. Enumerable.Range(0, most).Select(i => all[(int)((long)i * all.Count / most)])];
}
