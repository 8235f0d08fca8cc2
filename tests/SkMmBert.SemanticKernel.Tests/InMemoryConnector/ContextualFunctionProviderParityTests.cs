using CommunityToolkit.VectorData.InMemory;
using Microsoft.Extensions.AI;
using Microsoft.SemanticKernel;
using Microsoft.SemanticKernel.Functions;
using Xunit;

namespace SkMmBert.SemanticKernel.Tests;

/// <summary>Our provider beside Semantic Kernel's own, over the same vectors.</summary>
public sealed class ContextualFunctionProviderParityTests
{
    [Theory]
    [InlineData("Get the weather forecast of Bern", "get_weather")]
    [InlineData("Play a song of an album", "play_music")]
    [InlineData("Switch a lamp on", "turn_on_light")]
    [InlineData("Translate into another language", "translate_text")]
    public async Task ModelInvoking_SameQuestion_BothGiveTheFunction(string question, string expected)
    {
        KernelFunction[] functions = Catalogue.Functions();
        using InMemoryVectorStore vectors = new(new() { EmbeddingGenerator = new HashedGenerator() });
        AIContextProvider theirs = new ContextualFunctionProvider(vectors, 256, functions, 3);
        AIContextProvider ours = new RoutedFunctionProvider(new ToolRouter(new HashedGenerator(), functions, new ToolRouterOptions { Top = 3 }));
        ChatMessage message = new(ChatRole.User, question);
        foreach (AIContextProvider provider in new[] { theirs, ours })
        {
            await provider.MessageAddingAsync("1", message);
            AIContext context = await provider.ModelInvokingAsync([message]);
            Assert.Equal(3, context.AIFunctions.Count);
            Assert.Equal(expected, context.AIFunctions[0].Name);
        }
    }

    [Fact]
    public async Task ModelInvoking_FunctionsOfOneName_AreNoErrorOfOurs()
    {
        KernelFunction[] functions = [.. Catalogue.Functions(), .. Catalogue.Functions()];
        using InMemoryVectorStore vectors = new(new() { EmbeddingGenerator = new HashedGenerator() });
        Assert.Throws<ArgumentException>(() => new ContextualFunctionProvider(vectors, 256, functions, 3));
        AIContext context = await new RoutedFunctionProvider(new ToolRouter(new HashedGenerator(), functions, new ToolRouterOptions { Top = 3 })).ModelInvokingAsync([new(ChatRole.User, "Play a song")]);
        Assert.Equal(3, context.AIFunctions.Count);
    }
}
