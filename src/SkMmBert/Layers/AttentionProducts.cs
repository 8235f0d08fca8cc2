using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace SkMmBert;

/// <summary>The product that attention is made of: 8 rows by 32 columns, sixteen sums in registers, one step at a time.</summary>
internal static unsafe class AttentionProducts
{
    /// <summary>Rows of a product.</summary>
    public const int Rows = 8;

    /// <summary>Columns of a product: two vectors.</summary>
    public const int Width = 32;

    /// <summary>What one lane holds and how products are added up in it.</summary>
    internal interface ILane<T>
    {
        /// <summary>sum + x·y.</summary>
        /// <param name="sum">The sums so far.</param>
        /// <param name="x">A row's number in every lane.</param>
        /// <param name="y">The columns' numbers.</param>
        public static abstract Vector512<T> Add(Vector512<T> sum, Vector512<T> x, Vector512<T> y);
    }

    /// <summary>A 32-bit number with a fraction: one product a step.</summary>
    internal readonly struct Single : ILane<float>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Vector512<float> Add(Vector512<float> sum, Vector512<float> x, Vector512<float> y) => Avx512F.FusedMultiplyAdd(x, y, sum);
    }

    /// <summary>A pair of 16-bit integers: two products a step; the caller sees to it that sums stay within 32 bits.</summary>
    internal readonly struct Pair : ILane<int>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public static Vector512<int> Add(Vector512<int> sum, Vector512<int> x, Vector512<int> y) => sum + Avx512BW.MultiplyAddAdjacent(x.AsInt16(), y.AsInt16());
    }

    /// <summary>c[8, 32] = a[8, steps]·b[steps, 32], or added to what is in c.</summary>
    /// <param name="a">Left side.</param>
    /// <param name="rowStride">From one row of it to the next.</param>
    /// <param name="stride">From one step of a row to the next.</param>
    /// <param name="b">Right side, packed: 32 numbers a step.</param>
    /// <param name="steps">Length of the inner dimension in lanes.</param>
    /// <param name="c">Destination.</param>
    /// <param name="resultStride">From one row of it to the next.</param>
    /// <param name="accumulate">Whether to add to it.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Multiply<T, TLane>(T* a, nint rowStride, nint stride, T* b, int steps, T* c, nint resultStride, bool accumulate)
        where T : unmanaged
        where TLane : ILane<T>
    {
        Vector512<T> c00 = default, c01 = default, c10 = default, c11 = default, c20 = default, c21 = default, c30 = default, c31 = default;
        Vector512<T> c40 = default, c41 = default, c50 = default, c51 = default, c60 = default, c61 = default, c70 = default, c71 = default;
        T* a0 = a, a1 = a0 + rowStride, a2 = a1 + rowStride, a3 = a2 + rowStride, a4 = a3 + rowStride, a5 = a4 + rowStride, a6 = a5 + rowStride, a7 = a6 + rowStride;
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
        for (; steps > 0; steps--, at += stride, b += Width)
        {
            Vector512<T> b0 = Vector512.Load(b), b1 = Vector512.Load(b + 16), x = Vector512.Create(a0[at]);
            c00 = TLane.Add(c00, x, b0);
            c01 = TLane.Add(c01, x, b1);
            x = Vector512.Create(a1[at]);
            c10 = TLane.Add(c10, x, b0);
            c11 = TLane.Add(c11, x, b1);
            x = Vector512.Create(a2[at]);
            c20 = TLane.Add(c20, x, b0);
            c21 = TLane.Add(c21, x, b1);
            x = Vector512.Create(a3[at]);
            c30 = TLane.Add(c30, x, b0);
            c31 = TLane.Add(c31, x, b1);
            x = Vector512.Create(a4[at]);
            c40 = TLane.Add(c40, x, b0);
            c41 = TLane.Add(c41, x, b1);
            x = Vector512.Create(a5[at]);
            c50 = TLane.Add(c50, x, b0);
            c51 = TLane.Add(c51, x, b1);
            x = Vector512.Create(a6[at]);
            c60 = TLane.Add(c60, x, b0);
            c61 = TLane.Add(c61, x, b1);
            x = Vector512.Create(a7[at]);
            c70 = TLane.Add(c70, x, b0);
            c71 = TLane.Add(c71, x, b1);
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

    /// <summary>Columns become rows, in squares of 16 numbers by 16 and the rest one by one.</summary>
    /// <param name="from">Numbers, [rows, columns].</param>
    /// <param name="rows">Rows, a multiple of 16.</param>
    /// <param name="columns">Columns.</param>
    /// <param name="to">Destination, [columns, rows].</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Transpose(float* from, int rows, int columns, float* to)
    {
        const int side = 16;
        Vector512<float>* square = stackalloc Vector512<float>[side];
        for (int row = 0; row < rows; row += side)
        {
            int column = 0;
            for (; column + side <= columns; column += side)
            {
                for (int i = 0; i < side; i++)
                {
                    square[i] = Vector512.Load(from + ((row + i) * columns) + column);
                }

                // Halves, quarters, eighths and single numbers off the diagonal change places.
                for (int far = side / 2; far > 0; far /= 2)
                {
                    Vector512<int> index = Vector512<int>.Indices, isFar = Vector512.Equals(index & Vector512.Create(far), Vector512.Create(far));
                    Vector512<int> near = Vector512.ConditionalSelect(isFar, index + Vector512.Create(side - far), index), beyond = Vector512.ConditionalSelect(isFar, index + Vector512.Create(side), index + Vector512.Create(far));
                    for (int i = 0; i < side; i++)
                    {
                        if ((i & far) == 0)
                        {
                            (square[i], square[i + far]) = (Avx512F.PermuteVar16x32x2(square[i], near, square[i + far]), Avx512F.PermuteVar16x32x2(square[i], beyond, square[i + far]));
                        }
                    }
                }

                for (int i = 0; i < side; i++)
                {
                    square[i].Store(to + ((column + i) * rows) + row);
                }
            }

            for (; column < columns; column++)
            {
                for (int i = 0; i < side; i++)
                {
                    to[(column * rows) + row + i] = from[((row + i) * columns) + column];
                }
            }
        }
    }
}
