using System.Runtime.InteropServices;

namespace SkMmBert;

/// <summary><see cref="AttentionKernel"/> as an operator of the graphs; threads are those of the run.</summary>
internal static unsafe class AttentionOperator
{
    /// <summary>Called by the runtime.</summary>
    [UnmanagedCallersOnly]
    internal static nint Compute(long* attributes, nint context) => OperatorCall.Guard(&Run, attributes, context);

    private static void Run(long* attributes, OperatorCall call)
    {
        (int heads, int size, int halfWindow, bool coarse) = ((int)attributes[0], (int)attributes[1], (int)attributes[2], attributes[3] != 0 && AttentionKernel.MayBeCoarse((int)attributes[1]));
        long* texts = (long*)call.Input(3);
        int count = (int)Volatile.Read(ref *texts), hidden = heads * size;
        if (count < 0)
        {
            throw new OperationCanceledException("The run was cancelled.");
        }

        long* starts = texts + 1;
        List<Stretch> stretches = [];
        for (int text = 0; text < count; text++)
        {
            int length = (int)(starts[text + 1] - starts[text]), step = halfWindow == 0 ? length : AttentionKernel.WindowStretch;
            for (int from = 0; from < length; from += step)
            {
                stretches.Add(new Stretch((int)starts[text], length, from, Math.Min(length, from + step)));
            }
        }

        fixed (Stretch* first = CollectionsMarshal.AsSpan(stretches))
        {
            Work work = new()
            {
                Layer = new(call.Input(0), call.Input(1), call.Input(2), call.Input(6), call.Input(4), call.Input(5), call.Output(0, 1, starts[count], hidden), hidden, size, halfWindow, coarse, (nint)texts),
                Stretches = first,
                Heads = heads,
            };
            call.For(stretches.Count * heads, &Part, &work);
            if (Volatile.Read(ref *texts) < 0)
            {
                throw new OperationCanceledException("The run was cancelled.");
            }

            if (work.HasFailed != 0)
            {
                throw new OutOfMemoryException($"There is no memory for the attention over {starts[count]} tokens. Expected: {8L * size * starts[count] / 1_000_000:N0} MB a thread; use shorter texts or fewer threads.");
            }
        }
    }

    // One head of one stretch; nothing may be thrown through the runtime.
    [UnmanagedCallersOnly]
    private static void Part(void* data, nuint index)
    {
        Work* work = (Work*)data;
        try
        {
            Stretch stretch = work->Stretches[(int)index / work->Heads];
            AttentionKernel.Layer layer = work->Layer with { IsCoarse = work->Layer.IsCoarse && stretch.Length >= AttentionKernel.CoarseLength };
            AttentionKernel.Run(layer, stretch.Start, stretch.Length, (int)index % work->Heads, stretch.From, stretch.To);
        }
        catch (OutOfMemoryException)
        {
            work->HasFailed = 1;
        }
    }

    private readonly record struct Stretch(int Start, int Length, int From, int To);

    private struct Work
    {
        public AttentionKernel.Layer Layer;
        public Stretch* Stretches;
        public int Heads, HasFailed;
    }
}
