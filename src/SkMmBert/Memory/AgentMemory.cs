using System.Diagnostics;
using System.Numerics.Tensors;
using Microsoft.Extensions.AI;

namespace SkMmBert;

/// <summary>What an agent remembers: texts go in, evidence comes back with its source, range and the trail of stages that chose it.</summary>
/// <remarks>
/// <para>Remembering embeds each text once. Recalling embeds the question, narrows by vector and by words, weighs both, and returns nothing
/// when nothing is relevant. The first call of an instance also embeds about fifty short texts and reads up to 512 items, to know what
/// irrelevance looks like; that is repeated when the store has doubled.</para>
/// <para>What comes back was written by others: hand it to a model through <see cref="EvidenceFormatter"/>, which marks it as quotation.</para>
/// <para>Thread-safe. Disposes neither the generator nor the store nor the reranker.</para>
/// </remarks>
/// <example><code>
/// AgentMemory memory = new(embedder, new SqliteMemoryStore("memory.db"));
/// await memory.RememberAsync("Ada prefers trains to planes.", source: "chat/17");
/// IReadOnlyList&lt;Evidence&gt; found = await memory.RecallAsync("How does Ada travel?");
/// // found[0].Text → "Ada prefers trains to planes.", found[0].Source → "chat/17"
/// // found[0].Trail → signs, route, retrieve, match, lexical, fused, each with score and rank
/// </code></example>
public sealed partial class AgentMemory
{
    /// <summary>The floor where neither the recall nor a calibration gives one: about 95 % of answers in the development sets score higher.</summary>
    public const float DefaultFloor = 0.2f;

    private const int BatchTexts = 256, BackgroundItems = 512;

    private readonly IEmbeddingGenerator<string, Embedding<float>> _generator;
    private readonly MemoryStore _store;
    private readonly MemoryOptions _options;
    private readonly TextTokenizer? _tokenizer;
    private readonly SemaphoreSlim _preparing = new(1, 1);
    private volatile MemoryBackground? _background;
    private volatile MemoryModel? _model;
    private IReadOnlyList<ReadOnlyMemory<float>> _probes = [];

    /// <summary>Puts a memory over a generator and a store. Nothing is opened yet.</summary>
    /// <param name="generator">Embeds texts and questions.</param>
    /// <param name="store">Keeps the items.</param>
    /// <param name="options">How it writes and reads; <see langword="null"/> for the defaults.</param>
    public AgentMemory(IEmbeddingGenerator<string, Embedding<float>> generator, MemoryStore store, MemoryOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(generator);
        ArgumentNullException.ThrowIfNull(store);
        _options = options ?? new MemoryOptions();
        _options.Validate();
        (_generator, _store) = (generator, store);
        _tokenizer = generator.GetService(typeof(TextTokenizer)) as TextTokenizer ?? (generator.GetService(typeof(MmBertModel)) as MmBertModel)?.Tokenizer;
    }

    /// <summary>Where the items are.</summary>
    public MemoryStore Store => _store;

    /// <summary>The tiers of the model the store is tied to; empty before the first call.</summary>
    internal IReadOnlyList<int> Tiers => _model?.Tiers ?? [];

    /// <summary>Remembers one text.</summary>
    /// <param name="text">The text.</param>
    /// <param name="source">Where it came from.</param>
    /// <param name="scope">Whose it is; <see langword="null"/> for the scope of the options.</param>
    /// <param name="metadata">What searches can filter by.</param>
    /// <param name="cancellationToken">Stops the work.</param>
    /// <exception cref="ArgumentException">The text is empty.</exception>
    public Task<RememberResult> RememberAsync(
        string text, string? source = null, MemoryScope? scope = null, IReadOnlyDictionary<string, string>? metadata = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(text);
        MemoryItem item = new() { Text = text, Source = source, Scope = scope };
        return RememberAsync([metadata is null ? item : item with { Metadata = metadata }], null, cancellationToken);
    }

