namespace SkMmBert;

/// <summary>Writes what a reranking did into the trails of evidence.</summary>
internal static class RerankTrail
{
    public static IReadOnlyList<Evidence> Extend(RerankOrder<Evidence> order)
    {
        int[] ranks = Ranks(order.Items);
        List<Evidence> result = new(order.Items.Count);
        for (int i = 0; i < order.Items.Count; i++)
        {
            (Evidence evidence, _, float score, RerankScore rerank) = order.Items[i];
            List<EvidenceStage> trail = [.. evidence.Trail];
            if (order.Failure is Exception failure)
            {
                trail.Add(new EvidenceStage($"rerank failed: {failure.Message.ReplaceLineEndings(" ")}", evidence.Score, i + 1));
                score = evidence.Score;
            }
            else if (order.Off)
            {
                trail.Add(new EvidenceStage("rerank off: the first stage decides", evidence.Score, i + 1));
            }
            else if (!rerank.IsScored)
            {
                trail.Add(new EvidenceStage("rerank skipped: out of time", evidence.Score, i + 1));
            }
            else
            {
                trail.Add(new EvidenceStage("rerank", rerank.Score, ranks[i]));
                if (rerank.CutAt is int end)
                {
                    trail.Add(new EvidenceStage($"rerank read {end} of {evidence.Text.Length} characters", rerank.Score, ranks[i]));
                }

                if (order.Blended)
                {
                    trail.Add(new EvidenceStage("fused", score, i + 1));
                }
            }

            result.Add(evidence with { Score = score, Trail = trail });
        }

        return result;
    }

    // The place the rerank scores alone would have given, which differs from the final one in a blend.
    private static int[] Ranks(IReadOnlyList<RankedItem<Evidence>> items)
    {
        int[] order = RerankBlend.Sort([.. items.Select(item => item.Rerank)], [.. items.Select(item => item.Rerank.Order)]);
        int[] ranks = new int[order.Length];
        for (int place = 0; place < order.Length; place++)
        {
            ranks[order[place]] = place + 1;
        }

        return ranks;
    }
}
