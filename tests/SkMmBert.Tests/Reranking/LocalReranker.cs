namespace SkMmBert.Tests;

internal interface IReranker { Task<IReadOnlyList<float>> RankAsync(string query, IReadOnlyList<string> texts, CancellationToken stop); }

internal sealed class LocalReranker(Reranker reranker) : IReranker
{
    public async Task<IReadOnlyList<float>> RankAsync(string query, IReadOnlyList<string> texts, CancellationToken stop) => await reranker.ScoreAsync(query, texts, stop);
}
