namespace SkMmBert;

/// <summary>Runs pieces of work side by side, one on each processor unless the model has threads of its own.</summary>
internal static class RerankStreams
{
    /// <summary>How many run at once.</summary>
    public static int Of(MmBertModel model) => model.Options.Threads is null ? Environment.ProcessorCount : 1;

    /// <summary>Runs all of them; what fails is thrown as it is, a cancellation before anything else.</summary>
    public static void Run(int streams, int count, CancellationToken cancellationToken, Action<int> body)
    {
        if (streams == 1 || count == 1)
        {
            for (int i = 0; i < count; i++)
            {
                cancellationToken.ThrowIfCancellationRequested();
                body(i);
            }

            return;
        }

        try
        {
            Parallel.For(0, count, new ParallelOptions { MaxDegreeOfParallelism = streams, CancellationToken = cancellationToken }, body);
        }
        catch (AggregateException error)
        {
            System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw(error.InnerExceptions.FirstOrDefault(inner => inner is OperationCanceledException) ?? error.InnerExceptions[0]);
        }
    }
}
