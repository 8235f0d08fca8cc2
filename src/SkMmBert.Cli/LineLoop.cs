namespace SkMmBert.Cli;

/// <summary>Runs the inputs of a verb one by one.</summary>
internal static class LineLoop
{
    /// <summary>Hands out each input. What was written before a broken line is kept, then its error is thrown.</summary>
    public static async Task RunAsync(TextLines lines, string expected, bool plain, OutputFile output, ProgressLine progress, Func<InputLine, Task> each, CancellationToken cancellationToken)
    {
        long done = 0;
        try
        {
            foreach (InputLine input in JsonLines.Read(lines, expected, plain))
            {
                cancellationToken.ThrowIfCancellationRequested();
                await each(input);
                progress.Report(++done, lines.Part);
            }
        }
        catch (InputException)
        {
            output.Complete();
            throw;
        }

        output.Complete();
    }
}
