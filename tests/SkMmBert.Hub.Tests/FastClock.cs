using System.Collections.Concurrent;

namespace SkMmBert.Hub.Tests;

/// <summary>A clock whose timers run a hundred times faster, and which remembers what was asked of it.</summary>
internal sealed class FastClock : TimeProvider
{
    public ConcurrentQueue<TimeSpan> Asked { get; } = new();

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        if (dueTime > TimeSpan.Zero) Asked.Enqueue(dueTime);
        return base.CreateTimer(callback, state, dueTime > TimeSpan.Zero ? dueTime / 100 : dueTime, period);
    }
}
