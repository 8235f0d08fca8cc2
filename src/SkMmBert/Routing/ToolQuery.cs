namespace SkMmBert;

/// <summary>A question ready to be matched: vectors of the whole and of its sentences, and the texts for the lexical side.</summary>
/// <param name="Views">Vectors, the whole first, [views][width].</param>
/// <param name="Texts">The turns, the last one first.</param>
/// <param name="Factors">How much each turn counts, [turns]: 1 for the last.</param>
internal sealed record ToolQuery(float[][] Views, string[] Texts, float[] Factors)
{
    private const int MaxChars = 4_000;
    private const int MaxSentences = 6;

    /// <summary>A text as it is embedded and searched: what is longer keeps its beginning and its end, where the request mostly stands.</summary>
    public static string Cut(string text)
    {
        if (text.Length <= MaxChars)
        {
            return text;
        }

        int head = MaxChars / 4, tail = text.Length - (MaxChars - head);
        head -= char.IsHighSurrogate(text[head - 1]) ? 1 : 0;
        tail += char.IsLowSurrogate(text[tail]) ? 1 : 0;
        return string.Concat(text.AsSpan(0, head), " ", text.AsSpan(tail));
    }

    /// <summary>How much each turn counts, the last one first: "and tomorrow?" leans on the turn before it more than a whole sentence does.</summary>
    public static float[] TurnFactors(string[] turns, float decay)
    {
        float[] factors = new float[turns.Length];
        factors[0] = 1;
        float lean = 1 + (2 * Math.Clamp(1 - (Words(turns[0]) / 6f), 0, 1));
        for (int i = 1; i < factors.Length; i++)
        {
            factors[i] = MathF.Min(1, lean * MathF.Pow(decay, i));
        }

        return factors;
    }

    /// <summary>The sentences of a text with several: each may ask for its own tool. The last ones when there are too many.</summary>
    public static List<string> Sentences(string text)
    {
        List<string> sentences = [];
        int start = 0;
        for (int i = 0; i <= text.Length; i++)
        {
            if (i < text.Length && !IsEnd(text, i))
            {
                continue;
            }

            ReadOnlySpan<char> sentence = text.AsSpan(start, Math.Min(i + 1, text.Length) - start).Trim();
            if (IsLong(sentence))
            {
                sentences.Add(sentence.ToString());
            }

            start = i + 1;
        }

        return sentences.Count < 2 ? [] : sentences.Count <= MaxSentences ? sentences : sentences[^MaxSentences..];
    }

    private static bool IsEnd(string text, int i) => text[i] switch
    {
        '\n' or '。' or '！' or '？' or '؟' or '।' => true,
        '.' or '!' or '?' or ';' => i + 1 == text.Length || char.IsWhiteSpace(text[i + 1]),
        _ => false,
    };

    private static bool IsLong(ReadOnlySpan<char> sentence) => Words(sentence) >= 3;

    // Two characters of a script that writes no spaces count as a word.
    private static int Words(ReadOnlySpan<char> text)
    {
        int spaces = 0, unspaced = 0;
        foreach (char c in text)
        {
            spaces += c == ' ' ? 1 : 0;
            unspaced += c >= 0x0E00 ? 1 : 0;
        }

        return text.IsEmpty ? 0 : 1 + spaces + (unspaced / 2);
    }
}
