using System.Collections.Concurrent;

namespace SkMmBert.Hub.Tests;

/// <summary>Keeps every report, in order, without going through another thread.</summary>
internal sealed class Reports : IProgress<PullProgress>
{
    public ConcurrentQueue<PullProgress> All { get; } = new();

    public void Report(PullProgress value) => All.Enqueue(value);
}
