using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace SkMmBert.Tests;

public sealed class BatchPlannerTests
{
    [Fact]
    public void Plan_NothingOneMany_HasEachIndexOnce()
    {
        Assert.Empty(BatchPlanner.Plan([], 10, false));
        Assert.Equal([[0]], BatchPlanner.Plan([99], 10, false));
        Assert.Equal([[0]], BatchPlanner.Plan([99], 10, true));
        Assert.Equal([[1], [0, 3], [2]], BatchPlanner.Plan([5, 12, 2, 4], 10, false));
        Assert.Equal([[1], [0, 3, 2]], BatchPlanner.Plan([5, 12, 2, 4], 11, true));
        Assert.Equal([[1], [0], [2]], BatchPlanner.Plan([300, 301, 299], 2_000, false));
        Assert.Equal([[1, 0, 2]], BatchPlanner.Plan([300, 301, 299], 2_000, true));
    }

    [Fact]
    public void Plan_AnyLengths_KeepsBudgetAndEveryIndex() => Prop.ForAll<PositiveInt[], PositiveInt, bool>((lengths, budget, packs) =>
    {
        int[] tokens = [.. lengths.Select(length => length.Get * 9)];
        List<int[]> batches = BatchPlanner.Plan(tokens, budget.Get * 40, packs);
        return batches.SelectMany(batch => batch).Order().SequenceEqual(Enumerable.Range(0, tokens.Length))
            && batches.All(batch => batch.Length == 1 || (packs ? batch.Sum(i => tokens[i]) : batch.Length * tokens[batch[0]]) <= budget.Get * 40)
            && batches.All(batch => batch.All(i => packs || tokens[i] == tokens[batch[0]] || tokens[batch[0]] <= BatchPlanner.LongestMixed))
            && batches.SelectMany(batch => batch).Select(i => -tokens[i]).SequenceEqual(tokens.Select(t => -t).Order());
    }).QuickCheckThrowOnFailure();

    [Theory]
    [InlineData(1, 256)]
    [InlineData(1_000, 500)]
    [InlineData(100_000, 4_096)]
    public void Share_TwoStreams_IsAnEvenShareWithinLimits(int tokens, int expected) => Assert.Equal(expected, BatchPlanner.Share([tokens], 2, 4_096));
}
