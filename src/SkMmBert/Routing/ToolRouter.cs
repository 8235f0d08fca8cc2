using System.Diagnostics;
using Microsoft.Extensions.AI;

namespace SkMmBert;

/// <summary>Chooses the few tools worth showing to a chat model for a given question, or none.</summary>
/// <remarks>
/// <para>Tool texts are embedded once, on first use, and kept under the hash of their content. Each decision embeds the question
/// (and its sentences, in the same call) and does one pass over the vectors and words of the catalogue: under a millisecond for 10,000 tools.</para>
/// <para>A router that fails passes all tools on and says so in <see cref="RoutingDecision.Error"/>.</para>
/// <para>Thread-safe. Disposes neither the generator nor the reranker it was given.</para>
/// </remarks>
/// <example><code>
/// ToolRouter router = new(embedder, tools);
/// RoutingDecision decision = await router.RouteAsync("Wie wird das Wetter in Bern?");
/// // decision.Tools[0].Name → get_weather; decision.Abstained → False
/// </code></example>
public sealed class ToolRouter
{
    private readonly IEmbeddingGenerator<string, Embedding<float>> _embedder;
    private readonly ToolIndexBuilder _indexes;
    private readonly ToolEntries _entries;
    private readonly ToolEntry[] _catalogue;

    /// <summary>Makes a router whose catalogue comes with each request.</summary>
    /// <param name="embedder">Any generator of vectors.</param>
    /// <param name="options">How tools are chosen; <see langword="null"/> for the defaults.</param>
    public ToolRouter(IEmbeddingGenerator<string, Embedding<float>> embedder, ToolRouterOptions? options = null)
        : this(embedder, new ToolEntries(), _ => [], options)
    {
    }

    /// <summary>Makes a router over a catalogue of tools.</summary>
    /// <param name="embedder">Any generator of vectors.</param>
    /// <param name="tools">The tools.</param>
    /// <param name="options">How tools are chosen; <see langword="null"/> for the defaults.</param>
    public ToolRouter(IEmbeddingGenerator<string, Embedding<float>> embedder, IEnumerable<AITool> tools, ToolRouterOptions? options = null)
        : this(embedder, new ToolEntries(), entries => entries.Of(tools), options)
    {
    }

    /// <summary>Makes a router over a catalogue of profiles.</summary>
    /// <param name="embedder">Any generator of vectors.</param>
    /// <param name="profiles">The profiles.</param>
    /// <param name="options">How tools are chosen; <see langword="null"/> for the defaults.</param>
    public ToolRouter(IEmbeddingGenerator<string, Embedding<float>> embedder, IEnumerable<ToolProfile> profiles, ToolRouterOptions? options = null)
        : this(embedder, new ToolEntries(), _ => ToolEntries.Of(profiles), options)
    {
    }

    private ToolRouter(IEmbeddingGenerator<string, Embedding<float>> embedder, ToolEntries entries, Func<ToolEntries, ToolEntry[]> catalogue, ToolRouterOptions? options)
    {
        ArgumentNullException.ThrowIfNull(embedder);
        Options = options ?? new();
        Options.Validate();
        _embedder = embedder;
        _entries = entries;
        _catalogue = catalogue(entries);
        _indexes = new ToolIndexBuilder(embedder, Options.RouteDimensions, Learned(embedder, Options));
        FindTools = new FindToolsFunction(this, null);
    }

    /// <summary>How tools are chosen.</summary>
    public ToolRouterOptions Options { get; }

    /// <summary>The catalogue given at construction, in its order.</summary>
    public IReadOnlyList<ToolProfile> Profiles => [.. _catalogue.Select(entry => entry.Profile)];

    /// <summary>A function named <c>find_tools</c> that lists tools of the catalogue for a query of the model.</summary>
    public AIFunction FindTools { get; }

    /// <summary>Every tool of the catalogue and <see cref="FindTools"/>: for <c>FunctionInvokingChatClient.AdditionalTools</c>, so that hidden tools stay callable.</summary>
    public IList<AITool> CallableTools => [.. _catalogue.Select(entry => entry.Profile.Tool).OfType<AITool>(), FindTools];

