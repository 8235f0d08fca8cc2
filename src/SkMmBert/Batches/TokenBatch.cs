namespace SkMmBert;

/// <summary>Token ids of several texts that go through the graph in one run, one after the other and without padding.</summary>
/// <param name="Ids">All ids, [tokens].</param>
/// <param name="Lengths">Tokens of each text, [rows]; their sum is the length of <paramref name="Ids"/>.</param>
internal sealed record TokenBatch(int[] Ids, int[] Lengths)
{
    public int Rows => Lengths.Length;

    public static TokenBatch Of(params IReadOnlyList<int[]> texts)
    {
        int[] lengths = new int[texts.Count];
        for (int i = 0; i < lengths.Length; i++)
        {
            lengths[i] = texts[i].Length;
        }

        int[] ids = new int[lengths.Sum()];
        int at = 0;
        foreach (int[] text in texts)
        {
            text.CopyTo(ids, at);
            at += text.Length;
        }

        return new TokenBatch(ids, lengths);
    }
}
