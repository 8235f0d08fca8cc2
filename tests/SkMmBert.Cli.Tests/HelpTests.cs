using System.CommandLine;
using System.Text;
using System.Text.RegularExpressions;
using Xunit;

namespace SkMmBert.Cli.Tests;

public sealed partial class HelpTests
{
    public static TheoryData<string> Verbs
    {
        get
        {
            TheoryData<string> all = [""];
            foreach (string verb in Below(Root(), ""))
            {
                all.Add(verb);
            }

            return all;
        }
    }

    [Theory]
    [MemberData(nameof(Verbs))]
    public async Task Help_AnyVerb_HasExamplesThatParse(string verb)
    {
        CommandLine run = await CommandLine.RunAsync($"{verb} --help");
        Assert.Equal(0, run.ExitCode);
        string page = Encoding.UTF8.GetString(run.Data);
        string[] examples = page.Contains("Examples:", StringComparison.Ordinal) ? [.. page[page.IndexOf("Examples:", StringComparison.Ordinal)..].Split('\n').Skip(1).TakeWhile(line => line.StartsWith("  ", StringComparison.Ordinal))] : [];
        Assert.NotEmpty(examples);
        foreach (string example in examples)
        {
            // What stands before a pipe, behind a redirection or behind wide space is the shell's or the reader's.
            string line = Inside().Match(example) is { Success: true } inside ? inside.Value : Remark().Replace(example.Trim(), "").Split('|')[^1].Split('>')[0].Trim();
            Assert.StartsWith("skmmbert ", line);
            ParseResult parsed = Root().Parse(line["skmmbert ".Length..]);
            Assert.True(parsed.Errors.Count == 0, $"{line}: {string.Join(' ', parsed.Errors.Select(error => error.Message))}");
            Assert.True(verb.Length == 0 || line.StartsWith("skmmbert " + verb.Split(' ')[0], StringComparison.Ordinal) || line.StartsWith("skmmbert plot", StringComparison.Ordinal), line);
        }
    }

    [Theory]
    [MemberData(nameof(Verbs))]
    public async Task Help_AnyVerb_SaysWhatEachOptionTakes(string verb)
    {
        string page = Encoding.UTF8.GetString((await CommandLine.RunAsync($"{verb} --help")).Data);
        Assert.DoesNotMatch(SameName(), page);  // "--threads <threads>" says nothing
        Assert.All(page.Split('\n'), line => Assert.True(line.Length <= 130, line));
        Assert.DoesNotContain("[default: -]", page);
    }

    [Theory]
    [InlineData("help memory recall", "memory recall")]
    [InlineData("help", "Examples:")]
    public async Task HelpVerb_Words_ShowThePage(string arguments, string says) => Assert.Contains(says, Encoding.UTF8.GetString((await CommandLine.RunAsync(arguments)).Data));

    [Theory]
    [InlineData("help nothing", "no verb 'nothing'")]
    [InlineData("help memory nothing", "of 'memory'")]
    [InlineData("help embed nothing", "no verbs of its own")]
    public async Task HelpVerb_UnknownWord_IsExitCode2(string arguments, string says)
    {
        CommandLine run = await CommandLine.RunAsync(arguments);
        Assert.Equal(2, run.ExitCode);
        Assert.Contains(says, run.OneError);
    }

    [Fact]
    public async Task Version_Option_PrintsIt() => Assert.Matches(@"^\d+\.\d+", Encoding.UTF8.GetString((await CommandLine.RunAsync("--version")).Data));

    private static Command Root() => Program.Root(new Terminal(Stream.Null, Stream.Null, TextWriter.Null, false));

    private static IEnumerable<string> Below(Command command, string path) => command.Subcommands.Where(verb => !verb.Hidden).SelectMany(verb => Below(verb, $"{path} {verb.Name}".Trim()).Prepend($"{path} {verb.Name}".Trim()));

    [GeneratedRegex(@"(?<=\$\()[^)]*")]
    private static partial Regex Inside();

    [GeneratedRegex(@"\s{3,}.*$")]
    private static partial Regex Remark();

    [GeneratedRegex(@"--(?<name>[a-z-]+) <\k<name>>")]
    private static partial Regex SameName();
}
