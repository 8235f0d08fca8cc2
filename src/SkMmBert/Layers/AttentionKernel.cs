using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace SkMmBert;

/// <summary>Attention of one head over a stretch of one text, on the 512-bit instructions of the processor: no padding, no mask, no score matrix.</summary>
/// <remarks>
/// <para>32 queries at a time see 192 keys at a time; maxima, sums and results are carried along (Milakov and Gimelshein 2018, arXiv:1805.02867; Dao et al. 2022, arXiv:2205.14135).
/// Scores stand with the queries in the lanes of a vector, so that nothing is ever added up across lanes. A text's arithmetic is the same whatever stands beside it.</para>
/// <para>Letters: N tokens of all texts, H hidden, D head size, L keys.</para>
/// </remarks>
internal static unsafe class AttentionKernel
{
    private const int Queries = 32, Keys = 192, Rows = 8, Width = 32, Ahead = 12;
    private const float Least = -1e30f;   // finite: a block whose keys are all out of a query's window must not become NaN

    private const float C0 = 1f, C1 = 0.693147207f, C2 = 0.240226509f, C3 = 0.0555032723f, C4 = 0.00961805668f, C5 = 0.00134004282f, C6 = 0.000154614447f;

    /// <summary>Most queries of a stretch of a windowed layer; the keys around them fit the second-level cache.</summary>
    public const int WindowStretch = 512;

    /// <summary>From this length on, coarse scores of whole texts save more than their rounding costs.</summary>
    public const int CoarseLength = 256;

    /// <summary>Whether this processor has the instructions.</summary>
    public static bool IsSupported => Avx512F.IsSupported && Avx512BW.IsSupported;

    /// <summary>Whether scores of heads of this size may be coarse: 13-bit products of a whole row add up within 32 bits.</summary>
    public static bool MayBeCoarse(int headSize) => headSize % 16 == 0 && headSize <= 128;

    /// <summary>What the heads of a layer have in common.</summary>
    /// <param name="Q">Queries before rotation, [N, H]; keys, values and results lie in the same way.</param>
    /// <param name="K">Keys before rotation.</param>
    /// <param name="V">Values.</param>
    /// <param name="Scale">A factor of each token's query, key and value, [N]; null for none.</param>
    /// <param name="Cos">Cosines of the rotation, [positions, D/2]; null for none.</param>
    /// <param name="Sin">Sines of the rotation.</param>
    /// <param name="Result">Destination.</param>
    /// <param name="Hidden">H.</param>
    /// <param name="HeadSize">D, an even number.</param>
    /// <param name="HalfWindow">How far from a query its keys may be; 0 for any.</param>
    /// <param name="IsCoarse">Whether scores are products of 13-bit integers with a scale of each query and key, which int8 layers cannot tell from exact ones; D a multiple of 16.</param>
    /// <param name="Stop">A number that turns negative when the run is cancelled.</param>
    internal readonly record struct Layer(nint Q, nint K, nint V, nint Scale, nint Cos, nint Sin, nint Result, int Hidden, int HeadSize, int HalfWindow, bool IsCoarse, nint Stop);

