using Xunit;

namespace SkMmBert.Packages.Tests.Docs;

/// <summary>A part of a page between two marks that is written from something else, and is accepted with <c>./build.sh docs</c>.</summary>
internal sealed record WrittenPart(string Page, string Name)
{
    private string Begin => $"<!-- {Name}: ./build.sh docs writes this part -->";

    private string End => $"<!-- end of {Name} -->";

    /// <summary>The page before the part.</summary>
    public string Before() => Split().Before;

    public void MustBe(string expected)
    {
        (string before, string part, string after) = Split();
        if (Environment.GetEnvironmentVariable("SKMMBERT_ACCEPT_DOCS") == "1")
        {
            File.WriteAllText(Path.Combine(Paths.Root, Page), before + expected + after);
            return;
        }

        string[] now = part.Split('\n'), then = expected.Split('\n');
        string difference = string.Join('\n', now.Except(then).Select(line => "gone " + line).Concat(then.Except(now).Select(line => "new  " + line)));
        Assert.True(part == expected, $"{Page} is not up to date ({Name}):\n{difference}\nRun ./build.sh docs.");
    }

    private (string Before, string Part, string After) Split()
    {
        string text = CodeBlock.Text(Page);
        int begin = text.IndexOf(Begin, StringComparison.Ordinal), end = text.IndexOf(End, StringComparison.Ordinal);
        Assert.True(begin >= 0 && end > begin, $"{Page} lacks its marks '{Begin}' and '{End}'.");
        begin += Begin.Length;
        return (text[..begin], text[begin..end], text[end..]);
    }
}
