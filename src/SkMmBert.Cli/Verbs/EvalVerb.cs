using System.CommandLine;
using System.Diagnostics;

namespace SkMmBert.Cli;

/// <summary><c>eval</c>: quality on sets with known answers, with counts and times.</summary>
internal static class EvalVerb
{
    public static Command Create(Terminal terminal) => new("eval", "Measures quality on sets with known answers.")
    {
        Routing(terminal),
        Retrieval(terminal),
        Similarity(terminal),
        Translations(terminal),
        Memory(terminal),
        Funnel(terminal),
        RerankerCalibration.Create(terminal),
    };

    private static Command Routing(Terminal terminal)
    {
        EvalOptions options = new();
        return EvalRun.Verb("routing", "Tool sets: BM25, vectors, the router and the strategy that Microsoft.Extensions.AI removed; abstention on intents.", options, terminal, async (run, parsed, cancellationToken) =>
        {
            using Rerankers? rerankers = parsed.GetValue(options.Rerank) ? Rerankers.Open(options.Shared, parsed, new RerankOptions(), terminal) : null;
            RoutingSet[] sets = [.. RoutingSet.All(run.Folder).Where(set => set.Queries.Count > 0 && options.Wants(parsed, set.Name))];
            (string Name, string Validation, string Test)[] intents = [.. IntentEvaluation.Find(run.Folder).Where(pair => options.Wants(parsed, "abstention " + pair.Name))];
            if (sets.Length + intents.Length == 0)
            {
                run.None("tools.jsonl with queries.jsonl, or labelled utterances");
            }

            foreach ((int exit, int dims) in run.Exits.SelectMany(exit => run.Dims.Select(dims => (exit, dims))))
            {
                MmBertEmbeddingGenerator generator = run.Generator(exit, dims);
                List<EvalRow> ofTools = [];
                for (int i = 0; i < sets.Length; i++)
                {
                    (IReadOnlyList<RoutingEvaluation.Row> rows, RoutingEvaluation.Lists lists) = await RoutingEvaluation.RunAsync(sets[i].Take(run.Most), generator, rerankers?.Reranker, cancellationToken);
                    EvalRow[] made = [.. rows.Select(row => new EvalRow(row.Set, row.Strategy, exit, dims, ("ndcg@10", row.Metrics.Ndcg10), ("hit@1", row.Metrics.Hit1), ("hit@5", row.Metrics.Hit5),
                        ("recall@5", row.Metrics.Recall5), ("count", row.Metrics.Queries), ("milliseconds", row.Milliseconds)))];
                    EvalRow adaptive = new(lists.Set, "adaptive list", exit, dims, ("mean_length", lists.MeanLength), ("any", lists.Any), ("all", lists.All),
                        ("any_in_7", lists.FixedAny), ("all_in_7", lists.FixedAll), ("any_removed", lists.AnyAtEqualLength.Removed), ("any_bm25", lists.AnyAtEqualLength.Words), ("abstained", lists.Abstained), ("count", Math.Min(run.Most, sets[i].Queries.Count)));
                    Array.ForEach([.. made, adaptive], run.Output.Add);
                    ofTools.AddRange(sets[i].Tools.Any(tool => tool.Description is not null) ? made : []);
                    run.Progress.Report(i + 1, (i + 1.0) / sets.Length);
                }

                foreach (EvalRow mean in EvalRow.Means(ofTools, "mean of tool sets"))
                {
                    run.Output.Add(mean);
                }

                foreach ((string name, string validation, string test) in intents)
                {
                    await foreach (EvalRow row in IntentEvaluation.RunAsync(name, validation, test, generator, run.Most, exit, dims))
                    {
                        run.Output.Add(row);
                    }
                }
            }
        }, options.Rerank, options.Shared.RerankModel);
    }

    private static Command Retrieval(Terminal terminal)
    {
        EvalOptions options = new();
        return EvalRun.Verb("retrieval", "Texts and questions: words, each tier, the funnel, both fused, and reranked.", options, terminal, async (run, parsed, cancellationToken) =>
        {
            using Rerankers? rerankers = parsed.GetValue(options.Rerank) ? Rerankers.Open(options.Shared, parsed, new RerankOptions(), terminal) : null;
            EvaluationSet[] sets = Sets(run, options, parsed);
            foreach ((int exit, int dims) in run.Exits.SelectMany(exit => run.Dims.Select(dims => (exit, dims))))
            {
                List<EvalRow> rows = [];
                for (int i = 0; i < sets.Length; i++)
                {
                    await RetrieveAsync(run, sets[i], run.Generator(exit, dims), rerankers?.Reranker, exit, dims, rows, cancellationToken);
                    run.Progress.Report(i + 1, (i + 1.0) / sets.Length);
                }

                foreach (EvalRow mean in EvalRow.Means(rows))
                {
                    run.Output.Add(mean);
                }
            }
        }, options.Rerank, options.Shared.RerankModel);
    }