    /// <summary>Attention of the queries <paramref name="from"/> to <paramref name="to"/> of a text.</summary>
    /// <param name="layer">The layer.</param>
    /// <param name="start">First token of the text.</param>
    /// <param name="length">Tokens of the text.</param>
    /// <param name="head">The head.</param>
    /// <param name="from">First query, counted from the start of the text.</param>
    /// <param name="to">Query after the last.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Run(in Layer layer, int start, int length, int head, int from, int to)
    {
        int size = layer.HeadSize, wide = (size + Width - 1) / Width * Width, reach = layer.HalfWindow == 0 ? length : layer.HalfWindow;
        int first = Math.Max(0, from - reach), keys = Math.Min(length, to + reach) - first, room = (keys + Rows - 1) / Rows * Rows;
        nuint floats = (nuint)((room * (size + wide + 1)) + (Queries * (size + wide + Keys + 3)));
        float* k = (float*)NativeMemory.AlignedAlloc(floats * sizeof(float), 64);
        try
        {
            float* v = k + (room * size), q = v + (room * wide), scores = q + (Queries * size), result = scores + (Queries * Keys), lanes = result + (Queries * wide), scales = lanes + (3 * Queries), row = stackalloc float[size];
            for (int i = 0; i < keys; i++)
            {
                Fetch(layer, layer.K, start + first + Math.Min(i + Ahead, keys - 1), head);
                Fetch(layer, layer.V, start + first + Math.Min(i + Ahead, keys - 1), head);
                Rotate(layer, layer.K, start, first + i, head, 1f, layer.IsCoarse ? row : k + (i * size));
                if (layer.IsCoarse)
                {
                    scales[i] = Round(row, size, (short*)k + (i * size));
                }

                CopyValue(layer, start + first + i, head, v + (i * Width), room * Width, wide);
            }

            new Span<float>(k + (keys * size), (room - keys) * size).Clear();
            for (int at = from; at < to && Volatile.Read(ref *(long*)layer.Stop) >= 0; at += Queries)
            {
                int count = Math.Min(Queries, to - at);
                new Span<float>(q, Queries * size).Clear();
                for (int i = 0; i < count; i++)
                {
                    Fetch(layer, layer.Q, start + Math.Min(at + i + Ahead, to - 1), head);
                    Rotate(layer, layer.Q, start, at + i, head, 1.44269504f / MathF.Sqrt(size), row);   // scores are exponents of 2
                    if (layer.IsCoarse)
                    {
                        lanes[(2 * Queries) + i] = Round(row, size, (short*)row);   // in place: two to a float
                    }

                    for (int d = 0; d < (layer.IsCoarse ? size / 2 : size); d++)
                    {
                        q[(d * Queries) + i] = row[d];
                    }
                }

                Tile(layer, q, k, v, scores, result, lanes, scales, at - first, count, keys, room, wide);
                for (int i = 0; i < count; i++)
                {
                    Put((float*)layer.Result + ((long)(start + at + i) * layer.Hidden) + (head * size), result + (i * wide), 1f / lanes[Queries + i], size);
                }
            }
        }
        finally
        {
            NativeMemory.AlignedFree(k);
        }
    }

    // The results of 32 queries, each short of the factor 1 / sum; at: the first query's place among the keys.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Tile(in Layer layer, float* q, float* k, float* v, float* scores, float* result, float* lanes, float* scales, int at, int count, int keys, int room, int wide)
    {
        int size = layer.HeadSize, reach = layer.HalfWindow == 0 ? int.MaxValue / 4 : layer.HalfWindow;
        int begin = Math.Max(0, at - reach), end = (int)Math.Min(keys, (long)at + count + reach);
        Vector512<float> most0 = Vector512.Create(Least), most1 = most0, sum0 = Vector512<float>.Zero, sum1 = sum0;
        Vector512<int> query0 = Vector512<int>.Indices + Vector512.Create(at), query1 = query0 + Vector512.Create(16);
        new Span<float>(result, Queries * wide).Clear();
        for (int block = begin / Rows * Rows; block < end; block += Keys)
        {
            int used = Math.Min(Keys, end - block);
            for (int row = 0; row < used; row += Rows)
            {
                if (layer.IsCoarse)
                {
                    MultiplyPairs((int*)k + ((block + row) * size / 2), (int*)q, size / 2, scores + (row * Queries), scales + block + row, lanes + (2 * Queries));
                }
                else
                {
                    Multiply(k + ((block + row) * size), size, 1, q, size, scores + (row * Queries), Queries, accumulate: false);
                }
            }

            Vector512<float> new0 = most0, new1 = most1;
            for (int row = 0; row < used; row++)
            {
                float* at_ = scores + (row * Queries);
                Vector512<float> s0 = Vector512.Load(at_), s1 = Vector512.Load(at_ + 16);
                int key = block + row;
                if (key < at + Queries - 1 - reach || key > at + reach)
                {
                    Vector512<int> low = Vector512.Create(key - reach), high = Vector512.Create(key + reach);
                    s0 = Vector512.ConditionalSelect((Vector512.GreaterThanOrEqual(query0, low) & Vector512.LessThanOrEqual(query0, high)).AsSingle(), s0, Vector512.Create(Least));
                    s1 = Vector512.ConditionalSelect((Vector512.GreaterThanOrEqual(query1, low) & Vector512.LessThanOrEqual(query1, high)).AsSingle(), s1, Vector512.Create(Least));
                    s0.Store(at_);
                    s1.Store(at_ + 16);
                }

                (new0, new1) = (Avx512F.Max(new0, s0), Avx512F.Max(new1, s1));
            }

            Vector512<float> less0 = Exp2(most0 - new0), less1 = Exp2(most1 - new1);
            (most0, most1, sum0, sum1) = (new0, new1, sum0 * less0, sum1 * less1);
            for (int row = 0; row < used; row++)
            {
                float* at_ = scores + (row * Queries);
                Vector512<float> p0 = Exp2(Vector512.Load(at_) - new0), p1 = Exp2(Vector512.Load(at_ + 16) - new1);
                (sum0, sum1) = (sum0 + p0, sum1 + p1);
                p0.Store(at_);
                p1.Store(at_ + 16);
            }

            if (block > begin)
            {
                less0.Store(lanes);
                less1.Store(lanes + 16);
                Shrink(result, lanes, count, wide);
            }

            for (int column = 0; column < wide; column += Width)
            {
                float* values = v + ((long)column * room) + (block * Width);
                for (int row = 0; row < count; row += Rows)
                {
                    Multiply(scores + row, 1, Queries, values, used, result + (row * wide) + column, wide, accumulate: true);
                }
            }
        }

        sum0.Store(lanes + Queries);
        sum1.Store(lanes + Queries + 16);
    }

