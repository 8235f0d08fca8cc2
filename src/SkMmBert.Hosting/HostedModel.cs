using Microsoft.Extensions.Logging;

namespace SkMmBert;

/// <summary>One model of the options: found and opened when it is needed, and able to say how it stands without opening it.</summary>
internal sealed partial class HostedModel(string name, string role, ModelFolders folders, ModelOptions options, ModelPool pool, ModelWarmUp warmUp, TimeProvider clock, ILogger logger)
{
    private readonly string _title = $"{(role == "embed" ? "embedding" : "reranking")} model '{name}'";
    private volatile PooledModel? _place;

    /// <summary>The opened model.</summary>
    /// <exception cref="DirectoryNotFoundException">There is no such folder.</exception>
    public MmBertModel Open()
    {
        long started = clock.GetTimestamp();
        try
        {
            PooledModel place = _place ?? pool.At(folders.Find(name, role, out string missing) ?? throw new DirectoryNotFoundException(missing), options);
            _place = place;
            MmBertModel model = place.Open(out bool opened);
            if (opened)
            {
                Opened(logger, model.Manifest.Folder, options.Precision, model.Device, (long)clock.GetElapsedTime(started).TotalMilliseconds);
            }

            return model;
        }
        catch (Exception error) when (error is not ObjectDisposedException)
        {
            Failed(logger, _title, error.Message);
            throw;
        }
    }

    /// <summary>How it stands now: whether work can be taken, a line about it, and what went wrong.</summary>
    public (bool Ready, string Line, Exception? Error) Report()
    {
        if (_place is { IsOpen: true })
        {
            return (true, $"{_title} is open", null);
        }

        if (folders.Find(name, role, out string missing) is null)
        {
            return (false, missing, null);
        }

        if (_place?.Error is { } error)
        {
            return (false, error.Message, error);
        }

        return warmUp == ModelWarmUp.None ? (true, $"{_title} opens with its first use", null) : (false, $"{_title} is still being opened", null);
    }

    [LoggerMessage(1, LogLevel.Information, "Opened the model {Folder} ({Precision}, {Device}) in {Milliseconds} ms.")]
    private static partial void Opened(ILogger logger, string folder, ModelPrecision precision, ModelDevice device, long milliseconds);

    [LoggerMessage(2, LogLevel.Error, "The {Title} could not be opened: {Reason}")]
    private static partial void Failed(ILogger logger, string title, string reason);
}
