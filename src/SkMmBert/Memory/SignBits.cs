using System.Numerics;
using System.Numerics.Tensors;

namespace SkMmBert;

/// <summary>One bit a number, set where it is positive: the leading 64 to 256 numbers of a vector in 8 to 32 bytes.</summary>
internal static class SignBits
{
    public const int MostWords = 4;

    /// <summary>Words kept of a vector of this length.</summary>
    public static int Words(int length) => Math.Min(MostWords, (length + 63) / 64);

    /// <summary>Numbers that have a bit.</summary>
    public static int Bits(int length) => Math.Min(64 * MostWords, length);

    public static void Write(ReadOnlySpan<float> vector, Span<ulong> words)
    {
        words.Clear();
        for (int i = 0; i < Bits(vector.Length); i++)
        {
            words[i >> 6] |= vector[i] > 0 ? 1UL << (i & 63) : 0;
        }
    }

    /// <summary>Mean size of the numbers from <paramref name="from"/> on that have a bit: with the bits, a rough copy of them.</summary>
    public static float MeanSize(ReadOnlySpan<float> vector, int from)
    {
        ReadOnlySpan<float> tail = vector[Math.Min(from, vector.Length)..Math.Max(Math.Min(from, vector.Length), Bits(vector.Length))];
        return tail.IsEmpty ? 0 : TensorPrimitives.SumOfMagnitudes(tail) / tail.Length;
    }

    /// <summary>The numbers of a question that are larger than most, which count three times where signs differ.</summary>
    public static void Large(ReadOnlySpan<float> question, Span<ulong> words)
    {
        words.Clear();
        float mean = MeanSize(question, 0);
        for (int i = 0; i < Bits(question.Length); i++)
        {
            words[i >> 6] |= MathF.Abs(question[i]) > 1.25f * mean ? 1UL << (i & 63) : 0;
        }
    }

    /// <summary>How much two vectors' signs differ: 1 for each bit, 3 for a large number of the question.</summary>
    public static int Distance(ReadOnlySpan<ulong> item, ReadOnlySpan<ulong> question, ReadOnlySpan<ulong> large)
    {
        int sum = 0;
        for (int i = 0; i < item.Length; i++)
        {
            ulong differ = item[i] ^ question[i];
            sum += BitOperations.PopCount(differ) + (2 * BitOperations.PopCount(differ & large[i]));
        }

        return sum;
    }

    /// <summary>For each byte of bits from number <paramref name="from"/> on, the sum of the question's numbers with those signs: [bytes, 256].</summary>
    public static float[] Table(ReadOnlySpan<float> question, int from)
    {
        int first = from / 8, past = (Bits(question.Length) + 7) / 8;
        float[] table = new float[Math.Max(0, past - first) * 256];
        for (int b = first; b < past; b++)
        {
            for (int bits = 0; bits < 256; bits++)
            {
                float sum = 0;
                for (int k = 0; k < 8; k++)
                {
                    int at = (b * 8) + k;
                    sum += at < from || at >= Bits(question.Length) ? 0 : (bits >> k & 1) == 1 ? question[at] : -question[at];
                }

                table[((b - first) * 256) + bits] = sum;
            }
        }

        return table;
    }

    /// <summary>The most that <see cref="Sum"/> can give with a table.</summary>
    public static float MostOf(ReadOnlySpan<float> table)
    {
        float most = 0;
        for (int at = 0; at < table.Length; at += 256)
        {
            most += TensorPrimitives.Max(table.Slice(at, 256));
        }

        return most * 1.00001f;   // sums in another order round differently
    }

    /// <summary>The sum of the question's numbers under an item's signs, by a <see cref="Table"/> that starts at the same number.</summary>
    public static float Sum(float[] table, ReadOnlySpan<byte> itemBytes, int from)
    {
        // Four sums side by side: each addition waits for the one before in its own sum only.
        float a = 0, b = 0, c = 0, d = 0;
        ReadOnlySpan<byte> bytes = itemBytes.Slice(from / 8, table.Length / 256);
        int i = 0;
        for (; i + 4 <= bytes.Length; i += 4)
        {
            a += table[(i * 256) + bytes[i]];
            b += table[(i * 256) + 256 + bytes[i + 1]];
            c += table[(i * 256) + 512 + bytes[i + 2]];
            d += table[(i * 256) + 768 + bytes[i + 3]];
        }

        for (; i < bytes.Length; i++)
        {
            a += table[(i * 256) + bytes[i]];
        }

        return a + b + (c + d);
    }
}
