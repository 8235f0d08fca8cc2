namespace SkMmBert.Tests;

/// <summary>A reranker whose scores a test computes.</summary>
internal sealed class FakeReranker(Func<string, string, float> score) : Reranker
{
    public int Calls { get; private set; }

    public override Task<float[]> ScoreAsync(string query, IReadOnlyList<string> texts, CancellationToken cancellationToken = default)
    {
        Calls++;
        return Task.FromResult<float[]>([.. texts.Select(text => score(query, text))]);
    }
}
