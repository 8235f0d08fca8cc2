namespace SkMmBert.Cli;

/// <summary>Opens models for a verb and says what goes on.</summary>
internal static class Models
{
    /// <summary>What every model of this program runs on.</summary>
    public static ModelDevice Device => ExecutionDevice.Resolve(ModelDevice.Auto);

    public static MmBertModel Open(string folder, ModelOptions options, Terminal terminal)
    {
        using ProgressLine progress = new(terminal, "% of the graphs written");
        return MmBertModel.Open(folder, options with { Device = ModelDevice.Auto, Progress = new Report(part => progress.Report((long)(part * 100), part)) });
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
            throw new InputException(OfTheCommandLine(error.Message));
        }
    }

    // What only a program can do is left out: the parameter's name and the option to set.
    public static string OfTheCommandLine(string message)
    {
        int end = new[] { message.IndexOf("; set ", StringComparison.Ordinal), message.LastIndexOf(" (Parameter ", StringComparison.Ordinal), message.Length }.Where(at => at > 0).Min();
        return message[..end].TrimEnd('.') + ".";
    }

    private sealed class Report(Action<double> report) : IProgress<double>
    {
        void IProgress<double>.Report(double value) => report(value);
    }
}
