using Xunit;

namespace SkMmBert.Tests;

public sealed class MemoryEvaluationTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("skmmbert-evaluation-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Evaluation_SmallSet_MeasuresEveryWayToSearch()
    {
        File.WriteAllLines(Path.Combine(_folder, "turns.jsonl"),
        [
            """{"id":0,"session":"a","text":"Bob is allergic to peanuts."}""", """{"id":1,"session":"a","text":"Ada prefers trains."}""", """{"id":2,"session":"b","text":"The team meets on Monday."}""",
        ]);
        File.WriteAllLines(Path.Combine(_folder, "questions.jsonl"), ["""{"question":"Who is allergic to peanuts?","evidence":[0]}""", """{"question":"What has no answer?","evidence":[]}"""]);
        File.WriteAllLines(Path.Combine(_folder, "xx.docs.jsonl"), ["""{"id":"d1","title":"Trains","text":"fast"}""", """{"id":"d2","text":"slow boats"}"""]);
        File.WriteAllLines(Path.Combine(_folder, "xx.queries.jsonl"), ["""{"id":"q","query":"trains","relevant":{"d1":2,"d2":1}}""", """{"id":"r","query":"boats","relevant":["d2"]}"""]);
        IReadOnlyList<EvaluationSet> sets = EvaluationSet.Load(_folder);
        Assert.Equal([1, 2], sets.Select(set => set.Questions.Count));
        List<RetrievalQuality> rows = [];
        await foreach (RetrievalQuality row in MemoryEvaluation.RetrievalAsync(new HashedGenerator(), null, sets[0]))
        {
            rows.Add(row);
        }

        Assert.Equal(["lexical", "64", "256", "funnel", "fused"], rows.Select(row => row.Search));
        Assert.All(rows, row => Assert.Equal((1, 1.0, 1.0), (row.Questions, row.Hit5, row.Recall10)));
        AnswerQuality answers = await MemoryEvaluation.AnswersAsync(new HashedGenerator(), sets[0]);
        Assert.Equal((1, 1.0, 1.0), (answers.Questions, answers.Found5, answers.KeptAtDefault));
        Assert.Equal(0, answers.FalseEvidence95);
    }

    [Fact]
    public void Load_NoSetOrABadLine_SaysWhere()
    {
        Assert.Contains("no evaluation set", Assert.Throws<InvalidDataException>(() => EvaluationSet.Load(_folder)).Message);
        File.WriteAllText(Path.Combine(_folder, "docs.jsonl"), "{\"id\":1,\"text\":\"x\"}\n{\"id\":2}\n");
        File.WriteAllText(Path.Combine(_folder, "queries.jsonl"), "");
        Assert.Contains("line 2", Assert.Throws<InvalidDataException>(() => EvaluationSet.Load(_folder)).Message);
    }
}
