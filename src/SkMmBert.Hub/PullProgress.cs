namespace SkMmBert;

/// <summary>How far a download is.</summary>
/// <param name="File">The file that moved last.</param>
/// <param name="State">What is happening.</param>
/// <param name="Bytes">Bytes on disk, those of earlier attempts included.</param>
/// <param name="TotalBytes">Bytes of all files that are needed.</param>
/// <param name="BytesPerSecond">Speed of the last seconds; 0 until it is known.</param>
/// <param name="Remaining">Estimated time left; <see langword="null"/> until the speed is known.</param>
public readonly record struct PullProgress(string File, PullState State, long Bytes, long TotalBytes, double BytesPerSecond, TimeSpan? Remaining);

/// <summary>What a download is doing.</summary>
public enum PullState
{
    /// <summary>Bytes arrive.</summary>
    Downloading,

    /// <summary>Another process downloads the same file; its result will be used.</summary>
    Waiting,

    /// <summary>The server was busy or the connection dropped; the request will be repeated.</summary>
    Retrying,

    /// <summary>The hash is being checked.</summary>
    Verifying,

    /// <summary>Everything is in place.</summary>
    Done,
}
