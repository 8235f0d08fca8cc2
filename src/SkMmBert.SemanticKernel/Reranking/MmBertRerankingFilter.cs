using System.Reflection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.SemanticKernel;
using Microsoft.SemanticKernel.Data;

namespace SkMmBert;

/// <summary>Puts the results of a kernel's search functions in a better order with a cross-encoder.</summary>
/// <remarks>
/// <para>A chosen function is asked for more results than wanted (its count argument is raised, its skip argument set to 0), they are scored
/// together with the question, sorted, and cut to the page that was wanted; the caller's arguments are as before. Reordered are
/// <c>KernelSearchResults&lt;T&gt;</c>, lists and sequences of texts, <see cref="TextSearchResult"/>, <c>VectorSearchResult&lt;T&gt;</c> or records, and JSON
/// arrays, also as text or as the one array of an object. A list that is declared as something else than a list or an array is left alone.</para>
/// <para>Fails open: when scoring fails, the first order stays, cut as wanted, with a warning in the log. When the answer has a form that cannot
/// be cut, or the search refuses the raised count, the function is called once more with the caller's arguments. Streaming calls pass through.</para>
/// <para>Costs one scoring of up to <see cref="RerankingFilterOptions.MaximumFetch"/> texts for each call. Thread-safe. Does not dispose the reranker.</para>
/// </remarks>
/// <example><code>
/// kernel.FunctionInvocationFilters.Add(new MmBertRerankingFilter(reranker, new() { Functions = function => function.PluginName == "notes" }));
/// // or, with the model of the container: builder.AddMmBertRerankingFilter()
/// </code></example>
public sealed partial class MmBertRerankingFilter : IFunctionInvocationFilter
{
    private readonly Reranker _reranker;
    private readonly RerankingFilterOptions _options;
    private readonly ILogger _logger;

    /// <summary>Makes a filter.</summary>
    /// <param name="reranker">Scores results; stays the caller's.</param>
    /// <param name="options">Which functions, and how; <see langword="null"/> for the defaults.</param>
    /// <param name="loggerFactory">Where warnings go; <see langword="null"/> for nowhere.</param>
    public MmBertRerankingFilter(Reranker reranker, RerankingFilterOptions? options = null, ILoggerFactory? loggerFactory = null)
    {
        ArgumentNullException.ThrowIfNull(reranker);
        _reranker = reranker;
        _options = options ?? new();
        _options.Validate();
        _logger = loggerFactory?.CreateLogger("SkMmBert.SemanticKernel") ?? NullLogger.Instance;
    }

    /// <inheritdoc/>
    public async Task OnFunctionInvocationAsync(FunctionInvocationContext context, Func<FunctionInvocationContext, Task> next)
    {
        ArgumentNullException.ThrowIfNull(context);
        ArgumentNullException.ThrowIfNull(next);
        SearchCall? call = context.IsStreaming || !IsSearch(context.Function) ? null : new SearchCall(context, _options);
        if (string.IsNullOrWhiteSpace(call?.Query))
        {
            await next(context).ConfigureAwait(false);
            return;
        }

        (SearchAnswer? answer, bool raised) = await FetchAsync(context, next, call).ConfigureAwait(false);
        int from = raised ? call.Skip : 0;
        if (answer is not null && (answer.Count > 1 || from > 0))
        {
            int to = call.Wanted is int wanted ? (int)Math.Min(answer.Count, (long)from + wanted) : answer.Count;
            IReadOnlyList<int> order = await OrderAsync(context, call.Query, answer, to).ConfigureAwait(false);
            context.Result = new FunctionResult(context.Result, answer.Take([.. order.Skip(from)]));
        }
    }

    private bool IsSearch(KernelFunction function) =>
        function.UnderlyingMethod?.IsDefined(typeof(RerankResultsAttribute)) == true ||
        (_options.Functions is { } chosen ? chosen(function) : SearchAnswers.DeclaredResult(function) is { IsGenericType: true } type && type.GetGenericTypeDefinition() == typeof(KernelSearchResults<>));

    // The answer, and whether it is that to the raised call; null where it has a form that is left alone.
    private async Task<(SearchAnswer? Answer, bool Raised)> FetchAsync(FunctionInvocationContext context, Func<FunctionInvocationContext, Task> next, SearchCall call)
    {
        call.Raise(_options.Fetch);
        if (call.IsRaised)
        {
            try
            {
                await next(context).ConfigureAwait(false);
                if (await SearchAnswers.ReadAsync(context.Result, _options.Text, context.CancellationToken).ConfigureAwait(false) is { } answer)
                {
                    return (answer, true);
                }
            }
            catch (Exception error) when (!context.CancellationToken.IsCancellationRequested)
            {
                Refused(_logger, context.Function.Name, error.Message);
            }
            finally
            {
                call.Restore();
            }
        }

        await next(context).ConfigureAwait(false);
        try
        {
            return (await SearchAnswers.ReadAsync(context.Result, _options.Text, context.CancellationToken).ConfigureAwait(false), false);
        }
        catch (Exception error) when (!context.CancellationToken.IsCancellationRequested)
        {
            // Results that are read late failed while they were read: the caller reads them for itself.
            Failed(_logger, context.Function.Name, error.Message);
            await next(context).ConfigureAwait(false);
            return (null, false);
        }
    }

    private async Task<IReadOnlyList<int>> OrderAsync(FunctionInvocationContext context, string query, SearchAnswer answer, int top)
    {
        try
        {
            RerankOptions options = (_options.Rerank ?? _reranker.Options) with { Top = top, FailOpen = false };
            IReadOnlyList<RankedItem<int>> ranked = await _reranker.RerankAsync(
                query, [.. Enumerable.Range(0, answer.Count)], answer.Text, null, options, context.CancellationToken).ConfigureAwait(false);
            return [.. ranked.Select(item => item.Index)];
        }
        catch (Exception error) when (!context.CancellationToken.IsCancellationRequested)
        {
            Failed(_logger, context.Function.Name, error.Message);
            return [.. Enumerable.Range(0, top)];
        }
    }

    [LoggerMessage(1, LogLevel.Warning, "The results of {Function} stay in their first order, because scoring them failed: {Reason}")]
    private static partial void Failed(ILogger logger, string function, string reason);

    [LoggerMessage(2, LogLevel.Warning, "The search {Function} is called again without more results than wanted, because that failed: {Reason}")]
    private static partial void Refused(ILogger logger, string function, string reason);
}
