using Microsoft.Extensions.AI;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace SkMmBert.Packages.Tests.Docs;

/// <summary>Names that a piece of C# on a page may use without declaring them: what a reader takes for granted there.</summary>
public static class Names
{
    public static readonly MmBertModel model = null!;
    public static readonly MmBertEmbeddingGenerator embedder = null!;
    public static readonly IEmbeddingGenerator<string, Embedding<float>> generator = null!;
    public static readonly MmBertReranker reranker = null!;
    public static readonly IList<AITool> tools = null!;
    public static readonly ToolRouter router = null!;
    public static readonly AgentMemory memory = null!;
    public static readonly MemoryStore store = null!;
    public static readonly IReadOnlyList<Evidence> found = null!, evidence = null!;
    public static readonly IChatClient inner = null!, chat = null!;
    public static readonly IHostApplicationBuilder builder = null!;
    public static readonly IServiceCollection services = null!;
    public static readonly IReadOnlyList<string> texts = null!;
    public static readonly string query = "", question = "", text = "", connection = "";
    public static readonly CancellationToken cancellationToken;
}
