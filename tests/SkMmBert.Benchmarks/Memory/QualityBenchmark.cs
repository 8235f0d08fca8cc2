namespace SkMmBert.Benchmarks.Memory;

/// <summary>Quality of every way to search, and of saying nothing, on the sets of a folder.</summary>
internal static class QualityBenchmark
{
    public static async Task<int> RunAsync(string[] arguments)
    {
        if (arguments.Length < 1)
        {
            Console.Error.WriteLine("Found no folder; expected: memory-quality DATA-FOLDER [MODEL-FOLDER], where the data folder holds retrieval sets.");
            return 2;
        }

        return await RunAsync(arguments[0], arguments.Length > 1 ? arguments[1] : Path.Combine("models", "mini-embed"));
    }

    private static async Task<int> RunAsync(string folder, string modelFolder)
    {
        using MmBertModel model = MmBertModel.Open(modelFolder);
        MmBertEmbeddingGenerator generator = new(model);
        foreach (EvaluationSet set in EvaluationSet.Load(folder))
        {
            await foreach (RetrievalQuality row in MemoryEvaluation.RetrievalAsync(generator, null, set))
            {
                Console.WriteLine($"{row.Set,-20} {row.Search,-8} questions {row.Questions,5} ndcg@10 {row.Ndcg10:F3} recall@10 {row.Recall10:F3} hit@1 {row.Hit1:F3} hit@5 {row.Hit5:F3} {row.Milliseconds:F1} ms");
            }

            AnswerQuality answers = await MemoryEvaluation.AnswersAsync(generator, set);
            Console.WriteLine($"{answers.Set,-20} nothing  found@5 {answers.Found5:F3}; floor {answers.Floor95:F2} keeps 95 %: false evidence {answers.FalseEvidence95:F3}; default floor keeps {answers.KeptAtDefault:F3}: false evidence {answers.FalseAtDefault:F3}");
        }

        return 0;
    }
}
