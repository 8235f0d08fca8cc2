using System.Globalization;

namespace SkMmBert.Benchmarks.Memory;

/// <summary>Fits the model of when there is an answer, and says what it does on sets that were left out of the fit.</summary>
internal static class AnswerBenchmark
{
    private const int SmallStore = 12;

    private sealed record Asked(string Set, bool Small, AnswerExample Example);

    public static async Task<int> RunAsync(string[] arguments)
    {
        if (arguments.Length < 1)
        {
            Console.Error.WriteLine("Found no folder; expected: memory-answers DATA-FOLDER [QUESTIONS-A-SET] [ITEMS-A-SET], where the folder holds retrieval sets.");
            return 2;
        }

        int questions = arguments.Length > 1 ? int.Parse(arguments[1]) : 150, items = arguments.Length > 2 ? int.Parse(arguments[2]) : 1_500;
        using MmBertModel model = MmBertModel.Open(Path.Combine("models", "mini-embed"));
        MmBertEmbeddingGenerator generator = new(model);
        ReadOnlyMemory<float>[] probes = [.. (await generator.GenerateAsync(MemoryProbes.Texts)).Select(embedding => embedding.Vector)];
        List<Asked> asked = [];
        foreach (EvaluationSet set in EvaluationSet.Load(arguments[0]))
        {
            await AskAsync(generator, probes, Part(set, questions, items), asked);
            Console.Error.WriteLine($"{set.Name}: {asked.Count(one => one.Set == set.Name)} examples");
        }

        foreach (string left in asked.Select(one => one.Set.Split('/')[0]).Distinct())
        {
            AnswerModel fitted = Fit(asked.Where(one => one.Set.Split('/')[0] != left));
            foreach (string set in asked.Select(one => one.Set).Distinct().Where(set => set.Split('/')[0] == left))
            {
                foreach (bool small in new[] { false, true })
                {
                    Asked[] of = [.. asked.Where(one => one.Set == set && one.Small == small)];
                    Console.WriteLine($"{set,-20} {(small ? "small" : "whole"),-6} answered {of.Count(one => one.Example.Answers),4}   false evidence at 95 %: weight alone {False(of, example => example.Weight):F3}, fitted without it {False(of, fitted):F3}, as shipped {False(of, AnswerModel.Both):F3}");
                }
            }
        }

        AnswerModel all = Fit(asked);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"fitted on all: {all.Weight:F3}f, {all.Agreement:F3}f, {all.Coverage:F3}f, {all.OtherCoverage:F3}f, {all.Offset:F3}f"));
        float[] sure = [.. asked.Where(one => one.Example.Answers).Select(one => all.Sureness(one.Example.Weight, one.Example.Signs)).Order()];
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"95 % of the answers are surer than {sure[sure.Length / 20]:F3}, 90 % than {sure[sure.Length / 10]:F3}"));
        return 0;
    }

    private static async Task AskAsync(MmBertEmbeddingGenerator generator, ReadOnlyMemory<float>[] probes, EvaluationSet set, List<Asked> asked)
    {
        ReadOnlyMemory<float>[] vectors = [.. (await generator.GenerateAsync(set.Items.Select(item => item.Text))).Select(embedding => embedding.Vector)];
        MemoryItem[] all = [.. set.Items.Select((item, i) => item with { Vector = vectors[i], Scope = MemoryScope.Shared, Time = DateTimeOffset.UnixEpoch })];
        Dictionary<string, string> conversations = all.ToDictionary(item => item.Id, item => item.Metadata.GetValueOrDefault(EvaluationSet.Conversation, item.Id));
        Random random = new(1);
        (InMemoryStore whole, MemoryBackground background) = await StoreAsync(all, probes);
        foreach (EvaluationQuestion question in set.Questions)
        {
            HashSet<string> gone = [.. question.Relevant.Keys.Where(conversations.ContainsKey).Select(id => conversations[id])];
            MemorySearch search = new() { Vector = (await generator.GenerateAsync([question.Text]))[0].Vector, Text = question.Text, Scopes = [MemoryScope.Shared], Take = 100 };
            MemorySearchResult found = await whole.SearchAsync(search);
            Add(false, true, MemoryFusion.Weigh(question.Text, search.Vector, found, background));
            Add(false, false, MemoryFusion.Weigh(question.Text, search.Vector, found with { Candidates = [.. found.Candidates.Where(candidate => !gone.Contains(conversations[candidate.Item.Id]))] }, background));

            // The same with a dozen items: a memory that has just begun.
            MemoryItem[] others = [.. Enumerable.Range(0, SmallStore).Select(_ => all[random.Next(all.Length)]).Where(item => !gone.Contains(conversations[item.Id])).DistinctBy(item => item.Id)];
            foreach (bool present in new[] { true, false })
            {
                (InMemoryStore store, MemoryBackground few) = await StoreAsync(present ? [.. others, .. all.Where(item => question.Relevant.ContainsKey(item.Id)).Take(3)] : others, probes);
                using (store)
                {
                    Add(true, present, MemoryFusion.Weigh(question.Text, search.Vector, await store.SearchAsync(search), few));
                }
            }

            void Add(bool small, bool present, (List<FusedCandidate> Candidates, AnswerSigns Signs) weighed)
            {
                int at = present ? weighed.Candidates.Take(5).ToList().FindIndex(candidate => question.Relevant.ContainsKey(candidate.Candidate.Item.Id)) : Math.Min(0, weighed.Candidates.Count - 1);
                if (at >= 0)
                {
                    asked.Add(new Asked(set.Name, small, new AnswerExample(weighed.Candidates[at].Score, weighed.Signs, present, 1)));
                }
            }
        }

        whole.Dispose();
    }

    private static async Task<(InMemoryStore, MemoryBackground)> StoreAsync(MemoryItem[] items, ReadOnlyMemory<float>[] probes)
    {
        InMemoryStore store = new();
        await store.BindAsync(new MemoryModel("mini", "mini", [64, 128, 256]));
        await store.AddAsync(items);
        return (store, MemoryBackground.Of(await store.SampleAsync(512), probes, items.Length));
    }

    // Each set counts the same, and in it large stores as much as small ones and answers as much as none.
    private static AnswerModel Fit(IEnumerable<Asked> asked) => AnswerModel.Fit([.. asked.GroupBy(one => (one.Set, one.Small, one.Example.Answers)).SelectMany(group => group.Select(one => one.Example with { Importance = 1.0 / group.Count() }))]);

    private static double False(Asked[] asked, AnswerModel model) => False(asked, example => model.Sureness(example.Weight, example.Signs));

    private static double False(Asked[] asked, Func<AnswerExample, float> score)
    {
        float[] answers = [.. asked.Where(one => one.Example.Answers).Select(one => score(one.Example)).Order()], nothing = [.. asked.Where(one => !one.Example.Answers).Select(one => score(one.Example))];
        return answers.Length == 0 || nothing.Length == 0 ? 0 : (double)nothing.Count(value => value >= answers[answers.Length / 20]) / nothing.Length;
    }

    private static EvaluationSet Part(EvaluationSet set, int questions, int items)
    {
        HashSet<string> kept = [.. set.Items.Take(items).Select(item => item.Id)];
        EvaluationQuestion[] answered = [.. set.Questions.Where(question => question.Relevant.Keys.Any(kept.Contains))];
        int step = Math.Max(1, answered.Length / questions);
        return set with { Items = [.. set.Items.Take(items)], Questions = [.. answered.Where((_, i) => i % step == 0)] };
    }
}
