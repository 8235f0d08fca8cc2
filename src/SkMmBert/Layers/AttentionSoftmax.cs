using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace SkMmBert;

/// <summary>The softmax of 32 queries over block after block of keys: maxima and sums so far, weights of one block (Milakov and Gimelshein 2018, arXiv:1805.02867).</summary>
/// <remarks>Queries lie in the lanes of two vectors, so that nothing is ever added up across lanes. Each method has few enough vectors to keep them all in registers.</remarks>
internal unsafe struct AttentionSoftmax
{
    /// <summary>Queries side by side.</summary>
    public const int Queries = 32;

    /// <summary>Largest whole number of a rounded weight; 96 products of it with the largest value add up within 32 bits.</summary>
    public const float LargestWeight = 10_922f;

    /// <summary>Numbers that a softmax carries along.</summary>
    public const int Room = 4 * Queries;

    private const float Least = -1e30f;   // finite: a block whose keys are all out of a query's window must not become NaN
    private const float C0 = 1f, C1 = 0.693147207f, C2 = 0.240226509f, C3 = 0.0555032723f, C4 = 0.00961805668f, C5 = 0.00134004282f, C6 = 0.000154614447f;

    private readonly float* _most;

    /// <summary>A softmax that has seen no key.</summary>
    /// <param name="room">Room for <see cref="Room"/> numbers.</param>
    public AttentionSoftmax(float* room)
    {
        _most = room;
        new Span<float>(room, Queries).Fill(Least);
        new Span<float>(Sum, Queries).Clear();
    }

    /// <summary>The sums so far, [32].</summary>
    public readonly float* Sum => _most + Queries;

    /// <summary>What the results so far are to be multiplied by before the last block's are added, [32].</summary>
    public readonly float* Less => _most + (2 * Queries);

    /// <summary>What the last block's results are to be multiplied by, [32].</summary>
    public readonly float* Share => _most + (3 * Queries);

    /// <summary>Integer products become scores: times the scale of each key and query.</summary>
    /// <param name="scores">The products, [rows, 32]; scores afterwards.</param>
    /// <param name="rows">Keys.</param>
    /// <param name="keyScales">A scale of each key.</param>
    /// <param name="queryScales">A scale of each query, [32].</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Scale(float* scores, int rows, float* keyScales, float* queryScales)
    {
        Vector512<float> left = Vector512.Load(queryScales), right = Vector512.Load(queryScales + 16);
        for (float* at = scores; rows > 0; rows--, at += Queries, keyScales++)
        {
            Vector512<float> key = Vector512.Create(*keyScales);
            (Vector512.ConvertToSingle(Vector512.Load((int*)at)) * (left * key)).Store(at);
            (Vector512.ConvertToSingle(Vector512.Load((int*)at + 16)) * (right * key)).Store(at + 16);
        }
    }

    /// <summary>Takes the scores of keys that are out of the queries' windows out of the running.</summary>
    /// <param name="scores">Scores, [rows, 32].</param>
    /// <param name="rows">Keys.</param>
    /// <param name="key">Place of the first key.</param>
    /// <param name="query">Place of the first query.</param>
    /// <param name="reach">How far from a query its keys may be.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Mask(float* scores, int rows, int key, int query, int reach)
    {
        Vector512<int> query0 = Vector512<int>.Indices + Vector512.Create(query), query1 = query0 + Vector512.Create(16);
        for (float* at = scores; rows > 0; rows--, at += Queries, key++)
        {
            if (key < query + Queries - 1 - reach || key > query + reach)
            {
                Vector512<int> low = Vector512.Create(key - reach), high = Vector512.Create(key + reach);
                Vector512<float> least = Vector512.Create(Least);
                Vector512.ConditionalSelect((Vector512.GreaterThanOrEqual(query0, low) & Vector512.LessThanOrEqual(query0, high)).AsSingle(), Vector512.Load(at), least).Store(at);
                Vector512.ConditionalSelect((Vector512.GreaterThanOrEqual(query1, low) & Vector512.LessThanOrEqual(query1, high)).AsSingle(), Vector512.Load(at + 16), least).Store(at + 16);
            }
        }
    }

    /// <summary>Scores become weights, as exponents of 2 above the largest so far.</summary>
    /// <param name="scores">Scores, [rows, 32]; weights afterwards.</param>
    /// <param name="rows">Keys.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public readonly void Weigh(float* scores, int rows)
    {
        (Vector512<float> most0, Vector512<float> most1) = Largest(scores, rows, Vector512.Load(_most), Vector512.Load(_most + 16));
        Vector512<float> less0 = Exp2(Vector512.Load(_most) - most0), less1 = Exp2(Vector512.Load(_most + 16) - most1);
        Vector512<float> sum0 = Vector512.Load(Sum) * less0, sum1 = Vector512.Load(Sum + 16) * less1;
        for (float* at = scores; rows > 0; rows--, at += Queries)
        {
            Vector512<float> p0 = Exp2(Vector512.Load(at) - most0), p1 = Exp2(Vector512.Load(at + 16) - most1);
            (sum0, sum1) = (sum0 + p0, sum1 + p1);
            p0.Store(at);
            p1.Store(at + 16);
        }

        Keep(most0, most1, less0, less1, sum0, sum1);
    }

