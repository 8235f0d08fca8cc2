using System.CommandLine;

namespace SkMmBert.Cli;

/// <summary>Options that several verbs share, made anew for each verb.</summary>
internal sealed class SharedOptions
{
    public Option<bool> Json { get; } = new("--json") { Description = "One JSON object a line on stdout and nothing else." };

    public Option<string> Model { get; } = new("--model") { Description = "The embedder: a model folder or a known name.", DefaultValueFactory = _ => "mini" };

    public Option<string> RerankModel { get; } = new("--rerank-model") { Description = "The reranker: a model folder or a known name.", DefaultValueFactory = _ => "mini" };

    public Option<int?> Exit { get; } = new("--exit") { Description = "The layer where texts leave the model (default: the last)." };

    public Option<int?> Dims { get; } = new("--dims") { Description = "Leading dimensions of a vector (default: all)." };

    public Option<string> Precision { get; } = OneOf(new Option<string>("--precision") { Description = "Arithmetic of the linear layers.", DefaultValueFactory = _ => "fp32" }, "fp32", "int8");

    public Option<int?> Threads { get; } = new("--threads") { Description = "Processor threads (default: all)." };

    public Option<string?> ExitNorm { get; } = OneOf(new Option<string?>("--exit-norm") { Description = "The norm at early exits: final or raw (default: what the model says)." }, "final", "raw");

    public Option<FileInfo?> Out { get; } = new("--out") { Description = "Write here instead of stdout; the file appears when it is whole." };

    /// <summary>How the model is opened.</summary>
    public ModelOptions ModelOptions(ParseResult parsed) => new()
    {
        Precision = parsed.GetValue(Precision) == "int8" ? ModelPrecision.Int8 : ModelPrecision.Fp32,
        ExitNorm = parsed.GetValue(ExitNorm) switch { "final" => SkMmBert.ExitNorm.FinalNorm, "raw" => SkMmBert.ExitNorm.Raw, _ => null },
    };

    /// <summary>How texts become vectors; <c>--threads</c> are runs side by side, since one run of short texts gains nothing from more.</summary>
    public EmbeddingOptions EmbeddingOptions(ParseResult parsed) => new()
    {
        Exit = AtLeastOne(parsed, Exit),
        Dimensions = AtLeastOne(parsed, Dims),
        Streams = AtLeastOne(parsed, Threads),
    };

    public static int? AtLeastOne(ParseResult parsed, Option<int?> option)
    {
        int? value = parsed.GetValue(option);
        return value is null or >= 1 ? value : throw new InputException($"{option.Name} is {value}. Expected: at least 1.");
    }

    public static Option<T> OneOf<T>(Option<T> option, params string[] values)
    {
        option.AcceptOnlyFromAmong(values);
        return option;
    }
}