    private static void Put(float* to, float* row, float factor, int size)
    {
        int d = 0;
        for (; d + 16 <= size; d += 16)
        {
            (Vector512.Load(row + d) * factor).Store(to + d);
        }

        for (; d < size; d++)
        {
            to[d] = row[d] * factor;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Shrink(float* result, float* factors, int rows, int wide)
    {
        for (int row = 0; row < rows; row++)
        {
            if (factors[row] != 1f)
            {
                Put(result + (row * wide), result + (row * wide), factors[row], wide);
            }
        }
    }

    // The rows of a head lie H apart, too far for the processor to see the pattern by itself.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Fetch(in Layer layer, nint tensor, int token, int head)
    {
        float* x = (float*)tensor + ((long)token * layer.Hidden) + (head * layer.HeadSize);
        for (int d = 0; d < layer.HeadSize; d += 16)
        {
            Sse.Prefetch0(x + d);
        }
    }

    // One token's query or key of a head: rotated (half-split, GPT-NeoX), times the token's factor and another.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Rotate(in Layer layer, nint tensor, int start, int position, int head, float factor, float* to)
    {
        int size = layer.HeadSize, half = size / 2, d = 0;
        float* x = (float*)tensor + ((long)(start + position) * layer.Hidden) + (head * size);
        factor *= layer.Scale == 0 ? 1f : ((float*)layer.Scale)[start + position];
        if (layer.Cos == 0)
        {
            for (; d < size; d++)
            {
                to[d] = x[d] * factor;
            }

            return;
        }

        float* cos = (float*)layer.Cos + ((long)position * half), sin = (float*)layer.Sin + ((long)position * half);
        for (; d + 16 <= half; d += 16)
        {
            Vector512<float> c = Vector512.Load(cos + d) * factor, s = Vector512.Load(sin + d) * factor, x0 = Vector512.Load(x + d), x1 = Vector512.Load(x + half + d);
            ((x0 * c) - (x1 * s)).Store(to + d);
            ((x1 * c) + (x0 * s)).Store(to + half + d);
        }

        for (; d < half; d++)
        {
            (float c, float s) = (cos[d] * factor, sin[d] * factor);
            to[d] = (x[d] * c) - (x[half + d] * s);
            to[half + d] = (x[half + d] * c) + (x[d] * s);
        }
    }

    // One token's value of a head, in panels of 32 columns.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void CopyValue(in Layer layer, int token, int head, float* to, int panel, int wide)
    {
        int size = layer.HeadSize;
        float* x = (float*)layer.V + ((long)token * layer.Hidden) + (head * size);
        float factor = layer.Scale == 0 ? 1f : ((float*)layer.Scale)[token];
        for (int column = 0; column < wide; column += Width, to += panel)
        {
            if (column + Width <= size)
            {
                (Vector512.Load(x + column) * factor).Store(to);
                (Vector512.Load(x + column + 16) * factor).Store(to + 16);
                continue;
            }

            for (int d = 0; d < Width; d++)
            {
                to[d] = column + d < size ? x[column + d] * factor : 0f;
            }
        }
    }

    // 2^x for x <= 0: a polynomial on [-1/2, 1/2], relative error 3e-9, and the whole part into the exponent.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<float> Exp2(Vector512<float> x)
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

    // c[8, 32] (+)= a[8, inner]·b[inner, 32]: sixteen sums in registers; a by any two strides, b packed.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Multiply(float* a, nint rowStride, nint step, float* b, int inner, float* c, nint resultStride, bool accumulate)
    {
        Vector512<float> c00 = default, c01 = default, c10 = default, c11 = default, c20 = default, c21 = default, c30 = default, c31 = default;
        Vector512<float> c40 = default, c41 = default, c50 = default, c51 = default, c60 = default, c61 = default, c70 = default, c71 = default;
        float* a0 = a, a1 = a0 + rowStride, a2 = a1 + rowStride, a3 = a2 + rowStride, a4 = a3 + rowStride, a5 = a4 + rowStride, a6 = a5 + rowStride, a7 = a6 + rowStride;
        if (accumulate)
        {
            (c00, c01) = (Vector512.Load(c + (0 * resultStride)), Vector512.Load(c + (0 * resultStride) + 16));
            (c10, c11) = (Vector512.Load(c + (1 * resultStride)), Vector512.Load(c + (1 * resultStride) + 16));
            (c20, c21) = (Vector512.Load(c + (2 * resultStride)), Vector512.Load(c + (2 * resultStride) + 16));
            (c30, c31) = (Vector512.Load(c + (3 * resultStride)), Vector512.Load(c + (3 * resultStride) + 16));
            (c40, c41) = (Vector512.Load(c + (4 * resultStride)), Vector512.Load(c + (4 * resultStride) + 16));
            (c50, c51) = (Vector512.Load(c + (5 * resultStride)), Vector512.Load(c + (5 * resultStride) + 16));
            (c60, c61) = (Vector512.Load(c + (6 * resultStride)), Vector512.Load(c + (6 * resultStride) + 16));
            (c70, c71) = (Vector512.Load(c + (7 * resultStride)), Vector512.Load(c + (7 * resultStride) + 16));
        }

        nint at = 0;
        for (; inner > 0; inner--, at += step, b += Width)
        {
            Vector512<float> b0 = Vector512.Load(b), b1 = Vector512.Load(b + 16), x = Vector512.Create(a0[at]);
            c00 = Avx512F.FusedMultiplyAdd(x, b0, c00);
            c01 = Avx512F.FusedMultiplyAdd(x, b1, c01);
            x = Vector512.Create(a1[at]);
            c10 = Avx512F.FusedMultiplyAdd(x, b0, c10);
            c11 = Avx512F.FusedMultiplyAdd(x, b1, c11);
            x = Vector512.Create(a2[at]);
            c20 = Avx512F.FusedMultiplyAdd(x, b0, c20);
            c21 = Avx512F.FusedMultiplyAdd(x, b1, c21);
            x = Vector512.Create(a3[at]);
            c30 = Avx512F.FusedMultiplyAdd(x, b0, c30);
            c31 = Avx512F.FusedMultiplyAdd(x, b1, c31);
            x = Vector512.Create(a4[at]);
            c40 = Avx512F.FusedMultiplyAdd(x, b0, c40);
            c41 = Avx512F.FusedMultiplyAdd(x, b1, c41);
            x = Vector512.Create(a5[at]);
            c50 = Avx512F.FusedMultiplyAdd(x, b0, c50);
            c51 = Avx512F.FusedMultiplyAdd(x, b1, c51);
            x = Vector512.Create(a6[at]);
            c60 = Avx512F.FusedMultiplyAdd(x, b0, c60);
            c61 = Avx512F.FusedMultiplyAdd(x, b1, c61);
            x = Vector512.Create(a7[at]);
            c70 = Avx512F.FusedMultiplyAdd(x, b0, c70);
            c71 = Avx512F.FusedMultiplyAdd(x, b1, c71);
        }

        c00.Store(c);
        c01.Store(c + 16);
        c10.Store(c + (1 * resultStride));
        c11.Store(c + (1 * resultStride) + 16);
        c20.Store(c + (2 * resultStride));
        c21.Store(c + (2 * resultStride) + 16);
        c30.Store(c + (3 * resultStride));
        c31.Store(c + (3 * resultStride) + 16);
        c40.Store(c + (4 * resultStride));
        c41.Store(c + (4 * resultStride) + 16);
        c50.Store(c + (5 * resultStride));
        c51.Store(c + (5 * resultStride) + 16);
        c60.Store(c + (6 * resultStride));
        c61.Store(c + (6 * resultStride) + 16);
        c70.Store(c + (7 * resultStride));
        c71.Store(c + (7 * resultStride) + 16);
    }

    // c[8, 32] = a[8, pairs]·b[pairs, 32] of pairs of 16-bit integers, times the scales of rows and columns.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void MultiplyPairs(int* a, int* b, int pairs, float* c, float* keyScales, float* queryScales)
    {
        Vector512<int> c00 = default, c01 = default, c10 = default, c11 = default, c20 = default, c21 = default, c30 = default, c31 = default;
        Vector512<int> c40 = default, c41 = default, c50 = default, c51 = default, c60 = default, c61 = default, c70 = default, c71 = default;
        int* a0 = a, a1 = a0 + pairs, a2 = a1 + pairs, a3 = a2 + pairs, a4 = a3 + pairs, a5 = a4 + pairs, a6 = a5 + pairs, a7 = a6 + pairs;
        for (nint at = 0; at < pairs; at++, b += Width)
        {
            Vector512<short> b0 = Vector512.Load(b).AsInt16(), b1 = Vector512.Load(b + 16).AsInt16(), x = Vector512.Create(a0[at]).AsInt16();
            c00 += Avx512BW.MultiplyAddAdjacent(x, b0);
            c01 += Avx512BW.MultiplyAddAdjacent(x, b1);
            x = Vector512.Create(a1[at]).AsInt16();
            c10 += Avx512BW.MultiplyAddAdjacent(x, b0);
            c11 += Avx512BW.MultiplyAddAdjacent(x, b1);
            x = Vector512.Create(a2[at]).AsInt16();
            c20 += Avx512BW.MultiplyAddAdjacent(x, b0);
            c21 += Avx512BW.MultiplyAddAdjacent(x, b1);
            x = Vector512.Create(a3[at]).AsInt16();
            c30 += Avx512BW.MultiplyAddAdjacent(x, b0);
            c31 += Avx512BW.MultiplyAddAdjacent(x, b1);
            x = Vector512.Create(a4[at]).AsInt16();
            c40 += Avx512BW.MultiplyAddAdjacent(x, b0);
            c41 += Avx512BW.MultiplyAddAdjacent(x, b1);
            x = Vector512.Create(a5[at]).AsInt16();
            c50 += Avx512BW.MultiplyAddAdjacent(x, b0);
            c51 += Avx512BW.MultiplyAddAdjacent(x, b1);
            x = Vector512.Create(a6[at]).AsInt16();
            c60 += Avx512BW.MultiplyAddAdjacent(x, b0);
            c61 += Avx512BW.MultiplyAddAdjacent(x, b1);
            x = Vector512.Create(a7[at]).AsInt16();
            c70 += Avx512BW.MultiplyAddAdjacent(x, b0);
            c71 += Avx512BW.MultiplyAddAdjacent(x, b1);
        }

        Vector512<float> left = Vector512.Load(queryScales), right = Vector512.Load(queryScales + 16);
        (Vector512.ConvertToSingle(c00) * (left * keyScales[0])).Store(c);
        (Vector512.ConvertToSingle(c01) * (right * keyScales[0])).Store(c + 16);
        (Vector512.ConvertToSingle(c10) * (left * keyScales[1])).Store(c + 32);
        (Vector512.ConvertToSingle(c11) * (right * keyScales[1])).Store(c + 48);
        (Vector512.ConvertToSingle(c20) * (left * keyScales[2])).Store(c + 64);
        (Vector512.ConvertToSingle(c21) * (right * keyScales[2])).Store(c + 80);
        (Vector512.ConvertToSingle(c30) * (left * keyScales[3])).Store(c + 96);
        (Vector512.ConvertToSingle(c31) * (right * keyScales[3])).Store(c + 112);
        (Vector512.ConvertToSingle(c40) * (left * keyScales[4])).Store(c + 128);
        (Vector512.ConvertToSingle(c41) * (right * keyScales[4])).Store(c + 144);
        (Vector512.ConvertToSingle(c50) * (left * keyScales[5])).Store(c + 160);
        (Vector512.ConvertToSingle(c51) * (right * keyScales[5])).Store(c + 176);
        (Vector512.ConvertToSingle(c60) * (left * keyScales[6])).Store(c + 192);
        (Vector512.ConvertToSingle(c61) * (right * keyScales[6])).Store(c + 208);
        (Vector512.ConvertToSingle(c70) * (left * keyScales[7])).Store(c + 224);
        (Vector512.ConvertToSingle(c71) * (right * keyScales[7])).Store(c + 240);
    }

    // Rounds a row to integers of 13 bits (64 products of them add up within 32) and gives their scale; the destination may be the row.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static float Round(float* row, int size, short* to)
    {
        const float largest = 4_095f;
        Vector512<float> most = Vector512<float>.Zero;
        for (int d = 0; d < size; d += 16)
        {
            most = Vector512.Max(most, Vector512.Abs(Vector512.Load(row + d)));
        }

        Vector256<float> half = Vector256.Max(most.GetLower(), most.GetUpper());
        Vector128<float> four = Vector128.Max(half.GetLower(), half.GetUpper());
        float max = MathF.Max(MathF.Max(MathF.Max(four[0], four[1]), MathF.Max(four[2], four[3])), 1e-30f), factor = largest / max;
        for (int d = 0; d < size; d += 16)
        {
            Avx512F.ConvertToVector256Int16(Avx512F.ConvertToVector512Int32(Vector512.Load(row + d) * factor)).Store(to + d);
        }

        return max / largest;
    }
}