    private static LearnedTools? Learned(IEmbeddingGenerator<string, Embedding<float>> embedder, ToolRouterOptions options)
    {
        if (options.Calibration.Learned is { } learned && embedder.GetFingerprint() is var model && model != learned.Model)
        {
            throw new ArgumentException($"The calibration was learned with the model '{learned.Model}', but this router uses '{model}'. Fit it anew with this model.", nameof(options));
        }

        return options.Calibration.Learned;
    }

    internal ToolEntry[] Catalogue => _catalogue;

    /// <summary>Embeds the catalogue now instead of with the first question.</summary>
    /// <param name="cancellationToken">Stops between batches; what is embedded stays.</param>
    public async Task IndexAsync(CancellationToken cancellationToken = default) => await _indexes.GetAsync(_catalogue, cancellationToken).ConfigureAwait(false);

    /// <summary>Writes all tool vectors, with the name of their model, so that another process starts without embedding.</summary>
    /// <param name="stream">Where to; stays open.</param>
    public void SaveIndex(Stream stream)
    {
        ArgumentNullException.ThrowIfNull(stream);
        _indexes.Save(stream, Fingerprint);
    }

    /// <summary>Adds tool vectors that <see cref="SaveIndex"/> wrote.</summary>
    /// <param name="stream">Where from; stays open.</param>
    /// <exception cref="InvalidDataException">The vectors are another model's (both are named), or the data is broken.</exception>
    public void LoadIndex(Stream stream)
    {
        ArgumentNullException.ThrowIfNull(stream);
        _indexes.Load(stream, Fingerprint);
    }

    /// <summary>Chooses tools of the catalogue for a question.</summary>
    /// <param name="query">The question; an empty one fits no tool.</param>
    /// <param name="cancellationToken">Stops embedding.</param>
    public Task<RoutingDecision> RouteAsync(string query, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(query);
        return RouteAsync(_catalogue, [query], Options.Top, cancellationToken);
    }

