using System.Buffers;

namespace SkMmBert;

/// <summary>One text as it goes through the model: its token ids in one slice, or in several where it was too long.</summary>
internal readonly record struct SlicedText(int[][] Slices, bool Truncated)
{
    public int Tokens => Slices.Length == 1 ? Slices[0].Length : Slices.Sum(slice => slice.Length);

    /// <summary>Encodes a text by what the options say of long ones.</summary>
    /// <param name="tokenizer">The model's tokenizer.</param>
    /// <param name="text">The text.</param>
    /// <param name="index">Its place among the inputs, for errors.</param>
    /// <param name="maxTokens">Most tokens of a slice, special tokens included.</param>
    /// <param name="longTexts">What happens to a longer text.</param>
    public static SlicedText Of(TextTokenizer tokenizer, string text, int index, int maxTokens, LongTextHandling longTexts)
    {
        EncodedText encoded = tokenizer.Encode(text, maxTokens);
        if (!encoded.Truncated || longTexts == LongTextHandling.Cut)
        {
            return new([encoded.Ids], encoded.Truncated);
        }

        return longTexts == LongTextHandling.Chunk
            ? new(Slice(tokenizer, text, maxTokens), false)
            : throw new ArgumentException($"The text at index {index} has more than {maxTokens} tokens. Expected: at most {maxTokens}, since LongTexts is Error. Shorten it, raise MaxTokens, or choose Cut or Chunk.");
    }

    private static int[][] Slice(TextTokenizer tokenizer, string text, int maxTokens)
    {
        int room = maxTokens - tokenizer.SpecialTokens;
        int[] scratch = ArrayPool<int>.Shared.Rent(room);
        try
        {
            List<int[]> slices = [];
            for (int at = 0; at < text.Length;)
            {
                tokenizer.Encode(text.AsSpan(at), scratch.AsSpan(0, room), out int read);
                int end = at + read < text.Length ? Break(text, at, at + read) : text.Length;
                EncodedText slice = tokenizer.Encode(text[at..end], maxTokens);
                if (slice.Truncated && slice.Offsets.Max(offset => offset.End) is > 0 and int reached)
                {
                    // A slice read on its own can need a token more than it did inside the text.
                    end = at + reached;
                }

                slices.Add(slice.Ids);
                at = end;
            }

            return [.. slices];
        }
        finally
        {
            ArrayPool<int>.Shared.Return(scratch);
        }
    }

    // After the last white space of the second half; without one at the end, but never inside a surrogate pair and never empty.
    private static int Break(string text, int start, int end)
    {
        end = Math.Max(end, start + 1);
        for (int i = end; i > start + ((end - start) / 2); i--)
        {
            if (char.IsWhiteSpace(text[i - 1]))
            {
                return i;
            }
        }

        if (char.IsHighSurrogate(text[end - 1]) && end < text.Length && char.IsLowSurrogate(text[end]))
        {
            end = end - 1 > start ? end - 1 : end + 1;
        }

        return end;
    }
}
