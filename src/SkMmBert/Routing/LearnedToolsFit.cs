using System.Numerics.Tensors;

namespace SkMmBert;

/// <summary>A labelled question as its vector of length 1 and the catalogue's tools that fit.</summary>
internal readonly record struct LabelledVector(float[] Vector, int[] Tools);

/// <summary>Learns tools from labelled questions and the tools' own example utterances: a softmax regression over the tools that some question names.</summary>
/// <remarks>Vectors are centred and scaled first, so that one penalty does for every model. Few steps, from zero: stopping early forgives few examples.</remarks>
internal sealed class LearnedToolsFit
{
    private const int Folds = 5, Steps = 30;
    private const float Penalty = 3e-4f, Rate = 0.3f, LastRate = 0.1f;
    private const int MaxCells = 1 << 26;   // rows × tools whose chances are held at a time: 256 MB

    private readonly int _width;
    private readonly int[] _tools;          // [classes] the catalogue's tools that were named
    private readonly List<float[]> _rows;   // centred and scaled, the labelled questions first
    private readonly List<int[]> _classes;  // of each row; none for a question that fits no tool
    private readonly float[] _mean;
    private readonly float _scale;

    private LearnedToolsFit(ToolIndex index, IReadOnlyList<LabelledVector> questions, int[] tools)
    {
        (_width, _tools) = (index.Match.Width, tools);
        int[] classOf = new int[index.Count];
        Array.Fill(classOf, -1);
        for (int i = 0; i < tools.Length; i++)
        {
            classOf[tools[i]] = i;
        }

        _rows = [.. questions.Select(question => question.Vector)];
        _classes = [.. questions.Select(question => question.Tools.Select(tool => classOf[tool]).ToArray())];
        foreach (int tool in tools)
        {
            for (int row = index.ToolRows[tool] + 1; row < index.ToolRows[tool + 1]; row++)     // the first is the profile
            {
                _rows.Add(index.Match.Row(row));
                _classes.Add([classOf[tool]]);
            }
        }

        _mean = new float[_width];
        int count = 0;
        for (int row = 0; row < _rows.Count; row++)
        {
            if (_classes[row].Length > 0)
            {
                TensorPrimitives.Add(_mean, _rows[row], _mean);
                count++;
            }
        }

        TensorPrimitives.Divide(_mean, count, _mean);
        double squares = 0;
        for (int row = 0; row < _rows.Count; row++)
        {
            float[] centred = new float[_width];
            TensorPrimitives.Subtract(_rows[row], _mean, centred);
            squares += _classes[row].Length > 0 ? TensorPrimitives.SumOfSquares<float>(centred) : 0;
            _rows[row] = centred;
        }

        _scale = (float)(1 / Math.Sqrt(Math.Max(squares / count, 1e-12)));
        foreach (float[] row in _rows)
        {
            TensorPrimitives.Multiply(row, _scale, row);
        }
    }

    /// <summary>Learns; <see langword="null"/> where fewer than two tools are named or there are too many for it.</summary>
    /// <returns>What was learned of all rows, and for each question the best score by what was learned without it: questions that fit no tool are never learned from.</returns>
    public static (LearnedTools Learned, float[] Best)? Run(ToolIndex index, string model, IReadOnlyList<LabelledVector> questions, CancellationToken cancellationToken)
    {
        int[] tools = [.. questions.SelectMany(question => question.Tools).Distinct().Order()];
        long rows = questions.Count + tools.Sum(tool => (long)index.ToolRows[tool + 1] - index.ToolRows[tool] - 1);
        if (tools.Length < 2 || rows * tools.Length > MaxCells)
        {
            return null;
        }

        LearnedToolsFit fit = new(index, questions, tools);
        LearnedTools learned = fit.Learn(index, model, _ => true, cancellationToken);
        int[] all = [.. Enumerable.Range(0, tools.Length)];
        float[] best = [.. questions.Select(question => learned.Best(all, question.Vector))];
        for (int fold = 0; fold < Folds; fold++)
        {
            LearnedTools without = fit.Learn(index, model, row => row >= questions.Count || row % Folds != fold, cancellationToken);
            for (int row = fold; row < best.Length; row += Folds)
            {
                best[row] = questions[row].Tools.Length > 0 ? without.Best(all, questions[row].Vector) : best[row];
            }
        }

        return (learned, best);
    }

    // Centring and scaling folded into the weights, so that they take vectors as they come.
    private LearnedTools Learn(ToolIndex index, string model, Func<int, bool> keep, CancellationToken cancellationToken)
    {
        (float[] weights, float[] constants) = Learn(keep, cancellationToken);
        for (int i = 0; i < _tools.Length; i++)
        {
            Span<float> row = weights.AsSpan(i * _width, _width);
            TensorPrimitives.Multiply(row, _scale, row);
            constants[i] -= TensorPrimitives.Dot(row, _mean);
        }

        return new LearnedTools(model, [.. _tools.Select(tool => index.Profiles[tool].QualifiedName)], weights, constants);
    }

    // Adam over all kept rows at once: the same result whatever the number of threads.
    private (float[] Weights, float[] Constants) Learn(Func<int, bool> keep, CancellationToken cancellationToken)
    {
        int[] kept = [.. Enumerable.Range(0, _rows.Count).Where(row => _classes[row].Length > 0 && keep(row))];
        int classes = _tools.Length, length = _width + 1;
        float[] chances = new float[kept.Length * classes];                                 // [rows, classes], then the errors
        float[] weights = new float[classes * _width], constants = new float[classes];
        float[] first = new float[classes * length], second = new float[classes * length];  // [classes, width + 1]
        ParallelOptions parallel = new() { CancellationToken = cancellationToken };
        for (int step = 1; step <= Steps; step++)
        {
            Parallel.For(0, kept.Length, parallel, i =>
            {
                Span<float> row = chances.AsSpan(i * classes, classes);
                ReadOnlySpan<float> vector = _rows[kept[i]];
                for (int c = 0; c < classes; c++)
                {
                    row[c] = TensorPrimitives.Dot(vector, weights.AsSpan(c * _width, _width)) + constants[c];
                }

                TensorPrimitives.SoftMax(row, row);
                foreach (int c in _classes[kept[i]])
                {
                    row[c] -= 1f / _classes[kept[i]].Length;
                }
            });
            float rate = (step <= Steps * 3 / 5 ? Rate : LastRate) / (1 - MathF.Pow(0.9f, step)), unbiased = 1 / (1 - MathF.Pow(0.99f, step));
            Parallel.For(0, classes, parallel, c =>
            {
                float[] gradient = new float[length];
                Span<float> slope = gradient.AsSpan(0, _width), own = weights.AsSpan(c * _width, _width);
                for (int i = 0; i < kept.Length; i++)
                {
                    float error = chances[(i * classes) + c] / kept.Length;
                    TensorPrimitives.MultiplyAdd(_rows[kept[i]], error, slope, slope);
                    gradient[_width] += error;
                }

                TensorPrimitives.MultiplyAdd(own, Penalty, slope, slope);
                for (int k = 0; k < length; k++)
                {
                    ref float mean = ref first[(c * length) + k], square = ref second[(c * length) + k];
                    mean = (0.9f * mean) + (0.1f * gradient[k]);
                    square = (0.99f * square) + (0.01f * gradient[k] * gradient[k]);
                    ref float weight = ref (k < _width ? ref own[k] : ref constants[c]);
                    weight -= rate * mean / (MathF.Sqrt(square * unbiased) + 1e-8f);
                }
            });
        }

        return (weights, constants);
    }
}
