namespace SkMmBert;

public sealed partial class AgentMemory
{
    /// <summary>Writes items as lines of JSON, without vectors, oldest write first, and says how many.</summary>
    /// <param name="writer">Where the lines go; not disposed.</param>
    /// <param name="filter">Which items; <see langword="null"/> for all of every scope.</param>
    /// <param name="progress">Told the number of lines written so far.</param>
    /// <param name="cancellationToken">Stops the work.</param>
    public async Task<int> ExportAsync(TextWriter writer, MemoryFilter? filter = null, IProgress<int>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(writer);
        int lines = 0;
        await foreach (MemoryItem item in ListAsync(filter, cancellationToken).ConfigureAwait(false))
        {
            await writer.WriteAsync($"{item.ToJson()}\n".AsMemory(), cancellationToken).ConfigureAwait(false);
            lines++;
            progress?.Report(lines);
        }

        await writer.FlushAsync(cancellationToken).ConfigureAwait(false);
        return lines;
    }

    /// <summary>Remembers lines of JSON: what <see cref="ExportAsync"/> wrote, or objects with at least a <c>text</c>. Empty lines are skipped.</summary>
    /// <param name="reader">Where the lines come from; not disposed.</param>
    /// <param name="progress">Told the number of texts dealt with so far.</param>
    /// <param name="cancellationToken">Stops between batches; what was written stays.</param>
    /// <exception cref="FormatException">A line is not such an object; the message has its number. The batches before it are written.</exception>
    public Task<RememberResult> ImportAsync(TextReader reader, IProgress<int>? progress = null, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(reader);
        return RememberAsync(Lines(), progress, cancellationToken);

        IEnumerable<MemoryItem> Lines()
        {
            int number = 0;
            while (reader.ReadLine() is { } line)
            {
                number++;
                if (string.IsNullOrWhiteSpace(line))
                {
                    continue;
                }

                MemoryItem item;
                try
                {
                    item = MemoryItem.FromJson(line);
                }
                catch (FormatException error)
                {
                    throw new FormatException($"Line {number}: {error.Message}", error);
                }

                yield return string.IsNullOrWhiteSpace(item.Text)
                    ? throw new FormatException($"Line {number} has an empty text. Expected at least one visible character.")
                    : item;
            }
        }
    }

    /// <summary>Embeds every text again with this memory's generator: the way out when the store was written with another model.</summary>
    /// <remarks>Takes as long as embedding everything. A crash or an error in between leaves the store as it was.</remarks>
    /// <param name="progress">Told how much is done, from 0 to 1.</param>
    /// <param name="cancellationToken">Stops the work; the store stays with its model then.</param>
    public async Task ReembedAsync(IProgress<double>? progress = null, CancellationToken cancellationToken = default)
    {
        MemoryModel model = await ModelAsync(cancellationToken).ConfigureAwait(false);
        await _store.ReembedAsync(model, EmbedAsync, progress, cancellationToken).ConfigureAwait(false);
        (_model, _background) = (null, null);
        await PrepareAsync(false, cancellationToken).ConfigureAwait(false);
    }
}