    /// <summary>Remembers many texts, in batches that are each written whole or not at all.</summary>
    /// <param name="items">Texts with what is known about them; vectors, ranges, and missing ids, scopes and times are filled in.</param>
    /// <param name="progress">Told the number of texts dealt with so far.</param>
    /// <param name="cancellationToken">Stops between batches; what was written stays.</param>
    /// <exception cref="ArgumentException">A text is empty.</exception>
    public async Task<RememberResult> RememberAsync(IEnumerable<MemoryItem> items, IProgress<int>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(items);
        await PrepareAsync(false, cancellationToken).ConfigureAwait(false);
        using Activity? activity = SkMmBertTelemetry.Activities.StartActivity("memory.remember");
        int added = 0, duplicates = 0, chunks = 0, seen = 0;
        foreach (List<MemoryItem>[] batch in Texts(items).Chunk(BatchTexts))
        {
            cancellationToken.ThrowIfCancellationRequested();
            List<List<MemoryItem>> texts = [];
            foreach (List<MemoryItem> given in batch)
            {
                texts.Add([.. given.SelectMany(part => Complete(part, seen + texts.Count))]);
            }

            await EmbedAsync(texts, cancellationToken).ConfigureAwait(false);
            List<List<MemoryItem>> kept = await MemoryGate.KeepNewAsync(_store, _options, texts, cancellationToken).ConfigureAwait(false);
            List<MemoryItem> written = [.. kept.SelectMany(text => text)];
            await _store.AddAsync(written, cancellationToken).ConfigureAwait(false);
            (added, duplicates, chunks, seen) = (added + kept.Count, duplicates + texts.Count - kept.Count, chunks + written.Count, seen + batch.Length);
            progress?.Report(seen);
        }

        RememberResult result = new(added, duplicates, chunks);
        MemoryTelemetry.Remembered(activity, result);
        return result;
    }

    /// <summary>Finds what is relevant to a question, best first; nothing when nothing is.</summary>
    /// <param name="question">The question, or any text to find evidence for.</param>
    /// <param name="options">How to search; <see langword="null"/> for the defaults.</param>
    /// <param name="cancellationToken">Stops the work.</param>
    public Task<IReadOnlyList<Evidence>> RecallAsync(string question, RecallOptions? options = null, CancellationToken cancellationToken = default) =>
        RecallAsync(question, options, null, cancellationToken);

    /// <summary>Recalls as if only some items were there, for measuring what is said when the answer is not.</summary>
    internal async Task<IReadOnlyList<Evidence>> RecallAsync(string question, RecallOptions? options, Func<MemoryItem, bool>? isThere, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(question);
        options ??= new RecallOptions();
        options.Validate();
        if (options.Top == 0 || string.IsNullOrWhiteSpace(question))
        {
            return [];
        }

        await PrepareAsync(true, cancellationToken).ConfigureAwait(false);
        using Activity? activity = SkMmBertTelemetry.Activities.StartActivity("memory.recall");
        long started = _options.Time.GetTimestamp();
        question = Clean(question);
        ReadOnlyMemory<float> vector = options.Vectors ? (await EmbedAsync([question], cancellationToken).ConfigureAwait(false))[0] : default;
        MemorySearch search = new()
        {
            Vector = vector,
            Text = options.Words ? question : "",
            Scopes = (options.Scope ?? _options.Scope).Visible(),
            Metadata = options.Metadata,
            From = options.From,
            To = options.To,
            Take = options.Candidates,
            Exact = options.Exact,
        };
        MemorySearchResult found = await _store.SearchAsync(search, cancellationToken).ConfigureAwait(false);
        found = isThere is null ? found : found with { Candidates = [.. found.Candidates.Where(candidate => isThere(candidate.Item))] };
        MemoryBackground background = await RefreshAsync(found.Items, cancellationToken).ConfigureAwait(false);
        List<FusedCandidate> fused = MemoryFusion.Fuse(search.Text, vector, found, background);
        float floor = options.Floor ?? _options.Calibration?.Floor ?? DefaultFloor;
        List<Evidence> evidence = MemoryEvidence.Rank(fused, options, floor, _options.Time.GetUtcNow());
        if (_options.Reranker is { } reranker && (options.Rerank ?? _options.Calibration?.RerankHelps ?? true))
        {
            evidence = await MemoryEvidence.RerankAsync(reranker, question, evidence, options.RerankTop, cancellationToken).ConfigureAwait(false);
        }

        evidence = evidence.Count <= options.Top ? evidence : evidence.GetRange(0, options.Top);
        MemoryTelemetry.Recalled(activity, found, fused.Count > 0 ? fused[0].Score : 0, floor, evidence.Count, _options.Time.GetElapsedTime(started));
        return evidence;
    }

