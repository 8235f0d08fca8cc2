using System.CommandLine;

namespace SkMmBert.Cli;

/// <summary><c>memory</c>: a store of texts that can be asked. Its verbs: <see cref="MemoryWriting"/>, <see cref="MemoryRecall"/>, <see cref="MemoryCalibrating"/>, <see cref="MemoryUpkeep"/>.</summary>
internal static class MemoryVerb
{
    public static Command Create(Terminal terminal) => new("memory", "Remembers texts and finds them again as evidence.")
    {
        MemoryWriting.Add(terminal),
        MemoryRecall.Create(terminal),
        MemoryUpkeep.Forget(terminal),
        MemoryUpkeep.List(terminal),
        MemoryUpkeep.Check(terminal),
        MemoryCalibrating.Create(terminal),
        MemoryUpkeep.Export(terminal),
        MemoryWriting.Import(terminal),
        MemoryUpkeep.Reembed(terminal),
    };
}

/// <summary>What every verb of a memory takes, and the memory opened with it.</summary>
internal sealed class MemorySession : IDisposable
{
    private readonly MmBertModel _model;
    private readonly MemoryStore _store;
    private readonly Rerankers? _rerankers;

    private MemorySession(MmBertModel model, MmBertEmbeddingGenerator generator, MemoryStore store, Rerankers? rerankers)
    {
        (_model, _store, _rerankers) = (model, store, rerankers);
        Memory = new AgentMemory(generator, store, new MemoryOptions { Reranker = rerankers?.Reranker });
    }

    public AgentMemory Memory { get; }

    public static Command Verb(string name, string what, Terminal terminal, bool create, Func<ParseResult, Func<bool, MemorySession>, CancellationToken, Task<int>> run, params Symbol[] others)
    {
        SharedOptions shared = new();
        Option<string> store = new("--store") { Description = "A file, or a PostgreSQL address (postgres://… or Host=…).", Required = true };
        Command command = new(name, what) { store, shared.Json, shared.Model, shared.RerankModel, shared.Exit, shared.Dims, shared.Precision, shared.Threads, shared.ExitNorm };
        foreach (Symbol other in others)
        {
            if (other is Argument argument)
            {
                command.Add(argument);
            }
            else
            {
                command.Add((Option)other);
            }
        }

        command.SetAction(async (parsed, cancellationToken) =>
        {
            try
            {
                return await run(parsed, rerank => Open(parsed.GetValue(store)!, create, shared, parsed, rerank, terminal), cancellationToken);
            }
            catch (InvalidOperationException error) when (error.Message.Contains("ReembedAsync", StringComparison.Ordinal))
            {
                throw new InvalidOperationException(error.Message.Replace("with ReembedAsync", "with 'skmmbert memory reembed'"), error);
            }
        });
        return command;
    }

    public void Dispose()
    {
        _store.Dispose();
        _rerankers?.Dispose();
        _model.Dispose();
    }

    private static MemorySession Open(string where, bool create, SharedOptions shared, ParseResult parsed, bool rerank, Terminal terminal)
    {
        MemoryStore store = MemoryLocation.Open(where, create);
        MmBertModel? model = null;
        try
        {
            model = Models.Open(ModelNames.Find(parsed.GetValue(shared.Model)!, "embedder"), shared.ModelOptions(parsed), terminal);
            MmBertEmbeddingGenerator generator = Models.Embedder(model, shared.EmbeddingOptions(parsed));
            return new(model, generator, store, rerank ? Rerankers.Open(shared, parsed, new RerankOptions(), terminal) : null);
        }
        catch
        {
            model?.Dispose();
            store.Dispose();
            throw;
        }
    }
}
