using System.Diagnostics;
using SkMmBert.Benchmarks.Layers;
using SkMmBert.Cli;

namespace SkMmBert.Benchmarks.Routing;

/// <summary>Times whole decisions, the question's vector included, on the questions of each set as they are, beside the part that is the vector alone.</summary>
/// <remarks>By the clock each question counts with the least of its rounds, by the processor each round as a whole; one question at a time.</remarks>
internal static class RoutingCalls
{
    private const int Rounds = 5, Questions = 100;

    public static async Task<int> RunAsync(string[] arguments)
    {
        RoutingSet[] sets = [.. RoutingSet.All(arguments.FirstOrDefault() ?? ".").Where(set => arguments.Length < 2 || arguments[1..].Any(set.Name.Contains)).Select(set => set.Take(Questions)).Where(set => set.Queries.Count > 0)];
        Console.WriteLine($"{Environment.ProcessorCount} processors, load average {Cpu.Load()}; ms; (c): processor time a call");
        Console.WriteLine("| set | tools | precision | tokens | texts | call p50 | call (c) | vector p50 | vector (c) |\n|---|--:|---|--:|--:|--:|--:|--:|--:|");
        foreach (ModelPrecision precision in (ModelPrecision[])[ModelPrecision.Fp32, ModelPrecision.Int8])
        {
            using MmBertModel model = MmBertModel.Open(BenchmarkPaths.MiniEmbed, new() { Precision = precision });
            MmBertEmbeddingGenerator embedder = new(model);
            foreach (RoutingSet set in sets)
            {
                ToolRouter router = new(embedder, set.Tools);
                await router.IndexAsync();
                string[] questions = [.. set.Queries.Select(query => query.Text)];
                string[][] texts = [.. questions.Select(question => (string[])[ToolQuery.Cut(question), .. ToolQuery.Sentences(ToolQuery.Cut(question))])];
                double tokens = questions.Average(question => (double)model.Tokenizer.CountTokens(question));
                double[][] times = await AlternateAsync(questions.Length, i => router.RouteAsync(questions[i]), i => embedder.GenerateAsync(texts[i]));
                Console.WriteLine($"| {set.Name} | {set.Tools.Count:N0} | {precision} | {tokens:f1} | {texts.Average(parts => parts.Length):f2} | {times[0][0]:f2} | {times[0][1]:f2} | {times[1][0]:f2} | {times[1][1]:f2} |");
            }
        }

        return 0;
    }

    // Of each action: the median of the questions' least times by the clock, and the least round's processor time a question.
    private static async Task<double[][]> AlternateAsync(int questions, params Func<int, Task>[] actions)
    {
        double[][] clock = [.. actions.Select(_ => Enumerable.Repeat(double.MaxValue, questions).ToArray())];
        double[] processor = [.. actions.Select(_ => double.MaxValue)];
        using Process process = Process.GetCurrentProcess();
        for (int round = 0; round <= Rounds; round++)   // the first warms up
        {
            for (int action = 0; action < actions.Length; action++)
            {
                process.Refresh();
                TimeSpan before = process.TotalProcessorTime;
                for (int i = 0; i < questions; i++)
                {
                    long started = Stopwatch.GetTimestamp();
                    await actions[action](i);
                    clock[action][i] = round == 0 ? double.MaxValue : Math.Min(clock[action][i], Stopwatch.GetElapsedTime(started).TotalMilliseconds);
                }

                process.Refresh();
                processor[action] = round == 0 ? double.MaxValue : Math.Min(processor[action], (process.TotalProcessorTime - before).TotalMilliseconds / questions);
            }
        }

        return [.. actions.Select((_, action) => (double[])[clock[action].Order().ElementAt(questions / 2), processor[action]])];
    }
}
