namespace SkMmBert;

/// <summary>Learns to guess the last exit's logits from those of earlier exits and the first stage's order: weighted least squares within each query.</summary>
internal static class RerankGuess
{
    // Keeps weights small where logits of two exits say the same.
    private const double Ridge = 1e-3;

    /// <summary>One weight for each exit, then one for the place.</summary>
    public static float[] Fit(IReadOnlyList<RerankTable> tables, int[] exits)
    {
        int width = exits.Length + 1;
        double[,] normal = new double[width, width + 1];
        double[] row = new double[width + 1];
        foreach (RerankTable table in tables)
        {
            int last = table.Exits.Count - 1;
            int[] ranks = new int[table.Count];
            int[] best = table.Best(last, table.Count);
            for (int place = 0; place < best.Length; place++)
            {
                ranks[best[place]] = place;
            }

            // Only differences within a query matter, those near the top most.
            double[] mean = new double[width + 1];
            double total = 0;
            for (int text = 0; text < table.Count; text++)
            {
                double weight = Weight(ranks[text]);
                total += weight;
                Fill(table, text);
                for (int i = 0; i <= width; i++)
                {
                    mean[i] += weight * row[i];
                }
            }

            for (int text = 0; text < table.Count; text++)
            {
                double weight = Weight(ranks[text]);
                Fill(table, text);
                for (int i = 0; i < width; i++)
                {
                    for (int j = 0; j <= width; j++)
                    {
                        normal[i, j] += weight * (row[i] - (mean[i] / total)) * (row[j] - (mean[j] / total));
                    }
                }
            }
        }

        return Solve(normal, width);

        void Fill(RerankTable table, int text)
        {
            for (int i = 0; i < exits.Length; i++)
            {
                row[i] = table.Logits[exits[i]][text];
            }

            row[width - 1] = RerankStep.Place(text);
            row[width] = table.Logits[^1][text];
        }

        static double Weight(int rank) => 1.0 / (10 + rank);
    }

    // Elimination without pivoting: the matrix is symmetric and, with the ridge, positive definite.
    private static float[] Solve(double[,] normal, int width)
    {
        for (int i = 0; i < width; i++)
        {
            normal[i, i] = (normal[i, i] * (1 + Ridge)) + 1e-9;
        }

        for (int i = 0; i < width; i++)
        {
            for (int below = i + 1; below < width; below++)
            {
                double factor = normal[below, i] / normal[i, i];
                for (int j = i; j <= width; j++)
                {
                    normal[below, j] -= factor * normal[i, j];
                }
            }
        }

        float[] weights = new float[width];
        for (int i = width - 1; i >= 0; i--)
        {
            double sum = normal[i, width];
            for (int j = i + 1; j < width; j++)
            {
                sum -= normal[i, j] * weights[j];
            }

            weights[i] = (float)(sum / normal[i, i]);
        }

        return weights;
    }
}