    /// <summary>Chooses tools for the last user turn of a conversation.</summary>
    /// <remarks>Tools that were called, wait for approval or are named in the conversation stay; so does the one a <see cref="RequiredChatToolMode"/> asks for.</remarks>
    /// <param name="messages">The conversation so far.</param>
    /// <param name="options">Its <see cref="ChatOptions.Tools"/> are the catalogue; without any, the router's own is.</param>
    /// <param name="cancellationToken">Stops embedding.</param>
    public async Task<RoutingDecision> RouteAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(messages);
        ToolEntry[] entries = options?.Tools is { Count: > 0 } tools ? Entries(tools) : _catalogue;
        ToolConversation conversation = ToolConversation.Of(messages);
        RoutingDecision decision = conversation.Turns.Count == 0
            ? RoutingDecisions.All(entries, "There is no user text to route by: all tools are passed on.", null)
            : await RouteAsync(entries, conversation.Question(conversation.Turns.Count - 1, Options.RecentTurns), null, cancellationToken).ConfigureAwait(false);
        return RoutingDecisions.With(decision, entries, Options, options, conversation.StickyNames(entries));
    }

    internal Task<RoutingDecision> FindAsync(ToolEntry[] entries, string query, int top, CancellationToken cancellationToken) =>
        RouteAsync(entries, [query], top, cancellationToken);

    /// <summary>Decides for turns, the last one first.</summary>
    internal async Task<RoutingDecision> RouteAsync(ToolEntry[] entries, IReadOnlyList<string> turns, int? top, CancellationToken cancellationToken)
    {
        long started = Options.Clock.GetTimestamp();
        using Activity? activity = SkMmBertTelemetry.Activities.StartActivity("route_tools");
        RoutingDecision decision;
        try
        {
            decision = await DecideAsync(entries, turns, top ?? Options.Top, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception error) when (!cancellationToken.IsCancellationRequested)
        {
            // Open: a model without its tools is worse off than one with too many.
            decision = RoutingDecisions.All(entries, $"Routing failed, all tools are passed on: {error.Message}", error);
        }

        decision = decision with { Elapsed = Options.Clock.GetElapsedTime(started) };
        RoutingTelemetry.Record(decision, entries, activity);
        return decision;
    }

    private async Task<RoutingDecision> DecideAsync(ToolEntry[] entries, IReadOnlyList<string> turns, int? top, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (entries.Length == 0 || (top is null && entries.Length < Options.MinimumCatalogue))
        {
            return RoutingDecisions.All(entries, $"The catalogue has {entries.Length} tools, fewer than the minimum of {Options.MinimumCatalogue}: all are passed on.", null);
        }

        if (top is null && string.IsNullOrWhiteSpace(turns[0]))
        {
            return new RoutingDecision { Abstained = true, CatalogueSize = entries.Length, Threshold = Options.Calibration.Threshold, Reason = "The question is empty: no tool fits." };
        }

        ToolIndex index = await _indexes.GetAsync(entries, cancellationToken).ConfigureAwait(false);
        ToolQuery query = await EmbedAsync(turns, index.Match.Width, cancellationToken).ConfigureAwait(false);
        ToolHit[] hits = new ToolHit[Math.Min(entries.Length, Math.Max(top ?? 0, ToolSearch.Candidates))];
        (int count, ToolSignals signals) = ToolSearch.Run(index, query, ToolMixer.Weights, hits);
        string? note = Options.Reranker is { } reranker
            ? await ToolReranking.OnCloseCallAsync(reranker, query.Texts[0], index, hits.AsMemory(0, count), cancellationToken).ConfigureAwait(false)
            : null;
        return RoutingDecisions.Of(index, hits.AsSpan(0, count), signals, Options, top, note);
    }

    /// <summary>Searches without deciding: for fitting and measuring.</summary>
    internal async Task<(ToolHit[] Hits, ToolSignals Signals, ToolIndex Index, ToolQuery Query)> SearchAsync(string query, int most, CancellationToken cancellationToken)
    {
        ToolIndex index = await _indexes.GetAsync(_catalogue, cancellationToken).ConfigureAwait(false);
        ToolHit[] hits = new ToolHit[Math.Min(_catalogue.Length, most)];
        ToolQuery embedded = await EmbedAsync([query], index.Match.Width, cancellationToken).ConfigureAwait(false);
        (int count, ToolSignals signals) = ToolSearch.Run(index, embedded, ToolMixer.Weights, hits);
        return (hits[..count], signals, index, embedded);
    }

    internal async Task<ToolQuery> EmbedAsync(IReadOnlyList<string> turns, int width, CancellationToken cancellationToken)
    {
        string[] texts = [.. turns.Select(ToolQuery.Cut)];
        List<string> sentences = Options.Sentences ? ToolQuery.Sentences(texts[0]) : [];
        float[] factors = ToolQuery.TurnFactors(texts, Options.TurnDecay);

        GeneratedEmbeddings<Embedding<float>> vectors = await _embedder.GenerateAsync(texts.Concat(sentences), cancellationToken: cancellationToken).ConfigureAwait(false);
        if (vectors.Count != texts.Length + sentences.Count || vectors.Any(vector => vector.Vector.Length != width))
        {
            throw new InvalidOperationException($"The embedding generator returned {vectors.Count} vectors for {texts.Length + sentences.Count} texts. Expected: one of {width} dimensions for each.");
        }

        float[] whole = vectors[0].Vector.ToArray();
        for (int turn = 1; turn < texts.Length; turn++)
        {
            ReadOnlySpan<float> earlier = vectors[turn].Vector.Span;
            for (int i = 0; i < whole.Length; i++)
            {
                whole[i] += factors[turn] * earlier[i];
            }
        }

        return new ToolQuery([whole, .. vectors.Skip(texts.Length).Select(vector => vector.Vector.ToArray())], texts, factors);
    }

    internal string Fingerprint => _embedder.GetFingerprint();

    internal ToolEntry[] Entries(IEnumerable<AITool> tools) => _entries.Of(tools);
}
