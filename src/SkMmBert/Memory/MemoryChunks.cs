namespace SkMmBert;

/// <summary>Cuts a long text into ranges of at most so many tokens, at the most natural boundary near the end of each.</summary>
internal static class MemoryChunks
{
    /// <summary>The ranges in text order, without white space at their ends; none for a text of white space.</summary>
    /// <param name="text">The text.</param>
    /// <param name="maxTokens">Most tokens of a range.</param>
    /// <param name="tokenizer">The model's tokenizer; <see langword="null"/> to estimate.</param>
    public static List<(int Start, int End)> Cut(string text, int maxTokens, TextTokenizer? tokenizer)
    {
        List<(int, int)> ranges = [];
        (int start, int end) = Trim(text, 0, text.Length);
        if (start >= end)
        {
            return ranges;
        }

        // Ends of the tokens, ascending, so that n tokens after a place are an index away.
        int[] ends = end - start <= maxTokens ? [] : tokenizer is null ? Estimate(text) : [.. tokenizer.Encode(text, addSpecialTokens: false).Offsets.Select(offset => offset.End)];
        while (start < end)
        {
            int first = UpperBound(ends, start), past = first + maxTokens;
            int limit = past > ends.Length ? end : Math.Min(end, ends[past - 1]);
            int cut = limit >= end ? end : Boundary(text, start, Math.Max(start + 1, limit));
            (int from, int to) = Trim(text, start, cut);
            if (from < to)
            {
                ranges.Add((from, to));
            }

            start = cut;
        }

        return ranges;
    }

    // The best cut in the second half of the range: after a paragraph, a line, a sentence, a clause, a word; else at the limit.
    private static int Boundary(string text, int start, int limit)
    {
        int best = -1, rank = 0, least = start + ((limit - start) / 2);
        for (int at = limit; at > least; at--)
        {
            int here = Rank(text, at);
            if (here > rank)
            {
                (best, rank) = (at, here);
            }
        }

        if (best < 0)
        {
            best = limit;
            while (best > start + 1 && best < text.Length && (char.IsLowSurrogate(text[best]) || char.GetUnicodeCategory(text[best]) is System.Globalization.UnicodeCategory.NonSpacingMark or System.Globalization.UnicodeCategory.SpacingCombiningMark))
            {
                best--;
            }
        }

        return best;
    }

    private static int Rank(string text, int at)
    {
        if (at >= text.Length)
        {
            return 5;
        }

        char before = text[at - 1];
        bool space = char.IsWhiteSpace(before);
        if (before == '\n')
        {
            return at >= 2 && text[at - 2] is '\n' or '\r' || text[at] == '\n' ? 5 : 4;
        }

        if (before is '。' or '！' or '？' or '｡')
        {
            return 3;
        }

        if (space && at >= 2)
        {
            return text[at - 2] is '.' or '!' or '?' or '؟' or '۔' or '।' or '…' or '"' or '”' ? 3 : text[at - 2] is ',' or ';' or ':' or '،' or '؛' ? 2 : 1;
        }

        return before is '、' or '，' or '；' ? 2 : 0;
    }

    private static (int Start, int End) Trim(string text, int start, int end)
    {
        while (start < end && char.IsWhiteSpace(text[start]))
        {
            start++;
        }

        while (end > start && char.IsWhiteSpace(text[end - 1]))
        {
            end--;
        }

        return (start, end);
    }

    // About one token for four letters of a spaced script, one for each character beyond Latin-1.
    private static int[] Estimate(string text)
    {
        List<int> ends = [];
        int quarters = 0;
        for (int i = 0; i < text.Length; i++)
        {
            quarters += text[i] < 0x100 ? 1 : 4;
            if (quarters >= 4)
            {
                ends.Add(i + 1);
                quarters = 0;
            }
        }

        return [.. ends];
    }

    // The first token that ends after the place.
    private static int UpperBound(int[] ends, int place)
    {
        int low = 0, high = ends.Length;
        while (low < high)
        {
            int middle = (low + high) / 2;
            (low, high) = ends[middle] > place ? (low, middle) : (middle + 1, high);
        }

        return low;
    }
}
