using System.Buffers;

namespace SkMmBert;

/// <summary>Cuts a long text into chunks that fit a number of tokens, at natural places.</summary>
/// <remarks>Reads each part of the text two or three times; the text as a whole is never encoded at once.</remarks>
internal static class Chunker
{
    /// <summary>Cuts a text. One that fits comes back whole and as it is; else white space at the edges of a chunk is left out.</summary>
    /// <param name="tokenizer">Counts the tokens.</param>
    /// <param name="text">The text.</param>
    /// <param name="maxTokens">Most tokens of a chunk, without special tokens. Only one character that alone has more exceeds it.</param>
    /// <param name="overlapTokens">Most tokens at the end of a chunk that the next one repeats.</param>
    /// <param name="source">Copied into every chunk.</param>
    public static List<TextChunk> Split(TextTokenizer tokenizer, string text, int maxTokens, int overlapTokens = 0, string? source = null)
    {
        ArgumentNullException.ThrowIfNull(tokenizer);
        ArgumentNullException.ThrowIfNull(text);
        ArgumentOutOfRangeException.ThrowIfLessThan(maxTokens, 1);
        ArgumentOutOfRangeException.ThrowIfNegative(overlapTokens);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(overlapTokens, maxTokens);
        int[] ids = ArrayPool<int>.Shared.Rent(maxTokens);
        try
        {
            return Split(tokenizer, text, ids.AsSpan(0, maxTokens), overlapTokens, source);
        }
        finally
        {
            ArrayPool<int>.Shared.Return(ids);
        }
    }

    private static List<TextChunk> Split(TextTokenizer tokenizer, string text, Span<int> ids, int overlapTokens, string? source)
    {
        tokenizer.Encode(text, ids, out int read);
        if (read == text.Length)
        {
            return [new TextChunk(text, 0, text.Length, source)];
        }

        List<TextChunk> chunks = [];
        int start = SkipSpace(text, 0);
        int end = start < text.Length ? FindEnd(tokenizer, text, start, ids) : start;
        while (start < text.Length)
        {
            int trimmed = start + text.AsSpan(start, end - start).TrimEnd().Length;
            chunks.Add(new TextChunk(text[start..trimmed], start, trimmed, source));
            int next = SkipSpace(text, end);
            if (next == text.Length)
            {
                break;
            }

            start = overlapTokens > 0 ? Overlap(tokenizer, text, start, end, next, overlapTokens) : next;
            int nextEnd = FindEnd(tokenizer, text, start, ids);
            if (nextEnd <= next)
            {
                // What is repeated leaves no room for anything new.
                start = next;
                nextEnd = FindEnd(tokenizer, text, start, ids);
            }

            end = nextEnd;
        }

        return chunks;
    }

    private static int FindEnd(TextTokenizer tokenizer, string text, int start, Span<int> ids)
    {
        tokenizer.Encode(text.AsSpan(start), ids, out int read);
        if (start + read == text.Length)
        {
            return text.Length;
        }

        // Cut inside a word, the chunk may have a token more than the same characters had in the whole text: look again, a little earlier.
        for (int limit = start + read; ;)
        {
            int cut = Boundaries.FindCut(text, start, limit);
            if (cut == start)
            {
                return start + System.Globalization.StringInfo.GetNextTextElementLength(text.AsSpan(start));
            }

            tokenizer.Encode(text.AsSpan(start, cut - start).TrimEnd(), ids, out int fits);
            if (fits == text.AsSpan(start, cut - start).TrimEnd().Length)
            {
                return cut;
            }

            limit = cut - 1;
        }
    }

    // The latest start from which the end of the chunk has at most so many tokens, at a sentence or word.
    private static int Overlap(TextTokenizer tokenizer, string text, int start, int end, int next, int overlapTokens)
    {
        int from = end;
        int tokens = 0;
        while (from > start + 1 && tokens <= overlapTokens)
        {
            // A token is rarely longer than this many units: walk back in steps and count what the step added.
            int step = Math.Max(start + 1, from - 16);
            tokens = tokenizer.CountTokens(text.AsSpan(step, end - step));
            from = tokens <= overlapTokens ? step : from;
        }

        int candidate = Boundaries.FindStart(text, start, from, end);
        return candidate < end && candidate > start && tokenizer.CountTokens(text.AsSpan(candidate, end - candidate)) <= overlapTokens ? candidate : next;
    }

    private static int SkipSpace(string text, int at) => text.Length - text.AsSpan(at).TrimStart().Length;
}
