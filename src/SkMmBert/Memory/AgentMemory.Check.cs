using System.Globalization;

namespace SkMmBert;

public sealed partial class AgentMemory
{
    private const int Tenth = 10;

    /// <summary>Measures the funnel against an exact scan on the store's own items, and looks for damage.</summary>
    /// <remarks>The questions are parts of stored texts, each asked in the scope of its text. Costs an exact scan of the store for each.</remarks>
    /// <param name="questions">How many questions to ask.</param>
    /// <param name="progress">Told how much is done, from 0 to 1.</param>
    /// <param name="cancellationToken">Stops the work.</param>
    public async Task<MemoryCheck> CheckAsync(int questions = 100, IProgress<double>? progress = null, CancellationToken cancellationToken = default)
    {
        await PrepareAsync(false, cancellationToken).ConfigureAwait(false);
        IReadOnlyList<string> problems = await _store.FindProblemsAsync(cancellationToken).ConfigureAwait(false);
        int items = await _store.CountAsync(MemoryFilter.All, cancellationToken).ConfigureAwait(false);
        IReadOnlyList<MemoryItem> sample = await _store.SampleAsync(questions, null, cancellationToken).ConfigureAwait(false);
        IReadOnlyList<ReadOnlyMemory<float>> vectors = sample.Count == 0 ? [] : await EmbedAsync([.. sample.Select(item => MiddleHalf(item.Text))], cancellationToken).ConfigureAwait(false);
        List<double> funnelTimes = [], exactTimes = [];
        Dictionary<string, long> widths = [];
        int wanted = 0, kept = 0;
        for (int i = 0; i < sample.Count; i++)
        {
            MemorySearch search = new() { Vector = vectors[i], Scopes = sample[i].Scope!.Visible(), Take = Tenth };
            MemorySearchResult exact = await TimedAsync(search with { Exact = true }, exactTimes, cancellationToken).ConfigureAwait(false);
            MemorySearchResult funnel = await TimedAsync(search, funnelTimes, cancellationToken).ConfigureAwait(false);
            foreach (StageWidth width in funnel.Widths)
            {
                widths[width.Stage] = widths.GetValueOrDefault(width.Stage) + width.Items;
            }

            // Equal scores may come in any order: as good as the tenth is as good as any.
            float tenth = exact.Candidates.Select(Match).DefaultIfEmpty(0).Min();
            wanted += exact.Candidates.Count;
            kept += Math.Min(exact.Candidates.Count, funnel.Candidates.Count(candidate => Match(candidate) >= tenth - 1e-5f));
            progress?.Report((i + 1.0) / sample.Count);
        }

        return new MemoryCheck(
            items, sample.Count, wanted == 0 ? 1 : (double)kept / wanted, [.. widths.Select(pair => new StageWidth(pair.Key, (int)(pair.Value / sample.Count)))],
            Median(funnelTimes), Median(exactTimes), problems);
    }

