namespace SkMmBert.SemanticKernel.Tests;

/// <summary>Scores a text by how many words of the query it holds; can be told to fail.</summary>
internal sealed class WordReranker : Reranker
{
    public int Calls { get; private set; }

    public Exception? Error { get; set; }

    public override Task<float[]> ScoreAsync(string query, IReadOnlyList<string> texts, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        Calls++;
        string[] words = query.ToLowerInvariant().Split(' ');
        return Error is { } error ? throw error : Task.FromResult(texts.Select(text => (float)words.Count(word => text.Contains(word, StringComparison.OrdinalIgnoreCase))).ToArray());
    }
}
