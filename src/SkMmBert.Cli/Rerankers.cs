using System.CommandLine;

namespace SkMmBert.Cli;

/// <summary>Opens the reranker of a verb; disposing closes it and its model.</summary>
internal sealed class Rerankers : IDisposable
{
    private readonly MmBertModel _model;

    private Rerankers(MmBertModel model, MmBertReranker reranker) => (_model, Reranker) = (model, reranker);

    public MmBertReranker Reranker { get; }

    public static Rerankers Open(SharedOptions shared, ParseResult parsed, RerankOptions options, Terminal terminal)
    {
        string folder = ModelNames.Find(parsed.GetValue(shared.RerankModel)!, "reranker");
        MmBertModel model = Models.Open(folder, shared.ModelOptions(parsed) with { ExitNorm = null, Threads = SharedOptions.AtLeastOne(parsed, shared.Threads) }, terminal);
        try
        {
            return new(model, new MmBertReranker(model, options));
        }
        catch (Exception error)
        {
            model.Dispose();
            throw error is ArgumentException ? new InputException(Models.OfTheCommandLine(error.Message)) : error;
        }
    }

    public void Dispose()
    {
        Reranker.Dispose();
        _model.Dispose();
    }
}