    /// <summary>Forgets items and says how many chunks went.</summary>
    /// <param name="filter">Which items. Where it names no scope, those of every scope.</param>
    /// <param name="cancellationToken">Stops the work; nothing is forgotten then.</param>
    public async Task<int> ForgetAsync(MemoryFilter filter, CancellationToken cancellationToken = default)
    {
        await PrepareAsync(false, cancellationToken).ConfigureAwait(false);
        using Activity? activity = SkMmBertTelemetry.Activities.StartActivity("memory.forget");
        int chunks = await _store.RemoveAsync(filter, cancellationToken).ConfigureAwait(false);
        MemoryTelemetry.Forgot(activity, chunks);
        return chunks;
    }

    /// <summary>Forgets what is older than an age, by the time each item was written.</summary>
    /// <param name="age">The age.</param>
    /// <param name="scope">Only in this scope and inside it; <see langword="null"/> for every scope.</param>
    /// <param name="cancellationToken">Stops the work; nothing is forgotten then.</param>
    public Task<int> ForgetOlderThanAsync(TimeSpan age, MemoryScope? scope = null, CancellationToken cancellationToken = default) =>
        ForgetAsync(new MemoryFilter { Scope = scope, To = _options.Time.GetUtcNow() - age }, cancellationToken);

    /// <summary>Lists items, oldest write first.</summary>
    /// <param name="filter">Which items; <see langword="null"/> for all of every scope.</param>
    /// <param name="cancellationToken">Stops the listing.</param>
    public async IAsyncEnumerable<MemoryItem> ListAsync(MemoryFilter? filter = null, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        await PrepareAsync(false, cancellationToken).ConfigureAwait(false);
        await foreach (MemoryItem item in _store.ListAsync(filter ?? MemoryFilter.All, cancellationToken).ConfigureAwait(false))
        {
            yield return item;
        }
    }

