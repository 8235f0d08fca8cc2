#:project ../src/SkMmBert/SkMmBert.csproj
#:project ../src/SkMmBert.Sqlite/SkMmBert.Sqlite.csproj
#:package Microsoft.ML.OnnxRuntime
#:property PublishAot=false
using SkMmBert;

using MmBertModel model = MmBertModel.Open("models/mini-embed");
string folder = Directory.CreateTempSubdirectory("skmmbert-").FullName;
using (var store = new SqliteMemoryStore(Path.Combine(folder, "memory.db")))
{
    var memory = new AgentMemory(new MmBertEmbeddingGenerator(model), store);
    MemoryScope ada = new() { User = "ada" }, bob = new() { User = "bob" };
    await memory.RememberAsync("Ada prefers trains to planes.", source: "chat/17", scope: ada);
    await memory.RememberAsync("The meeting moved to Tuesday at ten.", source: "mail/4", scope: ada);
    await memory.RememberAsync("Bob flies to Lisbon in May.", source: "chat/18", scope: bob);
    RememberResult again = await memory.RememberAsync("Ada prefers trains to planes!", source: "chat/19", scope: ada);
    Console.WriteLine($"added {again.Added}, duplicates {again.Duplicates}");

    IReadOnlyList<Evidence> found = await memory.RecallAsync("Does Ada prefer trains?", new() { Scope = ada, Top = 1 });
    foreach (Evidence evidence in found)
    {
        Console.WriteLine($"{evidence.Text} ({evidence.Source}, {evidence.Start}..{evidence.End})");
        Console.WriteLine(string.Join(" -> ", evidence.Trail.Select(stage => $"{stage.Stage} #{stage.Rank}")));
    }

    // Nothing relevant is nothing, and another user's items are not there at all.
    IReadOnlyList<Evidence> none = await memory.RecallAsync("What is the boiling point of nitrogen?", new() { Scope = ada });
    IReadOnlyList<Evidence> others = await memory.RecallAsync("Does Ada prefer trains?", new() { Scope = bob });
    Console.WriteLine($"about nitrogen: {none.Count}, in the scope of Bob: {others.Count(evidence => evidence.Source == "chat/17")}");
    Console.WriteLine($"forgotten {await memory.ForgetAsync(new() { Scope = ada })}, left {await memory.CountAsync()}");
}

Directory.Delete(folder, recursive: true);

// prints
// added 0, duplicates 1
// Ada prefers trains to planes. (chat/17, 0..29)
// signs #1 -> route #1 -> retrieve #1 -> match #1 -> lexical #1 -> fused #1
// about nitrogen: 0, in the scope of Bob: 0
// forgotten 2, left 1
