using Microsoft.Extensions.AI;

namespace SkMmBert;

/// <summary>The last full-width vectors of some generators, so that views of several lengths cost one forward pass. Thread-safe.</summary>
internal sealed class VectorMemo(long capacity = 32 << 20)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<Key, Task<Embedding<float>>> _vectors = [];
    private readonly Queue<(Key Key, long Bytes)> _oldest = [];
    private long _held;

    /// <summary>One full-width embedding per text, computed or remembered; what is being computed elsewhere is waited for.</summary>
    /// <param name="generator">Who is asked for what is not known.</param>
    /// <param name="texts">The texts.</param>
    /// <param name="options">How it is asked.</param>
    /// <param name="usage">Grows by what was computed for this call.</param>
    /// <param name="first">Place of the first text among all inputs, for errors.</param>
    /// <param name="cancellationToken">Stops the work.</param>
    public async Task<Embedding<float>[]> GenerateAsync(
        IEmbeddingGenerator<string, Embedding<float>> generator, string[] texts, EmbeddingGenerationOptions? options, UsageDetails usage, int first, CancellationToken cancellationToken)
    {
        int missing = Array.IndexOf(texts, null);
        if (missing >= 0)
        {
            throw new ArgumentException($"The text at index {first + missing} is null. Expected: a string; an empty one is valid.", nameof(texts));
        }

        if (!IsPlain(options))
        {
            return await AskAsync(generator, texts, options, usage, cancellationToken).ConfigureAwait(false);
        }

        Task<Embedding<float>>[] found = new Task<Embedding<float>>[texts.Length];
        List<(Key Key, TaskCompletionSource<Embedding<float>> Vector)> own = [];
        lock (_lock)
        {
            for (int i = 0; i < texts.Length; i++)
            {
                Key key = new(generator, texts[i], options?.ModelId, options?.GetExit(), options?.Dimensions);
                if (!_vectors.TryGetValue(key, out Task<Embedding<float>>? vector))
                {
                    TaskCompletionSource<Embedding<float>> source = new(TaskCreationOptions.RunContinuationsAsynchronously);
                    own.Add((key, source));
                    _vectors.Add(key, vector = source.Task);
                }

                found[i] = vector;
            }
        }

        await ComputeAsync(generator, own, options, usage, cancellationToken).ConfigureAwait(false);
        Embedding<float>[] embeddings = new Embedding<float>[texts.Length];
        List<int> failed = [];
        for (int i = 0; i < found.Length; i++)
        {
            try
            {
                embeddings[i] = await found[i].WaitAsync(cancellationToken).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                failed.Add(i); // the call that was computing it failed or was cancelled; this one goes on by itself
            }
        }

        if (failed.Count > 0)
        {
            string[] again = [.. failed.Select(i => texts[i])];
            Embedding<float>[] computed = await AskAsync(generator, again, options, usage, cancellationToken).ConfigureAwait(false);
            for (int i = 0; i < again.Length; i++)
            {
                embeddings[failed[i]] = computed[i];
            }
        }

        return embeddings;
    }

    private async Task ComputeAsync(
        IEmbeddingGenerator<string, Embedding<float>> generator, List<(Key Key, TaskCompletionSource<Embedding<float>> Vector)> own, EmbeddingGenerationOptions? options, UsageDetails usage, CancellationToken cancellationToken)
    {
        if (own.Count == 0)
        {
            return;
        }

        try
        {
            Embedding<float>[] computed = await AskAsync(generator, [.. own.Select(entry => entry.Key.Text)], options, usage, cancellationToken).ConfigureAwait(false);
            for (int i = 0; i < own.Count; i++)
            {
                own[i].Vector.SetResult(computed[i]);
                Keep(own[i].Key, (4L * computed[i].Vector.Length) + (2L * own[i].Key.Text.Length) + 400);
            }
        }
        catch
        {
            lock (_lock)
            {
                foreach ((Key key, TaskCompletionSource<Embedding<float>> vector) in own)
                {
                    if (vector.TrySetCanceled(CancellationToken.None))
                    {
                        _vectors.Remove(key);
                    }
                }
            }

            throw;
        }
    }

    private void Keep(Key key, long bytes)
    {
        lock (_lock)
        {
            _oldest.Enqueue((key, bytes));
            _held += bytes;
            while (_held > capacity && _oldest.TryDequeue(out (Key Key, long Bytes) entry))
            {
                _vectors.Remove(entry.Key);
                _held -= entry.Bytes;
            }
        }
    }

    private static async Task<Embedding<float>[]> AskAsync(
        IEmbeddingGenerator<string, Embedding<float>> generator, string[] texts, EmbeddingGenerationOptions? options, UsageDetails usage, CancellationToken cancellationToken)
    {
        GeneratedEmbeddings<Embedding<float>> computed = await generator.GenerateAsync(texts, options, cancellationToken).ConfigureAwait(false);
        if (computed.Count != texts.Length)
        {
            throw new InvalidOperationException($"The generator gave {computed.Count} embeddings for {texts.Length} texts. Expected: one for each.");
        }

        if (computed.Usage is not null)
        {
            usage.Add(computed.Usage);
        }

        return [.. computed];
    }

    // Only what the key tells apart is remembered.
    private static bool IsPlain(EmbeddingGenerationOptions? options) =>
        options is null || (options.RawRepresentationFactory is null && options.GetType() == typeof(EmbeddingGenerationOptions)
            && (options.AdditionalProperties is null || options.AdditionalProperties.Keys.All(key => key == MatryoshkaExtensions.ExitKey)));

    private readonly record struct Key(IEmbeddingGenerator<string, Embedding<float>> Generator, string Text, string? ModelId, int? Exit, int? Dimensions);
}
