using Xunit;

namespace SkMmBert.Tests;

public sealed class AnswerModelTests
{
    [Fact]
    public void Fit_ExamplesOfAKnownRule_FindsIt()
    {
        AnswerModel rule = new(1.5f, 0.5f, 6, -4, -2.5f);
        Random random = new(7);
        AnswerExample[] examples = [.. Enumerable.Range(0, 4_000).Select(_ =>
        {
            float weight = random.NextSingle() * 2;
            AnswerSigns signs = new(random.NextSingle() * 4, random.NextSingle(), random.NextSingle());
            return new AnswerExample(weight, signs, random.NextSingle() < rule.Sureness(weight, signs), 1);
        })];
        AnswerModel fitted = AnswerModel.Fit(examples);
        Assert.All(examples.Take(200), example => Assert.Equal(rule.Sureness(example.Weight, example.Signs), fitted.Sureness(example.Weight, example.Signs), 0.08f));
    }

    [Fact]
    public void Sureness_MoreOfEachSign_RisesAsItShouldAndStaysBetween0And1()
    {
        AnswerSigns signs = new(2, 0.4f, 0.2f);
        float plain = AnswerModel.Both.Sureness(0.6f, signs);
        Assert.InRange(plain, 0.01f, 0.99f);
        Assert.True(AnswerModel.Both.Sureness(0.9f, signs) > plain);
        Assert.True(AnswerModel.Both.Sureness(0.6f, signs with { Agreement = 4 }) > plain);
        Assert.True(AnswerModel.Both.Sureness(0.6f, signs with { Coverage = 0.7f }) > plain);
        Assert.True(AnswerModel.Both.Sureness(0.6f, signs with { OtherCoverage = 0.4f }) < plain);
        Assert.Equal(AgentMemory.DefaultFloor, AnswerModel.Single.Sureness(0.42f, default), 0.01f);
        Assert.InRange(AnswerModel.Both.Sureness(1e6f, signs), 0, 1);
        Assert.InRange(AnswerModel.Both.Sureness(-1e6f, signs), 0, 1);
    }

    [Fact]
    public void Signs_OfCandidates_AreThese()
    {
        Assert.Equal(default, AnswerSigns.Of([], [], []));
        Assert.Equal(new AnswerSigns(3, 0.5f, 0), AnswerSigns.Of([3], [2], [0.5f]));
        AnswerSigns signs = AnswerSigns.Of([4, 1, 2], [1, 5, 5], [0.2f, 0.6f, 0.4f]);
        Assert.Equal((2f, 0.6f), (signs.Agreement, signs.Coverage));
        Assert.Equal(0.3f, signs.OtherCoverage, 1e-6f);
    }
}
