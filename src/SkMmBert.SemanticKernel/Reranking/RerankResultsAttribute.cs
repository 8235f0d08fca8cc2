namespace SkMmBert;

/// <summary>Marks a kernel function as a search whose results <see cref="MmBertRerankingFilter"/> puts in a better order.</summary>
/// <example><code>
/// [KernelFunction, RerankResults(QueryArgument = "topic")]
/// public Task&lt;List&lt;string&gt;&gt; FindNotesAsync(string topic, int count = 5) => ...
/// </code></example>
[AttributeUsage(AttributeTargets.Method)]
public sealed class RerankResultsAttribute : Attribute
{
    /// <summary>The argument that holds the question.</summary>
    /// <value>The default is <see langword="null"/>: the first of <see cref="RerankingFilterOptions.QueryArguments"/> that the function has.</value>
    public string? QueryArgument { get; set; }

    /// <summary>The argument that says how many results are wanted.</summary>
    /// <value>The default is <see langword="null"/>: the first of <see cref="RerankingFilterOptions.CountArguments"/> that the function has.</value>
    public string? CountArgument { get; set; }
}
