using Microsoft.Extensions.Options;

namespace SkMmBert;

/// <summary>One <c>AddMmBert</c> among the services.</summary>
/// <param name="key">Its key; <see langword="null"/> for the one without.</param>
internal sealed class MmBertRegistration(string? key)
{
    public string? Key => key;

    public string OptionsName => key ?? Options.DefaultName;

    /// <summary>Whether a reranker was added.</summary>
    public bool Reranks { get; set; }

    /// <summary>What a warm-up does, in this order.</summary>
    public List<Func<IServiceProvider, CancellationToken, Task>> WarmUpSteps { get; } = [];
}
