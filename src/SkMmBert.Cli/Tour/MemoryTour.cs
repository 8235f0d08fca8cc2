using System.Diagnostics;

namespace SkMmBert.Cli;

/// <summary>The memory part of the demo: what an agent was told, questions about it, the stages that found each answer, and its order by the cross-encoder.</summary>
internal sealed class MemoryTour
{
    private static readonly (string Text, string Source)[] Told =
    [
        ("Ada prefers trains to planes.", "chat/17"), ("The offsite is in Lisbon from the 4th to the 7th of May.", "mail/4"), ("Grace is allergic to peanuts.", "chat/21"),
        ("The production database moves to the new cluster on Friday night.", "ticket/903"), ("Linus wants the report as a spreadsheet, not as slides.", "chat/30"),
        ("The coffee machine on the third floor is broken.", "chat/31"), ("Our contract with the hosting company ends in September.", "mail/9"), ("Der Drucker im zweiten Stock druckt nur noch grün.", "chat/40"),
    ];

    private static readonly string[] Questions = ["Who is allergic to peanuts?", "When does the hosting contract end?", "Welcher Drucker druckt nur noch grün?", "Explain quantum entanglement!"];

    private MemoryTour(double write, IReadOnlyList<Turn> turns) => (WriteMilliseconds, Turns) = (write, turns);

    public static int Items => Told.Length;

    public double WriteMilliseconds { get; }

    public IReadOnlyList<Turn> Turns { get; }

    public static async Task<MemoryTour> TakeAsync(MmBertEmbeddingGenerator embedder, MmBertReranker reranker, CancellationToken cancellationToken)
    {
        using InMemoryStore store = new();
        AgentMemory memory = new(embedder, store);
        long started = Stopwatch.GetTimestamp();
        foreach ((string text, string source) in Told)
        {
            await memory.RememberAsync(text, source: source, cancellationToken: cancellationToken);
        }

        double write = Stopwatch.GetElapsedTime(started).TotalMilliseconds;
        List<Turn> turns = [];
        foreach (string question in Questions)
        {
            started = Stopwatch.GetTimestamp();
            IReadOnlyList<Evidence> found = await memory.RecallAsync(question, new() { Top = 3 }, cancellationToken);
            double recall = Stopwatch.GetElapsedTime(started).TotalMilliseconds;
            started = Stopwatch.GetTimestamp();
            float[] scores = await reranker.ScoreAsync(question, [.. found.Select(evidence => evidence.Text)], cancellationToken);
            turns.Add(new(question, found, scores, recall, Stopwatch.GetElapsedTime(started).TotalMilliseconds));
        }

        return new(write, turns);
    }

    /// <summary>One question and the evidence for its answer.</summary>
    /// <param name="Question">The question.</param>
    /// <param name="Found">The evidence, best first; empty when nothing is relevant.</param>
    /// <param name="Scores">The cross-encoder's score of each.</param>
    /// <param name="RecallMilliseconds">Time of the search.</param>
    /// <param name="RerankMilliseconds">Time of the cross-encoder.</param>
    internal sealed record Turn(string Question, IReadOnlyList<Evidence> Found, float[] Scores, double RecallMilliseconds, double RerankMilliseconds);
}
