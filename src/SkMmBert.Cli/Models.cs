namespace SkMmBert.Cli;

/// <summary>Opens models for a verb and says what goes on.</summary>
internal static class Models
{
    public static MmBertModel Open(string folder, ModelOptions options, Terminal terminal)
    {
        using ProgressLine progress = new(terminal, "% of the graphs written");
        return MmBertModel.Open(folder, options with { Progress = new Report(part => progress.Report((long)(part * 100), part)) });
    }

    /// <summary>A generator; options that do not fit the model are wrong usage.</summary>
    public static MmBertEmbeddingGenerator Embedder(MmBertModel model, EmbeddingOptions options)
    {
        try
        {
            return new(model, options);
        }
        catch (ArgumentException error)
        {
            throw new InputException(WithoutParameter(error));
        }
    }

    private static string WithoutParameter(ArgumentException error)
    {
        int at = error.Message.LastIndexOf(" (Parameter ", StringComparison.Ordinal);
        return at < 0 ? error.Message : error.Message[..at];
    }

    private sealed class Report(Action<double> report) : IProgress<double>
    {
        void IProgress<double>.Report(double value) => report(value);
    }
}