    /// <summary>Finds the floor that keeps 95 % of the answers, and whether reranking helps. Hand the result to <see cref="MemoryOptions.Calibration"/>.</summary>
    /// <param name="questions">Questions of the kind that will be asked, with and without an answer in the store; <see langword="null"/> to make
    /// them from the store: parts of its texts as answerable ones, sentences about nothing in particular as the others.</param>
    /// <param name="cancellationToken">Stops the work.</param>
    public async Task<MemoryCalibration> CalibrateAsync(IReadOnlyList<MemoryQuestion>? questions = null, CancellationToken cancellationToken = default)
    {
        await PrepareAsync(true, cancellationToken).ConfigureAwait(false);
        bool own = questions is null;
        questions ??= await OwnQuestionsAsync(cancellationToken).ConfigureAwait(false);
        List<float> answers = [], nothing = [];
        double fusedRanks = 0, rerankedRanks = 0;
        int answerable = 0;
        foreach (MemoryQuestion question in questions)
        {
            RecallOptions recall = new() { Top = 20, Floor = 0, Scope = question.Scope, Rerank = false };
            IReadOnlyList<Evidence> fused = await RecallAsync(question.Text, recall, cancellationToken).ConfigureAwait(false);
            if (question.Answers.Count == 0)
            {
                nothing.Add(fused.Count == 0 ? 0 : fused[0].Score);
                continue;
            }

            answerable++;
            int rank = FirstAnswer(fused, question);
            if (rank >= 0)
            {
                answers.Add(fused[rank].Score);
                fusedRanks += 1.0 / (rank + 1);
            }

            if (_options.Reranker is { } reranker)
            {
                int reranked = FirstAnswer(await MemoryEvidence.RerankAsync(reranker, question.Text, [.. fused], recall.RerankTop, cancellationToken).ConfigureAwait(false), question);
                rerankedRanks += reranked < 0 ? 0 : 1.0 / (reranked + 1);
            }
        }

        answers.Sort();
        nothing.Sort();
        float keeping = answers.Count == 0 ? DefaultFloor : answers[answers.Count / 20];

        // Parts of texts are easier than questions: with those alone, the floor rises no higher than what keeps irrelevant sentences out.
        float floor = own && nothing.Count > 0 ? Math.Min(keeping, nothing[nothing.Count - 1 - (nothing.Count / 20)]) : keeping;
        return new MemoryCalibration(floor)
        {
            Found = answers.Count == 0 ? 0 : (double)answers.Count(score => score >= floor) / answers.Count,
            FalseEvidence = nothing.Count == 0 ? 0 : (double)nothing.Count(score => score >= floor) / nothing.Count,
            ReciprocalRank = answerable == 0 ? default : (fusedRanks / answerable, rerankedRanks / answerable),
            RerankHelps = _options.Reranker is null || answerable == 0 ? null : rerankedRanks > fusedRanks,
        };
    }

    private static int FirstAnswer(IReadOnlyList<Evidence> evidence, MemoryQuestion question)
    {
        for (int i = 0; i < evidence.Count; i++)
        {
            if (question.Answers.Contains(evidence[i].Id) || (evidence[i].Source is { } source && question.Answers.Contains(source)))
            {
                return i;
            }
        }

        return -1;
    }

    private async Task<IReadOnlyList<MemoryQuestion>> OwnQuestionsAsync(CancellationToken cancellationToken)
    {
        IReadOnlyList<MemoryItem> sample = await _store.SampleAsync(64, null, cancellationToken).ConfigureAwait(false);
        return [.. sample.Select(item => new MemoryQuestion(MiddleHalf(item.Text), [item.Id]) { Scope = item.Scope }), .. MemoryProbes.Texts.Select(text => new MemoryQuestion(text, []))];
    }

    // Like a question, a part of a text says only some of its words; cut between words where there are any, never within a character.
    private static string MiddleHalf(string text)
    {
        string[] words = text.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        if (words.Length >= 4)
        {
            return string.Join(' ', words.Skip(words.Length / 4).Take(Math.Min(words.Length / 2, 24)));
        }

        int[] characters = StringInfo.ParseCombiningCharacters(text);
        return characters.Length < 4 ? text : text[characters[characters.Length / 4]..characters[characters.Length * 3 / 4]];
    }

    private async Task<MemorySearchResult> TimedAsync(MemorySearch search, List<double> times, CancellationToken cancellationToken)
    {
        long start = _options.Time.GetTimestamp();
        MemorySearchResult found = await _store.SearchAsync(search, cancellationToken).ConfigureAwait(false);
        times.Add(_options.Time.GetElapsedTime(start).TotalMilliseconds);
        return found;
    }

    private static float Match(MemoryCandidate candidate) => candidate.Trail.First(stage => stage.Stage == "match").Score;

    private static double Median(List<double> times)
    {
        times.Sort();
        return times.Count == 0 ? 0 : times[times.Count / 2];
    }
}