    /// <summary>Counts items.</summary>
    /// <param name="filter">Which items; <see langword="null"/> for all of every scope.</param>
    /// <param name="cancellationToken">Stops the work.</param>
    public async Task<int> CountAsync(MemoryFilter? filter = null, CancellationToken cancellationToken = default)
    {
        await PrepareAsync(false, cancellationToken).ConfigureAwait(false);
        return await _store.CountAsync(filter ?? MemoryFilter.All, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Gives back the room of forgotten items. May take as long as copying the store.</summary>
    /// <param name="cancellationToken">Stops the work.</param>
    public async Task CompactAsync(CancellationToken cancellationToken = default)
    {
        await PrepareAsync(false, cancellationToken).ConfigureAwait(false);
        await _store.CompactAsync(cancellationToken).ConfigureAwait(false);
    }

    // One text an item, except that the chunks of an exported text, which follow each other, become one again.
    private static IEnumerable<List<MemoryItem>> Texts(IEnumerable<MemoryItem> items)
    {
        List<MemoryItem> text = [];
        foreach (MemoryItem item in items)
        {
            ArgumentNullException.ThrowIfNull(item);
            if (text.Count > 0 && !(item.Id.Length > 0 && item.Id == text[^1].Id && item.Scope == text[^1].Scope && item.Start > text[^1].Start))
            {
                yield return text;
                text = [];
            }

            text.Add(item);
        }

        if (text.Count > 0)
        {
            yield return text;
        }
    }

    private List<MemoryItem> Complete(MemoryItem given, int position)
    {
        string text = Clean(given.Text);
        List<(int Start, int End)> ranges = MemoryChunks.Cut(text, _options.ChunkTokens, _tokenizer);
        if (ranges.Count == 0)
        {
            throw new ArgumentException($"Text {position} (id '{given.Id}', source '{given.Source}') is empty. Expected a text with at least one visible character.", nameof(given));
        }

        MemoryScope scope = given.Scope ?? _options.Scope;
        string? source = given.Source is null ? null : Clean(given.Source);
        MemoryItem item = given with
        {
            Id = given.Id.Length > 0 ? Clean(given.Id) : MemoryGate.IdOf(scope, source, text),
            Source = source,
            Scope = scope,
            Time = given.Time ?? _options.Time.GetUtcNow(),
            Metadata = given.Metadata.Count == 0 ? given.Metadata : given.Metadata.ToDictionary(pair => Clean(pair.Key), pair => Clean(pair.Value)),
        };

        // An item that comes from a listing keeps its place in what was given then.
        return [.. ranges.Select(range => item with { Text = text[range.Start..range.End], Start = given.Start + range.Start, End = given.Start + range.End })];
    }

    private async Task EmbedAsync(List<List<MemoryItem>> texts, CancellationToken cancellationToken)
    {
        IReadOnlyList<ReadOnlyMemory<float>> vectors = await EmbedAsync([.. texts.SelectMany(text => text).Select(item => item.Text)], cancellationToken).ConfigureAwait(false);
        int at = 0;
        foreach (List<MemoryItem> text in texts)
        {
            for (int i = 0; i < text.Count; i++)
            {
                text[i] = text[i] with { Vector = vectors[at++] };
            }
        }
    }

    private async Task<IReadOnlyList<ReadOnlyMemory<float>>> EmbedAsync(IReadOnlyList<string> texts, CancellationToken cancellationToken)
    {
        GeneratedEmbeddings<Embedding<float>> embeddings = await _generator.GenerateAsync(texts, cancellationToken: cancellationToken).ConfigureAwait(false);
        if (embeddings.Count != texts.Count)
        {
            throw new InvalidOperationException($"The generator returned {embeddings.Count} vectors for {texts.Count} texts. Expected one for each.");
        }

        return [.. embeddings.Select(embedding => Normalised(embedding.Vector))];
    }

    private static ReadOnlyMemory<float> Normalised(ReadOnlyMemory<float> vector)
    {
        float norm = vector.IsEmpty ? 0 : TensorPrimitives.Norm(vector.Span);
        if (norm == 0 || MathF.Abs(norm - 1) < 1e-4f)
        {
            return vector;
        }

        float[] scaled = new float[vector.Length];
        TensorPrimitives.Divide(vector.Span, norm, scaled);
        return scaled;
    }

    // Stores keep Unicode text: half a surrogate pair and NUL become U+FFFD, one unit for one, so that ranges stay exact.
    private static string Clean(string text)
    {
        int bad = -1;
        for (int i = 0; i < text.Length && bad < 0; i++)
        {
            bool pair = char.IsHighSurrogate(text[i]) && i + 1 < text.Length && char.IsLowSurrogate(text[i + 1]);
            bad = text[i] == '\0' || (char.IsSurrogate(text[i]) && !pair) ? i : -1;
            i += pair ? 1 : 0;
        }

        return bad < 0 ? text : string.Create(text.Length, text, static (span, source) =>
        {
            for (int i = 0; i < source.Length; i++)
            {
                if (char.IsHighSurrogate(source[i]) && i + 1 < source.Length && char.IsLowSurrogate(source[i + 1]))
                {
                    (span[i], span[i + 1]) = (source[i], source[i + 1]);
                    i++;
                }
                else
                {
                    span[i] = source[i] == '\0' || char.IsSurrogate(source[i]) ? '\uFFFD' : source[i];
                }
            }
        });
    }
}
