using System.Reflection;
using Xunit;

namespace SkMmBert.Packages.Tests.Docs;

/// <summary>The C# on every page compiles against the real packages.</summary>
public sealed class CodeBlockTests
{
    // Written into this assembly when it was built, since then it was known what the registry has.
    private static readonly string[] Missing = [.. typeof(CodeBlockTests).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Where(data => data.Key == "Missing").Select(data => data.Value!)];

    public static TheoryData<string> PagesWithCode() => [.. CodeBlock.Pages().Where(page => CodeBlock.Read(page, CodeBlock.Text(page)).Any())];

    [Theory]
    [MemberData(nameof(PagesWithCode))]
    public void Page_CSharp_Compiles(string page)
    {
        List<string> wrong = [], left = [];
        string usings = ""; // what a page has shown once it need not show again
        foreach (CodeBlock block in CodeBlock.Read(page, CodeBlock.Text(page)))
        {
            if (Missing.Any(name => (block.Given + block.Code).Contains(name, StringComparison.Ordinal)))
            {
                left.Add($"{page}:{block.Line}");
                continue;
            }

            IReadOnlyList<string> errors = BlockCompiler.Errors(usings + block.Given, block.Code);
            usings += BlockCompiler.Usings(block.Code);
            wrong.AddRange(errors.Select(error => $"{page}:{block.Line}: {error}"));
        }

        Assert.True(wrong.Count == 0, string.Join('\n', wrong) + "\nWhat a piece takes from elsewhere is declared in a comment before it: <!-- given: string name = \"\"; -->");
        Assert.SkipWhen(left.Count > 0, $"not compiled, because this registry lacks the adapters' packages: {string.Join(", ", left)}; every other piece of {page} compiled");
    }

    [Theory]
    [InlineData("", "using MmBertModel mine = MmBertModel.Open(\"x\"); Console.WriteLine(mine.Manifest.Layers);", true)]
    [InlineData("", "await memory.RememberAsync(text);", true)]
    [InlineData("string mine = \"\";", "await memory.RememberAsync(mine);", true)]
    [InlineData("using System.Text;", "var mine = new StringBuilder(); class Later { }", true)]
    [InlineData("class Mine { }", "var mine = new Mine();", true)]
    [InlineData("", "public sealed class Alone : Reranker { }", false)]
    [InlineData("", "await memory.RememberAsync(mine);", false)]
    [InlineData("", "memory.Remember();", false)]
    [InlineData("", "var x = ;", false)]
    public void Errors_OfAPiece_AreThoseOfTheCompiler(string given, string code, bool compiles) => Assert.Equal(compiles, BlockCompiler.Errors(given, code).Count == 0);
}
