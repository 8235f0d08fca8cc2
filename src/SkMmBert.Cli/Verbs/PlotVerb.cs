using System.CommandLine;

namespace SkMmBert.Cli;

/// <summary><c>plot</c>: draws what <c>bench</c> and <c>eval</c> measured.</summary>
internal static class PlotVerb
{
    private static readonly (string Name, Func<IReadOnlyList<PlotRow>, Figure?> Draw)[] Kinds =
    [
        ("quality", QualityFigure.TryOf),
        ("routing", RoutingFigure.TryOf),
        ("funnel", FunnelFigure.TryOf),
        ("reranker", RerankerFigure.TryOf),
        ("speed", SpeedFigure.TryOf),
    ];

    public static Command Create(Terminal terminal)
    {
        Argument<string[]> files = new("FILE") { Description = "JSON lines that bench or eval wrote; - is stdin.", Arity = ArgumentArity.OneOrMore };
        Option<FileInfo?> svg = new("--svg") { Description = "The picture to write (default: stdout)." };
        Option<string?> what = SharedOptions.OneOf(new Option<string?>("--what") { Description = "Which picture, where the files hold several: quality, routing, funnel, reranker or speed." }, [.. Kinds.Select(kind => kind.Name)]);
        Command command = new("plot", "Draws what bench and eval measured as an SVG picture.") { files, svg, what };
        command.SetAction((parsed, cancellationToken) =>
        {
            string[] names = parsed.GetValue(files)!;
            List<PlotRow> rows = PlotRow.Read(names, terminal);
            string? wanted = parsed.GetValue(what);
            Figure figure = Kinds.Where(kind => wanted is null || kind.Name == wanted).Select(kind => kind.Draw(rows)).FirstOrDefault(made => made is not null)
                ?? throw new InputException($"'{string.Join("', '", names)}' cannot be drawn{(wanted is null ? "" : $" as {wanted}")}. Expected: lines of bench, of eval sts, bitext, retrieval or routing with several --exits, or of eval routing, funnel or calibrate-reranker.");
            using OutputFile output = OutputFile.Open(parsed.GetValue(svg), terminal, cancellationToken);
            SvgFile.Write(figure, output.Stream);
            output.Complete();
            return Task.FromResult(0);
        });
        return command;
    }
}
