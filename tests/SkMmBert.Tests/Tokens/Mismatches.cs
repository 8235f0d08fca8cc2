using System.Runtime.CompilerServices;
using System.Text.Json;
using Xunit;

namespace SkMmBert.Tests.Tokens;

/// <summary>Collects cases where the two sides differ; writes both to <c>artifacts/mismatch</c> and fails at the end.</summary>
internal sealed class Mismatches([CallerMemberName] string test = "")
{
    private readonly List<object> _cases = [];
    private int _compared;

    public void Compare<T>(string name, string text, IReadOnlyList<T> expected, IReadOnlyList<T> found)
    {
        _compared++;
        if (!expected.SequenceEqual(found))
        {
            _cases.Add(new Dictionary<string, object> { ["case"] = name, ["text"] = text.Length > 500 ? text[..500] : text, ["expected"] = expected.Select(e => $"{e}"), ["found"] = found.Select(f => $"{f}") });
        }
    }

    /// <summary>Fails if anything differed, or if there were fewer cases than the reference has.</summary>
    public void AssertNone(int atLeast)
    {
        if (_cases.Count > 0)
        {
            string folder = Directory.CreateDirectory(Path.Combine(Paths.Root, "artifacts", "mismatch")).FullName;
            string file = Path.Combine(folder, test + ".json");
            File.WriteAllText(file, JsonSerializer.Serialize(_cases, new JsonSerializerOptions { WriteIndented = true }));
            Assert.Fail($"{_cases.Count} of {_compared} comparisons differ; both sides are in {file}.");
        }

        Assert.True(_compared >= atLeast, $"Only {_compared} comparisons were made; at least {atLeast} are expected.");
    }
}
