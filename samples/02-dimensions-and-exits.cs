#:project ../src/SkMmBert/SkMmBert.csproj
#:package Microsoft.ML.OnnxRuntime
#:property PublishAot=false
using System.Numerics.Tensors;
using Microsoft.Extensions.AI;
using SkMmBert;

using MmBertModel model = MmBertModel.Open("models/mini-embed");
var embedder = new MmBertEmbeddingGenerator(model);
string[] answers = ["The train to Zurich leaves at noon.", "Stir the soup for ten minutes.", "The invoice is due on Friday."];
string question = "When does the train to Zurich leave?";

// One model, many generators: an earlier exit costs less time, fewer dimensions less room. Each keeps its settings for itself.
Console.WriteLine("exit  dimensions  bytes  best answer                          ahead by");
foreach (int exit in model.Manifest.Exits)
{
    foreach (int dimensions in model.Manifest.Tiers)
    {
        IEmbeddingGenerator<string, Embedding<float>> view = embedder.WithExit(exit).WithDimensions(dimensions);
        var vectors = await view.GenerateAsync([question, .. answers]);
        var ranked = answers.Select((answer, i) => (answer, cosine: TensorPrimitives.Dot(vectors[0].Vector.Span, vectors[i + 1].Vector.Span))).OrderByDescending(r => r.cosine).ToArray();
        Console.WriteLine(FormattableString.Invariant($"{exit,4}{dimensions,12}{dimensions * sizeof(float),7}  {ranked[0].answer,-36} {ranked[0].cosine - ranked[1].cosine:0.00}"));
    }
}

// A short vector is the beginning of the long one, made to length 1 again.
ReadOnlyMemory<float> whole = await embedder.GenerateVectorAsync(question), brief = await embedder.WithDimensions(64).GenerateVectorAsync(question);
float[] prefix = whole[..64].ToArray();
TensorPrimitives.Divide(prefix, TensorPrimitives.Norm<float>(prefix), prefix);
Console.WriteLine($"64 of {whole.Length} dimensions are the prefix: {TensorPrimitives.Distance<float>(prefix, brief.Span) < 1e-6f}");

// prints
// exit  dimensions  bytes  best answer                          ahead by
//    1          64    256  The train to Zurich leaves at noon.  0.53
//    1         128    512  The train to Zurich leaves at noon.  0.54
//    1         256   1024  The train to Zurich leaves at noon.  0.57
//    2          64    256  The train to Zurich leaves at noon.  0.53
//    2         128    512  The train to Zurich leaves at noon.  0.54
//    2         256   1024  The train to Zurich leaves at noon.  0.58
//    3          64    256  The train to Zurich leaves at noon.  0.52
//    3         128    512  The train to Zurich leaves at noon.  0.53
//    3         256   1024  The train to Zurich leaves at noon.  0.57
//    6          64    256  The train to Zurich leaves at noon.  0.52
//    6         128    512  The train to Zurich leaves at noon.  0.53
//    6         256   1024  The train to Zurich leaves at noon.  0.57
// 64 of 256 dimensions are the prefix: True
