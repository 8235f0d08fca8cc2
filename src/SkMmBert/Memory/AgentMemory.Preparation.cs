using Microsoft.Extensions.AI;

namespace SkMmBert;

public sealed partial class AgentMemory
{
    private int _recalls;

    /// <summary>Ties the store to the generator's model. Called by every verb; useful ahead of the first request.</summary>
    /// <param name="cancellationToken">Stops the work.</param>
    /// <exception cref="InvalidOperationException">The store was written with another model; the message names both.</exception>
    public Task WarmUpAsync(CancellationToken cancellationToken = default) => PrepareAsync(true, cancellationToken);

    private async Task PrepareAsync(bool background, CancellationToken cancellationToken)
    {
        if (_model is not null && (!background || _background is not null))
        {
            return;
        }

        await _preparing.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (_model is null)
            {
                MemoryModel model = await ModelAsync(cancellationToken).ConfigureAwait(false);
                await _store.BindAsync(model, cancellationToken).ConfigureAwait(false);
                _model = model;
            }

            if (background && _background is null)
            {
                _background = await SampleAsync(cancellationToken).ConfigureAwait(false);
            }
        }
        finally
        {
            _preparing.Release();
        }
    }

    // What the generator says about its model, and how wide its vectors really are: wrappers may shorten them.
    private async Task<MemoryModel> ModelAsync(CancellationToken cancellationToken)
    {
        _probes = await EmbedAsync(MemoryProbes.Texts, cancellationToken).ConfigureAwait(false);
        int width = _probes[0].Length;
        ModelManifest? manifest = _generator.GetService(typeof(ModelManifest)) as ModelManifest ?? (_generator.GetService(typeof(MmBertModel)) as MmBertModel)?.Manifest;
        EmbeddingGeneratorMetadata? metadata = _generator.GetService(typeof(EmbeddingGeneratorMetadata)) as EmbeddingGeneratorMetadata;
        string name = metadata?.DefaultModelId ?? manifest?.Id ?? metadata?.ProviderName ?? _generator.GetType().Name;
        string fingerprint = _generator.GetFingerprint();
        IReadOnlyList<int> tiers = _options.Tiers ?? [.. (manifest?.Tiers is { Count: > 0 } known ? known : [64, 256]).Where(tier => tier < width), width];
        if (tiers.Count == 0 || tiers[^1] != width)
        {
            throw new ArgumentException($"The tiers are [{string.Join(", ", tiers)}], but the generator's vectors have {width} numbers. Expected the full width as the last tier.");
        }

        return new MemoryModel(name, $"{fingerprint}/{width}", tiers);
    }

    private async Task<MemoryBackground> RefreshAsync(long items, CancellationToken cancellationToken)
    {
        MemoryBackground background = _background!;
        if (items == 0)
        {
            // A store that does not say how large it is gets asked now and then; a young one each time, since it changes fast.
            items = background.Items >= BackgroundItems && Interlocked.Increment(ref _recalls) % 64 != 0 ? background.Items
                : await _store.CountAsync(MemoryFilter.All, cancellationToken).ConfigureAwait(false);
        }

        if (items <= 2 * background.Items + 16 && items >= background.Items / 2)
        {
            return background;
        }

        await _preparing.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            if (ReferenceEquals(background, _background))
            {
                _background = await SampleAsync(cancellationToken).ConfigureAwait(false);
            }

            return _background!;
        }
        finally
        {
            _preparing.Release();
        }
    }

    // Only numbers are taken from the sample, never an item: it may cross fences that evidence may not.
    private async Task<MemoryBackground> SampleAsync(CancellationToken cancellationToken)
    {
        IReadOnlyList<MemoryItem> sample = await _store.SampleAsync(BackgroundItems, null, cancellationToken).ConfigureAwait(false);
        int items = sample.Count < BackgroundItems ? sample.Count : await _store.CountAsync(MemoryFilter.All, cancellationToken).ConfigureAwait(false);
        return MemoryBackground.Of(sample, _probes, items);
    }
}
