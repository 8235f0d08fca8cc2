using System.Runtime.CompilerServices;

namespace SkMmBert;

/// <summary>Scores texts against a query, so that candidates of a search can be put in a better order.</summary>
/// <remarks>
/// <para>The verb that sorts is written once here; a model, a test fake or an app's own judge only scores: overriding
/// <see cref="ScoreAsync(string, IReadOnlyList{string}, CancellationToken)"/> is enough.</para>
/// <para>Implementations are thread-safe. Equal scores keep the order given.</para>
/// </remarks>
/// <example><code>
/// sealed class JudgeReranker(IChatClient judge) : Reranker
/// {
///     public override Task&lt;float[]&gt; ScoreAsync(string query, IReadOnlyList&lt;string&gt; texts, CancellationToken stop) => Ask(judge, query, texts, stop);
/// }
/// </code></example>
public abstract class Reranker : IDisposable
{
    /// <summary>What is used where a call gives no options.</summary>
    public virtual RerankOptions Options { get; } = new();

    /// <summary>Scores each text against the query. Higher is more relevant; scores are not bounded.</summary>
    /// <param name="query">The question or task.</param>
    /// <param name="texts">The candidates.</param>
    /// <param name="cancellationToken">Stops the work.</param>
    /// <returns>One score per text, in the order given.</returns>
    public abstract Task<float[]> ScoreAsync(string query, IReadOnlyList<string> texts, CancellationToken cancellationToken = default);

    /// <summary>Scores each text with the effort and limits of the options, best candidates first where time is short.</summary>
    /// <remarks>The base class has no layers and no limits: it calls <see cref="ScoreAsync(string, IReadOnlyList{string}, CancellationToken)"/>.</remarks>
    /// <param name="query">The question or task.</param>
    /// <param name="texts">The candidates, in first-stage order.</param>
    /// <param name="options">Effort and limits.</param>
    /// <param name="cancellationToken">Stops the work.</param>
    /// <returns>One result per text, in the order given.</returns>
    [OverloadResolutionPriority(1)] // so that new() { … } means the options
    public virtual async Task<RerankScore[]> ScoreAsync(string query, IReadOnlyList<string> texts, RerankOptions options, CancellationToken cancellationToken = default)
    {
        float[] scores = await ScoreAsync(query, texts, cancellationToken).ConfigureAwait(false);
        return scores.Length == texts.Count
            ? [.. scores.Select(score => new RerankScore(score, 1))]
            : throw new InvalidOperationException($"{GetType().Name} gave {scores.Length} scores for {texts.Count} texts. A reranker gives one score per text.");
    }

    /// <summary>Sorts evidence, best first, and adds a stage to each trail.</summary>
    /// <param name="query">The question or task.</param>
    /// <param name="candidates">Evidence in first-stage order.</param>
    /// <param name="options">Effort, limits, how many; <see langword="null"/> for <see cref="Options"/>.</param>
    /// <param name="cancellationToken">Stops the work.</param>
    [OverloadResolutionPriority(1)] // so that new() { … } means the options
    public async Task<IReadOnlyList<Evidence>> RerankAsync(string query, IReadOnlyList<Evidence> candidates, RerankOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(candidates);
        RerankOrder<Evidence> order = await OrderAsync(query, candidates, evidence => evidence.Text, evidence => evidence.Score, options, cancellationToken).ConfigureAwait(false);
        return RerankTrail.Extend(order);
    }

    /// <summary>Sorts texts, best first.</summary>
    /// <param name="query">The question or task.</param>
    /// <param name="texts">The candidates, in first-stage order if there is one.</param>
    /// <param name="options">Effort, limits, how many; <see langword="null"/> for <see cref="Options"/>.</param>
    /// <param name="cancellationToken">Stops the work.</param>
    [OverloadResolutionPriority(1)] // so that new() { … } means the options
    public Task<IReadOnlyList<RankedItem<string>>> RerankAsync(string query, IReadOnlyList<string> texts, RerankOptions? options = null, CancellationToken cancellationToken = default) =>
        RerankAsync(query, texts, text => text, null, options, cancellationToken);

    /// <summary>Sorts anything that has a text, best first.</summary>
    /// <typeparam name="T">What is sorted.</typeparam>
    /// <param name="query">The question or task.</param>
    /// <param name="items">The candidates, in first-stage order if there is one.</param>
    /// <param name="text">Reads the text of a candidate; called once for each.</param>
    /// <param name="firstScore">Reads the first stage's score, which a blend needs; <see langword="null"/> to let the place count.</param>
    /// <param name="options">Effort, limits, how many; <see langword="null"/> for <see cref="Options"/>.</param>
    /// <param name="cancellationToken">Stops the work.</param>
    public async Task<IReadOnlyList<RankedItem<T>>> RerankAsync<T>(
        string query, IReadOnlyList<T> items, Func<T, string> text, Func<T, float>? firstScore = null, RerankOptions? options = null, CancellationToken cancellationToken = default) =>
        (await OrderAsync(query, items, text, firstScore, options, cancellationToken).ConfigureAwait(false)).Items;

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

    private async Task<RerankOrder<T>> OrderAsync<T>(
        string query, IReadOnlyList<T> items, Func<T, string> text, Func<T, float>? firstScore, RerankOptions? options, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(query);
        ArgumentNullException.ThrowIfNull(items);
        ArgumentNullException.ThrowIfNull(text);
        options ??= Options;
        options.Validate();
        cancellationToken.ThrowIfCancellationRequested();
        float[] first = RerankBlend.FirstScores(items, firstScore);
        if (items.Count == 0 || (options.BlendWeight == 0 && options.MinimumScore is null))
        {
            // Where the first stage alone decides there is nothing to score.
            return new RerankOrder<T>(RerankBlend.Unchanged(items, first, firstScore is not null, options.Top), false, null, Off: true);
        }

        string[] texts = [.. items.Select(text)];
        try
        {
            RerankScore[] scores = await ScoreAsync(query, texts, options, cancellationToken).ConfigureAwait(false);
            return RerankBlend.Order(items, first, firstScore is not null, scores, options);
        }
        catch (Exception error) when (options.FailOpen && !cancellationToken.IsCancellationRequested)
        {
            return new RerankOrder<T>(RerankBlend.Unchanged(items, first, firstScore is not null, options.Top), false, error);
        }
    }
}
