using System.Numerics.Tensors;
using Microsoft.Extensions.AI;

namespace SkMmBert.Benchmarks.Memory;

/// <summary>Vectors of the mini model over evaluation sets, and as many more that lie between and around them.</summary>
internal static class MemoryData
{
    public static (float[][] Texts, float[][] Questions) Embed(string folder, int questionsASet)
    {
        using MmBertModel model = MmBertModel.Open(Path.Combine(Root(), "models", "mini-embed"));
        MmBertEmbeddingGenerator generator = new(model);
        List<float[]> texts = [], questions = [];
        foreach (EvaluationSet set in EvaluationSet.Load(folder))
        {
            texts.AddRange(Vectors(generator, set.Items.Select(item => item.Text)));
            int step = Math.Max(1, set.Questions.Count / questionsASet);
            questions.AddRange(Vectors(generator, set.Questions.Where((_, i) => i % step == 0).Select(question => question.Text)));
            Console.Error.WriteLine($"{set.Name}: {texts.Count} texts, {questions.Count} questions");
        }

        return ([.. texts], [.. questions]);
    }

    /// <summary>The real vectors first; each further one mixes two of them, 0.5 to 0.9 of the one, with a little noise, and has length 1.</summary>
    public static float[] Vector(float[][] real, int i, Random random)
    {
        if (i < real.Length)
        {
            return real[i];
        }

        float share = 0.5f + (0.4f * (float)random.NextDouble());
        float[] one = real[random.Next(real.Length)], other = real[random.Next(real.Length)], mixed = new float[one.Length];
        for (int k = 0; k < mixed.Length; k++)
        {
            mixed[k] = (share * one[k]) + ((1 - share) * other[k]) + (0.02f * (float)(random.NextDouble() + random.NextDouble() + random.NextDouble() - 1.5));
        }

        TensorPrimitives.Divide(mixed, TensorPrimitives.Norm<float>(mixed), mixed);
        return mixed;
    }

    private static IEnumerable<float[]> Vectors(MmBertEmbeddingGenerator generator, IEnumerable<string> texts) =>
        generator.GenerateAsync(texts).GetAwaiter().GetResult().Select(embedding => embedding.Vector.ToArray());

    private static string Root([System.Runtime.CompilerServices.CallerFilePath] string here = "") => Path.GetFullPath(Path.Combine(Path.GetDirectoryName(here)!, "..", "..", ".."));
}
