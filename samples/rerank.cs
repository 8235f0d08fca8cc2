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
IReadOnlyList<Evidence> best = await reranker.RerankAsync("What is the weather in Paris?", found, new() { Top = 2 });
foreach (Evidence evidence in best)
{
    Console.WriteLine(FormattableString.Invariant($"{evidence.Score:0.00}  {evidence.Text}"));
}

// Twenty heads: an earlier exit takes less time, and with Progressive only the promising ones go on to the next.
float[] early = await reranker.ScoreAsync("What is the weather in Paris?", [found[1].Text]);
Console.WriteLine($"exits {string.Join(", ", reranker.Exits)}; dimensions {string.Join(", ", reranker.Dimensions)}");

// prints
// ?
