using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace SkMmBert;

/// <summary>Attention of one head over a stretch of one text, on the 512-bit instructions of the processor: no padding, no mask, no score matrix.</summary>
/// <remarks>
/// <para>32 queries at a time see 96 keys at a time; maxima, sums and results are carried along (Dao et al. 2022, arXiv:2205.14135).
/// A text's arithmetic is the same whatever stands beside it.</para>
/// <para>Letters: N tokens of all texts, H hidden, D head size, L keys.</para>
/// </remarks>
internal static unsafe class AttentionKernel
{
    private const int Queries = AttentionSoftmax.Queries, Keys = 96, Rows = AttentionProducts.Rows, Width = AttentionProducts.Width, Ahead = 12;

    /// <summary>Most queries of a stretch of a windowed layer; the keys around them fit the second-level cache.</summary>
    public const int WindowStretch = 512;

    /// <summary>From this length on, coarse products save more than their rounding costs.</summary>
    public const int CoarseLength = 96;

    /// <summary>Whether this processor has the instructions.</summary>
    public static bool IsSupported => Avx512F.IsSupported && Avx512BW.IsSupported;

    /// <summary>Whether products of heads of this size may be coarse: those of a whole row add up within 32 bits.</summary>
    public static bool MayBeCoarse(int headSize) => headSize % 16 == 0 && headSize <= 128;

