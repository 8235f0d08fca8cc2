namespace SkMmBert.Cli;

/// <summary>Where a verb's data goes: stdout, or a file that appears under its name only when it is whole.</summary>
internal sealed class OutputFile : IDisposable
{
    private readonly string? _path, _temporary;
    private readonly CancellationTokenRegistration _cancelled;
    private bool _done;

    private OutputFile(Stream stream, string? path, string? temporary, CancellationToken cancellationToken)
    {
        (Stream, _path, _temporary) = (stream, path, temporary);
        if (temporary is not null)
        {
            // Even where the verb still waits for input and will never get to its end.
            _cancelled = cancellationToken.Register(() => File.Delete(temporary));
        }
    }

    public Stream Stream { get; }

    public static OutputFile Open(FileInfo? file, Terminal terminal, CancellationToken cancellationToken = default)
    {
        if (file is null || file.ToString() == "-")
        {
            return new(new BufferedStream(terminal.Output, 1 << 16), null, null, cancellationToken);
        }

        if (Directory.Exists(file.FullName))
        {
            throw new InputException($"'{file}' is a folder. Expected: the name of a file to write.");
        }

        if (file.Directory is { Exists: false } folder)
        {
            throw new InputException($"There is no folder '{folder}'. Make it first, or write somewhere else.");
        }

        string temporary = $"{file.FullName}.{Guid.NewGuid():N}.tmp";
        return new(new FileStream(temporary, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.Delete, 1 << 16), file.FullName, temporary, cancellationToken);
    }

    /// <summary>Writes out what is buffered; a file gets its name.</summary>
    public void Complete()
    {
        Stream.Flush();
        if (Stream is FileStream file)
        {
            _cancelled.Dispose();
            _cancelled.Token.ThrowIfCancellationRequested();
            file.Flush(flushToDisk: true);
            file.Dispose();
            File.Move(_temporary!, _path!, overwrite: true);
        }

        _done = true;
    }

    public void Dispose()
    {
        _cancelled.Dispose();
        if (_temporary is not null && !_done)
        {
            Stream.Dispose();
            File.Delete(_temporary);
        }
    }
}
