namespace SkMmBert;

/// <summary>A logistic model of whether a candidate answers: its weight against the others, and what they say together.</summary>
internal sealed record AnswerModel(float Weight, float Agreement, float Coverage, float OtherCoverage, float Offset)
{
    /// <summary>Fitted on questions with their answer and with it taken away, in large stores and small ones; the benchmark <c>memory-answers</c> prints it, and what it does on sets it was not fitted on.</summary>
    public static AnswerModel Both { get; } = new(0.68f, 0.42f, 9.0f, -7.2f, -3.8f);

    /// <summary>For a search by vectors or by words alone, where the other half of the signs is missing: a weight of 0.42, which 95 % of the answers reach, is as sure as the default floor.</summary>
    public static AnswerModel Single { get; } = new(4, 0, 0, 0, -3.07f);

    /// <summary>From 0 to 1; one half is as likely an answer as not, among as many questions with one as without.</summary>
    public float Sureness(float weight, in AnswerSigns signs) => 1 / (1 + MathF.Exp(-Odds(weight, signs)));

    /// <summary>Fits the model to examples by gradient descent on standardised inputs, every example with its own importance.</summary>
    public static AnswerModel Fit(IReadOnlyList<AnswerExample> examples)
    {
        const int Inputs = 4, Rounds = 2_000;
        double[][] rows = [.. examples.Select(example => (double[])[example.Weight, example.Signs.Agreement, example.Signs.Coverage, example.Signs.OtherCoverage])];
        double[] means = new double[Inputs], deviations = new double[Inputs], weights = new double[Inputs + 1];
        for (int k = 0; k < Inputs; k++)
        {
            means[k] = rows.Average(row => row[k]);
            deviations[k] = Math.Max(1e-6, Math.Sqrt(rows.Average(row => (row[k] - means[k]) * (row[k] - means[k]))));
        }

        Array.ForEach(rows, row =>
        {
            for (int k = 0; k < Inputs; k++)
            {
                row[k] = (row[k] - means[k]) / deviations[k];
            }
        });
        double total = examples.Sum(example => example.Importance);
        for (int round = 0; round < Rounds; round++)
        {
            double[] slope = new double[Inputs + 1];
            for (int i = 0; i < rows.Length; i++)
            {
                double odds = weights[Inputs];
                for (int k = 0; k < Inputs; k++)
                {
                    odds += weights[k] * rows[i][k];
                }

                double off = ((1 / (1 + Math.Exp(-odds))) - (examples[i].Answers ? 1 : 0)) * examples[i].Importance;
                for (int k = 0; k < Inputs; k++)
                {
                    slope[k] += off * rows[i][k];
                }

                slope[Inputs] += off;
            }

            for (int k = 0; k <= Inputs; k++)
            {
                weights[k] -= 0.5 * ((slope[k] / total) + (k < Inputs ? 1e-3 * weights[k] : 0));
            }
        }

        double offset = weights[Inputs] - Enumerable.Range(0, Inputs).Sum(k => weights[k] * means[k] / deviations[k]);
        float Of(int k) => (float)(weights[k] / deviations[k]);
        return new AnswerModel(Of(0), Of(1), Of(2), Of(3), (float)offset);
    }

    private float Odds(float weight, in AnswerSigns signs) =>
        (Weight * weight) + (Agreement * signs.Agreement) + (Coverage * signs.Coverage) + (OtherCoverage * signs.OtherCoverage) + Offset;
}

/// <summary>A candidate with its weight, the signs of its question, and whether it answers.</summary>
internal readonly record struct AnswerExample(float Weight, AnswerSigns Signs, bool Answers, double Importance);
