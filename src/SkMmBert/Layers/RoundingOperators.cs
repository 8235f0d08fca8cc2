using System.Runtime.InteropServices;

namespace SkMmBert;

/// <summary><see cref="RoundingKernel"/> as operators of the int8 graphs.</summary>
internal static unsafe class RoundingOperators
{
    private const int RowsOfAPart = 32;

    /// <summary>Called by the runtime: a row of states, a product added to it, its layer norm, and that in bytes.</summary>
    [UnmanagedCallersOnly]
    internal static nint Round(long* attributes, nint context) => OperatorCall.Guard(&RunRound, attributes, context);

    /// <summary>Called by the runtime: gelu(a)·b of the two products of a GeGLU in bytes.</summary>
    [UnmanagedCallersOnly]
    internal static nint Gate(long* attributes, nint context) => OperatorCall.Guard(&RunGate, attributes, context);

    // Inputs x [1, N, H], texts, weight [H], product [N, H], factors [N]; outputs bytes [N, H], scales [N, 1], sums [1, N, H].
    private static void RunRound(long* attributes, OperatorCall call)
    {
        long* texts = (long*)call.Input(1);
        (long width, long tokens) = (attributes[0], TokensOf(texts));
        Work work = new()
        {
            Rows = new(call.Input(0), call.Input(3), call.Input(4), call.Input(2), BitConverter.Int32BitsToSingle((int)attributes[1]), (int)width, call.Output(0, tokens, width), call.Output(1, tokens, 1), call.HasOutput(2) ? call.Output(2, 1, tokens, width) : 0),
            Tokens = (int)tokens,
        };
        call.For(((int)tokens + RowsOfAPart - 1) / RowsOfAPart, &RoundPart, &work);
    }

    // Inputs a [N, F], b [N, F], factors [N], texts; outputs bytes [N, F], scales [N, 1].
    private static void RunGate(long* attributes, OperatorCall call)
    {
        long* texts = (long*)call.Input(3);
        (long width, long tokens) = (attributes[0], TokensOf(texts));
        Work work = new()
        {
            Rows = new(call.Input(0), call.Input(1), call.Input(2), 0, 0f, (int)width, call.Output(0, tokens, width), call.Output(1, tokens, 1), 0),
            Tokens = (int)tokens,
        };
        call.For(((int)tokens + RowsOfAPart - 1) / RowsOfAPart, &GatePart, &work);
    }

    private static long TokensOf(long* texts)
    {
        long count = Volatile.Read(ref *texts);
        return count >= 0 ? texts[1 + count] : throw new OperationCanceledException("The run was cancelled.");
    }

    [UnmanagedCallersOnly]
    private static void RoundPart(void* data, nuint index)
    {
        Work* work = (Work*)data;
        for (int row = (int)index * RowsOfAPart; row < Math.Min(work->Tokens, ((int)index + 1) * RowsOfAPart); row++)
        {
            RoundingKernel.Round(work->Rows, row);
        }
    }

    [UnmanagedCallersOnly]
    private static void GatePart(void* data, nuint index)
    {
        Work* work = (Work*)data;
        for (int row = (int)index * RowsOfAPart; row < Math.Min(work->Tokens, ((int)index + 1) * RowsOfAPart); row++)
        {
            RoundingKernel.Gate(work->Rows, row);
        }
    }

    private struct Work
    {
        public RoundingKernel.Rows Rows;
        public int Tokens;
    }
}
