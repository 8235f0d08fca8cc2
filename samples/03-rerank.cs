#:project ../src/SkMmBert/SkMmBert.csproj
#:package Microsoft.ML.OnnxRuntime
#:property PublishAot=false
using SkMmBert;

using MmBertModel model = MmBertModel.Open("models/mini-rerank");   // its folder has score heads
using var reranker = new MmBertReranker(model);

// Candidates of any search, in the order it gave.
Evidence[] found =
[
    new() { Id = "7", Text = "send_email: Send an email message", Source = "tools.json", Score = 0.41f },
    new() { Id = "3", Text = "get_weather: Get the current weather for a city", Source = "tools.json", Score = 0.38f },
    new() { Id = "9", Text = "book_flight: Book a flight between two airports", Source = "tools.json", Score = 0.35f },
];
IReadOnlyList<Evidence> best = await reranker.RerankAsync("What is the weather in Paris?", found, new RerankOptions { Top = 2 });
foreach (Evidence evidence in best)
{
    Console.WriteLine(FormattableString.Invariant($"{evidence.Score:0.00}  {evidence.Text}"));
}

// One score head for each exit and dimension: an earlier exit takes less time.
IReadOnlyList<Evidence> early = await reranker.RerankAsync("What is the weather in Paris?", found, new RerankOptions { Effort = RerankEffort.Exit(2) });
Console.WriteLine($"exits {string.Join(", ", reranker.Exits)}: at exit 2 the best is {early[0].Id}, trail {string.Join(" -> ", early[0].Trail.Select(stage => stage.Stage))}");

// prints
// 1.00  get_weather: Get the current weather for a city
// 0.59  send_email: Send an email message
// exits 1, 2, 3, 6: at exit 2 the best is 3, trail rerank