    /// <summary>What the heads of a layer have in common.</summary>
    /// <param name="Q">Queries before rotation, [N, H]; keys, values and results lie in the same way.</param>
    /// <param name="K">Keys before rotation.</param>
    /// <param name="V">Values.</param>
    /// <param name="Scale">A factor of each token's query, key and value, [N]; null for none.</param>
    /// <param name="Cos">Cosines of the rotation, [positions, D/2]; null for none.</param>
    /// <param name="Sin">Sines of the rotation.</param>
    /// <param name="Output">Destination.</param>
    /// <param name="Hidden">H.</param>
    /// <param name="HeadSize">D, an even number.</param>
    /// <param name="HalfWindow">How far from a query its keys may be; 0 for any.</param>
    /// <param name="IsCoarse">Whether products are those of 12- to 14-bit integers with a scale of each query, key, column of values and block of weights, which int8 layers cannot tell from exact ones; D a multiple of 16.</param>
    /// <param name="Stop">A number that turns negative when the run is cancelled.</param>
    internal readonly record struct Layer(nint Q, nint K, nint V, nint Scale, nint Cos, nint Sin, nint Output, int Hidden, int HeadSize, int HalfWindow, bool IsCoarse, nint Stop);

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
        int size = layer.HeadSize, reach = layer.HalfWindow == 0 ? length : layer.HalfWindow, first = Math.Max(0, from - reach), keys = Math.Min(length, to + reach) - first;
        float* room = (float*)NativeMemory.AlignedAlloc((nuint)new Stretch(null, keys, size, layer.IsCoarse).End, 64);
        try
        {
            Stretch stretch = new(room, keys, size, layer.IsCoarse);
            CopyKeys(layer, stretch, start, first, head);
            CopyValues(layer, stretch, start + first, head);
            for (int at = from; at < to && Volatile.Read(ref *(long*)layer.Stop) >= 0; at += Queries)
            {
                int count = Math.Min(Queries, to - at);
                CopyQueries(layer, stretch, start, at, count, to - 1, head);
                float* sums = Tile(layer, stretch, at - first, count);
                for (int i = 0; i < count; i++)
                {
                    Put((float*)layer.Output + ((long)(start + at + i) * layer.Hidden) + (head * size), stretch.Weighted + (i * stretch.Wide), 1f / sums[i], stretch.ValueScales, size);
                }
            }
        }
        finally
        {
            NativeMemory.AlignedFree(room);
        }
    }

    // Keys, values and queries of a head, packed; coarse ones as pairs of 16-bit integers, two to a float. All in one piece of memory.
    private readonly struct Stretch
    {
        public readonly float* Q, Scores, Weighted, Added, Lanes, QueryScales, ValueScales, K, V, KeyScales, End;
        public readonly int Keys, Room, Wide, ToAFloat;

        public Stretch(float* start, int keys, int size, bool isCoarse)
        {
            (Keys, Room, Wide, ToAFloat) = (keys, (keys + Rows - 1) / Rows * Rows, (size + Width - 1) / Width * Width, isCoarse ? 2 : 1);
            Q = start;
            Scores = Q + (Queries * size);
            Weighted = Scores + (Queries * AttentionKernel.Keys);
            Added = Weighted + (Queries * Wide);
            Lanes = Added + (Queries * Wide);
            QueryScales = Lanes + AttentionSoftmax.Room;
            ValueScales = QueryScales + Queries;
            K = ValueScales + Wide;
            V = K + (Room * size / ToAFloat);
            KeyScales = V + (Room * Wide / ToAFloat);
            End = KeyScales + Room;
        }
    }

    // The results of 32 queries, each short of the factor 1 / sum, and the sums; at: the first query's place among the keys.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static float* Tile(in Layer layer, in Stretch stretch, int at, int count)
    {
        int size = layer.HeadSize, wide = stretch.Wide, reach = layer.HalfWindow == 0 ? int.MaxValue / 4 : layer.HalfWindow;
        int begin = Math.Max(0, at - reach), end = (int)Math.Min(stretch.Keys, (long)at + count + reach);
        AttentionSoftmax softmax = new(stretch.Lanes);
        new Span<float>(stretch.Weighted, Queries * wide).Clear();
        for (int block = begin / Rows * Rows; block < end; block += Keys)
        {
            int used = Math.Min(Keys, end - block);
            for (int row = 0; row < used; row += Rows)
            {
                float* to = stretch.Scores + (row * Queries);
                if (layer.IsCoarse)
                {
                    AttentionProducts.Multiply<int, AttentionProducts.Pair>((int*)stretch.K + ((block + row) * size / 2), size / 2, 1, (int*)stretch.Q, size / 2, (int*)to, Queries, accumulate: false);
                }
                else
                {
                    AttentionProducts.Multiply<float, AttentionProducts.Single>(stretch.K + ((block + row) * size), size, 1, stretch.Q, size, to, Queries, accumulate: false);
                }
            }

            if (layer.IsCoarse)
            {
                AttentionSoftmax.Scale(stretch.Scores, used, stretch.KeyScales + block, stretch.QueryScales);
            }

            if (layer.HalfWindow != 0)
            {
                AttentionSoftmax.Mask(stretch.Scores, used, block, at, reach);
            }

            if (layer.IsCoarse)
            {
                softmax.WeighWhole(stretch.Scores, used);
                AddWhole(stretch, softmax, block, used, count);
            }
            else
            {
                softmax.Weigh(stretch.Scores, used);
                Add(stretch, softmax, block, used, count);
            }
        }

        return softmax.Sum;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Add(in Stretch stretch, AttentionSoftmax softmax, int block, int used, int count)
    {
        for (int row = 0; row < count; row++)
        {
            if (softmax.Less[row] != 1f)
            {
                float* result = stretch.Weighted + (row * stretch.Wide);
                for (int d = 0; d < stretch.Wide; d += 16)
                {
                    (Vector512.Load(result + d) * softmax.Less[row]).Store(result + d);
                }
            }
        }

        for (int column = 0; column < stretch.Wide; column += Width)
        {
            float* values = stretch.V + ((long)column * stretch.Room) + (block * Width);
            for (int row = 0; row < count; row += Rows)
            {
                AttentionProducts.Multiply<float, AttentionProducts.Single>(stretch.Scores + row, 1, Queries, values, used, stretch.Weighted + (row * stretch.Wide) + column, stretch.Wide, accumulate: true);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void AddWhole(in Stretch stretch, AttentionSoftmax softmax, int block, int used, int count)
    {
        for (int column = 0; column < stretch.Wide; column += Width)
        {
            int* values = (int*)stretch.V + ((long)column * stretch.Room / 2) + (block * Width / 2);
            for (int row = 0; row < count; row += Rows)
            {
                AttentionProducts.Multiply<int, AttentionProducts.Pair>((int*)stretch.Scores + row, 1, Queries, values, (used + 1) / 2, (int*)stretch.Added + (row * stretch.Wide) + column, stretch.Wide, accumulate: false);
            }
        }

        for (int row = 0; row < count; row++)
        {
            Vector512<float> less = Vector512.Create(softmax.Less[row]), share = Vector512.Create(softmax.Share[row]);
            float* result = stretch.Weighted + (row * stretch.Wide);
            int* added = (int*)stretch.Added + (row * stretch.Wide);
            for (int d = 0; d < stretch.Wide; d += 16)
            {
                Avx512F.FusedMultiplyAdd(Vector512.ConvertToSingle(Vector512.Load(added + d)), share, Vector512.Load(result + d) * less).Store(result + d);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void CopyKeys(in Layer layer, in Stretch stretch, int start, int first, int head)
    {
        int size = layer.HeadSize;
        float* row = stackalloc float[size];
        for (int i = 0; i < stretch.Keys; i++)
        {
            Fetch(layer, layer.K, start + first + Math.Min(i + Ahead, stretch.Keys - 1), head);
            Rotate(layer, layer.K, start, first + i, head, 1f, layer.IsCoarse ? row : stretch.K + (i * size));
            if (layer.IsCoarse)
            {
                stretch.KeyScales[i] = AttentionRounding.Row(row, size, (short*)stretch.K + (i * size));
            }
        }

        float* end = stretch.K + (stretch.Keys * size / stretch.ToAFloat);
        new Span<float>(end, (int)(stretch.V - end)).Clear();
    }

    // Queries lie in the lanes: [D, 32], or [D / 2, 32] of pairs.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void CopyQueries(in Layer layer, in Stretch stretch, int start, int at, int count, int last, int head)
    {
        int size = layer.HeadSize, lanes = size / stretch.ToAFloat;
        float* rows = stretch.Scores, row = rows;   // the room of scores and results is still free
        for (int i = 0; i < count; i++, row += lanes)
        {
            Fetch(layer, layer.Q, start + Math.Min(at + i + Ahead, last), head);
            Rotate(layer, layer.Q, start, at + i, head, 1.44269504f / MathF.Sqrt(size), row);   // scores are exponents of 2
            if (layer.IsCoarse)
            {
                stretch.QueryScales[i] = AttentionRounding.Row(row, size, (short*)row);   // in place: two to a float
            }
        }

        new Span<float>(row, (Queries - count) * lanes).Clear();
        AttentionProducts.Transpose(rows, Queries, lanes, stretch.Q);
    }

    // Values lie in panels of 32 columns: [L, 32], coarse ones [L / 2, 32] with two keys to a lane.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void CopyValues(in Layer layer, in Stretch stretch, int token, int head)
    {
        float* x = (float*)layer.V + ((long)token * layer.Hidden) + (head * layer.HeadSize), factors = layer.Scale == 0 ? null : (float*)layer.Scale + token;
        if (layer.IsCoarse)
        {
            AttentionRounding.Values(x, layer.Hidden, factors, stretch.Keys, layer.HeadSize, (int*)stretch.V, stretch.Room / 2 * Width, stretch.Room / 2, stretch.ValueScales);
            return;
        }

        new Span<float>(stretch.ValueScales, stretch.Wide).Fill(1f);
        for (int i = 0; i < stretch.Keys; i++, x += layer.Hidden)
        {
            Fetch(layer, layer.V, token + Math.Min(i + Ahead, stretch.Keys - 1), head);
            float factor = factors == null ? 1f : factors[i];
            float* to = stretch.V + (i * Width);
            for (int column = 0; column < stretch.Wide; column += Width, to += stretch.Room * Width)
            {
                if (column + Width <= layer.HeadSize)
                {
                    (Vector512.Load(x + column) * factor).Store(to);
                    (Vector512.Load(x + column + 16) * factor).Store(to + 16);
                    continue;
                }

                for (int d = 0; d < Width; d++)
                {
                    to[d] = column + d < layer.HeadSize ? x[column + d] * factor : 0f;
                }
            }
        }
    }

    private static void Put(float* to, float* row, float factor, float* scales, int size)
    {
        int d = 0;
        for (; d + 16 <= size; d += 16)
        {
            (Vector512.Load(row + d) * factor * Vector512.Load(scales + d)).Store(to + d);
        }

        for (; d < size; d++)
        {
            to[d] = row[d] * factor * scales[d];
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
}