    /// <summary>Scores become whole weights, two keys to a lane, of which the block's largest is <see cref="LargestWeight"/>: a strong key elsewhere in the text takes nothing from their precision.</summary>
    /// <param name="scores">Scores, [rows, 32]; pairs of weights afterwards, [rows / 2, 32].</param>
    /// <param name="rows">Keys.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public readonly void WeighWhole(float* scores, int rows)
    {
        (Vector512<float> top0, Vector512<float> top1) = Largest(scores, rows, Vector512.Create(Least), Vector512.Create(Least));
        Vector512<float> most0 = Avx512F.Max(Vector512.Load(_most), top0), most1 = Avx512F.Max(Vector512.Load(_most + 16), top1);
        Vector512<float> less0 = Exp2(Vector512.Load(_most) - most0), less1 = Exp2(Vector512.Load(_most + 16) - most1);
        Vector512<float> share0 = Exp2(top0 - most0) / LargestWeight, share1 = Exp2(top1 - most1) / LargestWeight, sum0 = Vector512<float>.Zero, sum1 = sum0;
        share0.Store(Share);
        share1.Store(Share + 16);
        (top0, top1) = (top0 - Vector512.Create(MathF.Log2(LargestWeight)), top1 - Vector512.Create(MathF.Log2(LargestWeight)));
        int* to = (int*)scores;
        for (float* at = scores; rows > 0; rows -= 2, at += 2 * Queries, to += Queries)
        {
            Vector512<float> p0 = Exp2(Vector512.Load(at) - top0), p1 = Exp2(Vector512.Load(at + 16) - top1), next0 = Vector512<float>.Zero, next1 = next0;
            if (rows > 1)
            {
                (next0, next1) = (Exp2(Vector512.Load(at + Queries) - top0), Exp2(Vector512.Load(at + Queries + 16) - top1));
            }

            (sum0, sum1) = (sum0 + p0 + next0, sum1 + p1 + next1);
            (Avx512F.ConvertToVector512Int32(p0) | (Avx512F.ConvertToVector512Int32(next0) << 16)).Store(to);
            (Avx512F.ConvertToVector512Int32(p1) | (Avx512F.ConvertToVector512Int32(next1) << 16)).Store(to + 16);
        }

        sum0 = Avx512F.FusedMultiplyAdd(sum0, share0, Vector512.Load(Sum) * less0);
        sum1 = Avx512F.FusedMultiplyAdd(sum1, share1, Vector512.Load(Sum + 16) * less1);
        Keep(most0, most1, less0, less1, sum0, sum1);
    }

    private readonly void Keep(Vector512<float> most0, Vector512<float> most1, Vector512<float> less0, Vector512<float> less1, Vector512<float> sum0, Vector512<float> sum1)
    {
        most0.Store(_most);
        most1.Store(_most + 16);
        sum0.Store(Sum);
        sum1.Store(Sum + 16);
        less0.Store(Less);
        less1.Store(Less + 16);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (Vector512<float> Most0, Vector512<float> Most1) Largest(float* scores, int rows, Vector512<float> most0, Vector512<float> most1)
    {
        for (; rows > 0; rows--, scores += Queries)
        {
            (most0, most1) = (Avx512F.Max(most0, Vector512.Load(scores)), Avx512F.Max(most1, Vector512.Load(scores + 16)));
        }

        return (most0, most1);
    }

    /// <summary>2^x for moderate x and all below: a polynomial on [-1/2, 1/2], relative error 3e-9, and the whole part into the exponent.</summary>
    /// <param name="x">Exponents.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector512<float> Exp2(Vector512<float> x)
    {
        Vector512<float> whole = Avx512F.RoundScale(x, 0), r = x - whole, p = Vector512.Create(C6);
        p = Avx512F.FusedMultiplyAdd(p, r, Vector512.Create(C5));
        p = Avx512F.FusedMultiplyAdd(p, r, Vector512.Create(C4));
        p = Avx512F.FusedMultiplyAdd(p, r, Vector512.Create(C3));
        p = Avx512F.FusedMultiplyAdd(p, r, Vector512.Create(C2));
        p = Avx512F.FusedMultiplyAdd(p, r, Vector512.Create(C1));
        p = Avx512F.FusedMultiplyAdd(p, r, Vector512.Create(C0));
        return Avx512F.Scale(p, whole);
    }
}