    private static Command Memory(Terminal terminal)
    {
        EvalOptions options = new();
        return EvalRun.Verb("memory", "Conversations and questions: is the answer found, and is nothing said where there is none?", options, terminal, async (run, parsed, cancellationToken) =>
        {
            using Rerankers? rerankers = parsed.GetValue(options.Rerank) ? Rerankers.Open(options.Shared, parsed, new RerankOptions(), terminal) : null;
            EvaluationSet[] sets = [.. Sets(run, options, parsed).Where(set => set.Items.Any(item => item.Metadata.ContainsKey(EvaluationSet.Conversation)))];
            if (sets.Length == 0)
            {
                run.None("turns.jsonl with questions.jsonl");
            }

            foreach ((int exit, int dims) in run.Exits.SelectMany(exit => run.Dims.Select(dims => (exit, dims))))
            {
                foreach (EvaluationSet set in sets)
                {
                    MmBertEmbeddingGenerator generator = run.Generator(exit, dims);
                    await RetrieveAsync(run, set, generator, rerankers?.Reranker, exit, dims, [], cancellationToken);
                    long started = Stopwatch.GetTimestamp();
                    AnswerQuality answers = await MemoryEvaluation.AnswersAsync(generator, set, null, cancellationToken);
                    run.Output.Add(new EvalRow(set.Name, "nothing", exit, dims, ("found@5", answers.Found5), ("floor", answers.Floor95), ("false_evidence", answers.FalseEvidence95),
                        ("kept_at_default", answers.KeptAtDefault), ("false_at_default", answers.FalseAtDefault), ("count", answers.Questions), ("seconds", EvalRun.Seconds(started))));
                }
            }
        }, options.Rerank, options.Shared.RerankModel);
    }

    private static Command Funnel(Terminal terminal)
    {
        EvalOptions options = new();
        return EvalRun.Verb("funnel", "Texts and questions: what each stage of a memory keeps of the exact first ten, at each width.", options, terminal, async (run, parsed, cancellationToken) =>
        {
            EvaluationSet[] sets = Sets(run, options, parsed);
            foreach ((int exit, int dims) in run.Exits.SelectMany(exit => run.Dims.Select(dims => (exit, dims))))
            {
                for (int i = 0; i < sets.Length; i++)
                {
                    (await FunnelEvaluation.RunAsync(run.Generator(exit, dims), sets[i], exit, dims, cancellationToken)).ForEach(run.Output.Add);
                    run.Progress.Report(i + 1, (i + 1.0) / sets.Length);
                }
            }
        });
    }

    private static Command Similarity(Terminal terminal)
    {
        EvalOptions options = new();
        return EvalRun.Verb("sts", "Graded similarity: Spearman's rank correlation.", options, terminal, (run, parsed, cancellationToken) =>
            PairsAsync(run, [.. PairSet.Similarity(run.Folder).Where(set => options.Wants(parsed, set.Name))], "TSV with the header score, sentence1, sentence2",
                (set, a, b, dims) => [("spearman", PairEvaluation.Spearman(set, a, b, dims))], cancellationToken));
    }

    private static Command Translations(Terminal terminal)
    {
        EvalOptions options = new();
        return EvalRun.Verb("bitext", "Translations: is the nearest text of the other language the right one?", options, terminal, (run, parsed, cancellationToken) =>
            PairsAsync(run, [.. PairSet.Translations(run.Folder).Where(set => options.Wants(parsed, set.Name))], "TSV of two columns without a header",
                (set, a, b, dims) =>
                {
                    double forth = PairEvaluation.Accuracy([.. set.Pairs.Select(pair => pair.B)], a, b, dims), back = PairEvaluation.Accuracy([.. set.Pairs.Select(pair => pair.A)], b, a, dims);
                    return [("accuracy", (forth + back) / 2), ("forth", forth), ("back", back)];
                }, cancellationToken));
    }

    private static async Task PairsAsync(EvalRun run, PairSet[] sets, string expected, Func<PairSet, float[][], float[][], int, (string, double)[]> measure, CancellationToken cancellationToken)
    {
        if (sets.Length == 0)
        {
            run.None(expected);
        }

        List<EvalRow> rows = [];
        foreach (int exit in run.Exits)
        {
            MmBertEmbeddingGenerator generator = run.Generator(exit, null);
            for (int i = 0; i < sets.Length; i++)
            {
                PairSet set = sets[i] with { Pairs = EvalOptions.Take(sets[i].Pairs, run.Most) };
                long started = Stopwatch.GetTimestamp();
                (float[][] a, float[][] b) = await PairEvaluation.EmbedAsync(generator, set, cancellationToken);
                double seconds = EvalRun.Seconds(started); // of the vectors, which all lengths share
                foreach (int dims in run.Dims)
                {
                    rows.Add(new EvalRow(set.Name, null, exit, dims, [.. measure(set, a, b, dims), ("count", set.Pairs.Count), ("seconds", seconds)]));
                    run.Output.Add(rows[^1]);
                }

                run.Progress.Report(i + 1, (i + 1.0) / sets.Length);
            }
        }

        foreach (EvalRow mean in EvalRow.Means(rows))
        {
            run.Output.Add(mean);
        }
    }

    /// <summary>The retrieval sets asked for, with as many questions as asked for.</summary>
    public static EvaluationSet[] Sets(EvalRun run, EvalOptions options, ParseResult parsed) =>
        [.. EvaluationSet.Load(run.Folder).Where(set => options.Wants(parsed, set.Name)).Select(set => set with { Questions = EvalOptions.Take(set.Questions, run.Most) })];

    private static async Task RetrieveAsync(EvalRun run, EvaluationSet set, MmBertEmbeddingGenerator generator, Reranker? reranker, int exit, int dims, List<EvalRow> rows, CancellationToken cancellationToken)
    {
        await foreach (RetrievalQuality quality in MemoryEvaluation.RetrievalAsync(generator, reranker, set, null, cancellationToken))
        {
            rows.Add(new EvalRow(quality.Set, quality.Search, exit, dims, ("ndcg@10", quality.Ndcg10), ("recall@10", quality.Recall10), ("mrr@10", quality.Mrr10), ("hit@1", quality.Hit1), ("hit@5", quality.Hit5),
                ("count", quality.Questions), ("milliseconds", quality.Milliseconds)));
            run.Output.Add(rows[^1]);
        }
    }
}
