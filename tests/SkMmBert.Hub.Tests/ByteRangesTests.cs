using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace SkMmBert.Hub.Tests;

public sealed class ByteRangesTests
{
    [Fact]
    public void Missing_AfterAnyAdditions_IsExactlyTheRest()
    {
        using TemporaryFolder folder = new();
        int run = 0;
        Prop.ForAll(Gen.Choose(0, 60).Two().ArrayOf().ToArbitrary(), Gen.Choose(1, 20).ToArbitrary(), (pairs, step) =>
        {
            const int size = 60;
            string journal = Path.Combine(folder, $"{run++}");
            bool[] expected = new bool[size];
            ByteRanges ranges = ByteRanges.Read(journal, size);
            foreach ((int a, int b) in pairs)
            {
                ranges.Add(Math.Min(a, b), Math.Max(a, b));
                expected.AsSpan(Math.Min(a, b)..Math.Max(a, b)).Fill(true);
            }

            foreach (ByteRanges each in (ByteRanges[])[ranges, ByteRanges.Read(journal, size)])
            {
                bool[] covered = [.. expected];
                foreach ((long start, long end) in each.Missing(size, step))
                {
                    Assert.InRange(end - start, 1, step);
                    for (long i = start; i < end; i++)
                    {
                        Assert.False(covered[i]);
                        covered[i] = true;
                    }
                }

                Assert.All(covered, Assert.True);
                Assert.Equal(expected.Count(e => e), each.Total);
            }
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void Read_JournalCutInALine_IgnoresThatLine()
    {
        using TemporaryFolder folder = new();
        string journal = Path.Combine(folder, "j");
        File.WriteAllText(journal, "0 10\n20 30\nnonsense\n90 10\n40 9");

        Assert.Equal(20, ByteRanges.Read(journal, 100).Total);
    }
}
