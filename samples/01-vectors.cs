#:project ../src/SkMmBert/SkMmBert.csproj
#:package Microsoft.ML.OnnxRuntime
#:property PublishAot=false
using Microsoft.Extensions.AI;
using SkMmBert;

using MmBertModel model = MmBertModel.Open("models/mini-embed");   // a Hugging Face folder as it was downloaded
var embedder = new MmBertEmbeddingGenerator(model);                // IEmbeddingGenerator<string, Embedding<float>>

string[] texts = ["What is the weather like in Bern?", "Wie ist das Wetter in Bern?", "Send an email to my manager."];
var vectors = await embedder.GenerateAsync(texts, new EmbeddingGenerationOptions { Dimensions = 64 }.WithExit(3));
foreach (int other in new[] { 1, 2 })
{
    float cosine = System.Numerics.Tensors.TensorPrimitives.Dot(vectors[0].Vector.Span, vectors[other].Vector.Span);
    Console.WriteLine(FormattableString.Invariant($"{cosine:0.00}  {texts[other]}"));
}

// prints
// 0.81  Wie ist das Wetter in Bern?
// 0.09  Send an email to my manager.
