using System.CommandLine;
using System.Globalization;
using Spectre.Console;

namespace SkMmBert.Cli;

/// <summary><c>eval calibrate-reranker</c>: learns on retrieval sets who may stop at an early exit, and whether reranking helps.</summary>
internal static class RerankerCalibration
{
    private const int Queries = 40, Candidates = 100;

    public static Command Create(Terminal terminal)
    {
        SharedOptions shared = new();
        EvalOptions options = new();
        Option<double?> loss = new("--loss") { Description = "Share of queries whose best texts may differ from those of the full effort (default: 0.02)." };
        Option<int?> top = new("--top") { Description = "How many best texts that is about (default: 5)." };
        Option<int?> candidates = new("--candidates") { Description = $"Texts of the first stage that are scored (default: {Candidates})." };
        Option<int?> maxLength = new("--max-length") { Description = "Most tokens of query and text together." };
        Command command = new("calibrate-reranker", "Learns on retrieval sets how a reranker may save work; --out writes the calibration.")
        {
            options.Data, shared.Json, shared.Out, shared.Model, shared.RerankModel, shared.Dims, shared.Precision, shared.Threads, options.Sets, options.Limit, loss, top, candidates, maxLength,
        };
        command.SetAction(async (parsed, cancellationToken) =>
        {
            string folder = options.Folder(parsed);
            double allowed = parsed.GetValue(loss) ?? 0.02;
            if (allowed is not (>= 0 and < 1))
            {
                throw new InputException($"--loss is {allowed.ToString(CultureInfo.InvariantCulture)}. Expected: 0 up to 1.");
            }

            int best = SharedOptions.AtLeastOne(parsed, top) ?? 5;
            using MmBertModel model = Models.Open(ModelNames.Find(parsed.GetValue(shared.Model)!, "embedder"), shared.ModelOptions(parsed), terminal);
            using Rerankers rerankers = Rerankers.Open(shared, parsed, new RerankOptions { Dimension = parsed.GetValue(shared.Dims), MaxTokens = parsed.GetValue(maxLength) }, terminal);
            List<RerankSample> samples = [];
            foreach (EvaluationSet set in Load(folder).Where(set => options.Wants(parsed, set.Name)))
            {
                int most = SharedOptions.AtLeastOne(parsed, options.Limit) ?? Queries;
                samples.AddRange(await SamplesAsync(Models.Embedder(model, new EmbeddingOptions()), set, most, SharedOptions.AtLeastOne(parsed, candidates) ?? Candidates, cancellationToken));
            }

            using ProgressLine progress = new(terminal, "queries");
            List<RerankTable> tables = await RerankEvaluation.TablesAsync(rerankers.Reranker, samples, rerankers.Reranker.Options, new Told(done => progress.Report(done, (double)done / samples.Count)), cancellationToken);
            RerankCalibration calibration = RerankCalibrationFit.Fit(RerankCalibration.Empty(rerankers.Reranker), tables, allowed, best);
            if (parsed.GetValue(shared.Out) is { } file)
            {
                calibration.Save(file.FullName);
            }

            Say(parsed.GetValue(shared.Json), calibration, tables, terminal);
            return 0;
        });
        return command;
    }

    private static IReadOnlyList<EvaluationSet> Load(string folder)
    {
        try
        {
            return EvaluationSet.Load(folder);
        }
        catch (InvalidDataException error)
        {
            throw new InputException(error.Message);
        }
    }

    private static async Task<List<RerankSample>> SamplesAsync(MmBertEmbeddingGenerator generator, EvaluationSet set, int most, int candidates, CancellationToken cancellationToken)
    {
        using InMemoryStore store = new();
        AgentMemory memory = new(generator, store, new() { DropDuplicates = false });
        await memory.RememberAsync(set.Items, null, cancellationToken);
        List<RerankSample> samples = [];
        foreach (EvaluationQuestion question in EvalOptions.Take(set.Questions, most))
        {
            IReadOnlyList<Evidence> found = await memory.RecallAsync(question.Text, new() { Top = candidates, Candidates = candidates, Floor = 0, Rerank = false }, cancellationToken);
            HashSet<string> ids = [.. found.Select(evidence => evidence.Id)];
            samples.Add(new RerankSample(question.Text, [.. found.Select(evidence => evidence.Text)])
            {
                FirstScores = [.. found.Select(evidence => evidence.Score)],
                Gains = [.. found.Select(evidence => (float)question.Relevant.GetValueOrDefault(evidence.Id))],
                MissedGains = [.. question.Relevant.Where(pair => !ids.Contains(pair.Key)).Select(pair => (float)pair.Value)],
            });
        }

        return [.. samples.Where(sample => sample.Texts.Count > 0)];
    }

    private static void Say(bool data, RerankCalibration calibration, List<RerankTable> tables, Terminal terminal)
    {
        if (!data)
        {
            terminal.People.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"{calibration.Queries} queries: progressive keeps the best {calibration.Top} of {calibration.SameTop:P1} for {calibration.Cost:P0} of the work. {calibration.Recommendation}"));
            return;
        }

        using OutputFile output = OutputFile.Open(null, terminal);
        JsonOutput json = new(output.Stream);
        float[][][] guesses = RerankProbeFit.Fit(tables).Guesses;
        for (int stop = 0; stop < guesses.Length; stop++)
        {
            json.Line(null, writer =>
            {
                writer.WriteNumber("exit", tables[0].Stops[stop]);
                if (tables[0].HasHead(stop))
                {
                    (double top1, double top5, double overlap) = RerankEvaluation.ExitAgreement(tables, stop);
                    writer.WriteNumber("same_top_1", Math.Round(top1, 4));
                    writer.WriteNumber("same_top_5", Math.Round(top5, 4));
                    writer.WriteNumber("overlap_5", Math.Round(overlap, 4));
                }

                writer.WriteNumber("probe_same_top_5", Math.Round(RerankEvaluation.GuessAgreement(tables, guesses[stop]), 4));
            });
        }

        foreach ((double loss, double cost, double same5, double same1) in RerankEvaluation.ProgressiveCurve(tables, [0, 0.02, 0.05, 0.1, 0.2]))
        {
            json.Line(null, writer =>
            {
                writer.WriteNumber("loss", loss);
                writer.WriteNumber("cost", Math.Round(cost, 4));
                writer.WriteNumber("same_top_5", Math.Round(same5, 4));
                writer.WriteNumber("same_top_1", Math.Round(same1, 4));
            });
        }

        json.Line(null, writer =>
        {
            writer.WriteNumber("queries", calibration.Queries);
            writer.WriteNumber("top", calibration.Top);
            writer.WriteNumber("same_top", Math.Round(calibration.SameTop, 4));
            writer.WriteNumber("cost", Math.Round(calibration.Cost, 4));
            if (calibration is { Blend: float blend, Ndcg: (double first, double rerank, double blended) })
            {
                writer.WriteNumber("blend", blend);
                writer.WriteNumber("ndcg_first", Math.Round(first, 4));
                writer.WriteNumber("ndcg_rerank", Math.Round(rerank, 4));
                writer.WriteNumber("ndcg_blend", Math.Round(blended, 4));
            }

            writer.WriteString("recommendation", calibration.Recommendation);
        });
        output.Complete();
    }
}
