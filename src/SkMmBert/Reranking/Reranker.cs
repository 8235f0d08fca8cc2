namespace SkMmBert;

/// <summary>Scores texts against a query, so that candidates of a search can be put in a better order.</summary>
/// <remarks>Implementations are thread-safe. The verb that sorts is written once here; a model, a test fake or an app's own judge only scores.</remarks>
public abstract class Reranker : IDisposable
{
    /// <summary>Scores each text against the query. Higher is more relevant; scores are not bounded.</summary>
    /// <param name="query">The question or task.</param>
    /// <param name="texts">The candidates.</param>
    /// <param name="cancellationToken">Stops the work.</param>
    /// <returns>One score per text, in the order given.</returns>
    public abstract Task<float[]> ScoreAsync(string query, IReadOnlyList<string> texts, CancellationToken cancellationToken = default);

    /// <inheritdoc/>
    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Frees what the reranker owns.</summary>
    /// <param name="disposing">Whether called from <see cref="Dispose()"/>.</param>
    protected virtual void Dispose(bool disposing)
    {
    }
}
