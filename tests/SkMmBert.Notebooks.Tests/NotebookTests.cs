using System.Globalization;
using System.Text.RegularExpressions;
using Xunit;

namespace SkMmBert.Notebooks.Tests;

/// <summary>Every cell of every notebook runs, and shows what the file says it shows.</summary>
/// <remarks><c>./build.sh notebooks</c> writes what they show now into the files.</remarks>
public sealed partial class NotebookTests
{
    private static readonly string s_folder = Path.Combine(Paths.Root, "notebooks");

    public static TheoryData<string> Notebooks => [.. Directory.GetFiles(s_folder, "*.ipynb").Select(file => Path.GetFileName(file)).Order()];

    [Theory]
    [MemberData(nameof(Notebooks))]
    public async Task Cells_Run_ShowWhatTheFileSays(string name)
    {
        Directory.SetCurrentDirectory(s_folder);    // where a notebook starts
        NotebookFile notebook = new(Path.Combine(s_folder, name));
        bool accept = Environment.GetEnvironmentVariable("SKMMBERT_ACCEPT_NOTEBOOKS") == "1";
        NotebookRun run = new();
        List<string> differences = [];
        int number = 0;
        foreach (NotebookCell cell in notebook.Code)
        {
            number++;
            IReadOnlyList<NotebookOutput> now = await run.RunAsync(cell.Source);
            if (accept)
            {
                cell.Outputs = now;
            }
            else if (Difference(cell.Outputs, now) is { } difference)
            {
                differences.Add($"code cell {number}: {difference}");
            }
        }

        if (accept)
        {
            notebook.Save();
        }

        Assert.True(differences.Count == 0, $"{name} shows something else now. If that is meant: ./build.sh notebooks\n{string.Join('\n', differences)}");
    }

    [Theory]
    [MemberData(nameof(Notebooks))]
    public void File_FirstCell_SaysHowToOpenItAndWhatIsMaintained(string name)
    {
        NotebookFile notebook = new(Path.Combine(s_folder, name));
        Assert.Equal(".net-csharp", notebook.Kernel);
        Assert.False(notebook.Cells[0].IsCode);
        Assert.Contains("dotnet-interactive", notebook.Cells[0].Source);
        Assert.Contains("samples", notebook.Cells[0].Source);
        Assert.Contains(notebook.Code, cell => cell.Outputs.Any(output => output.Type == "text/html" && output.Content.Contains("<svg", StringComparison.Ordinal)));
        Assert.Contains(notebook.Code, cell => cell.Outputs.Any(output => output.Type == "text/html" && output.Content.Contains("<table", StringComparison.Ordinal)));
    }

    [Fact]
    public void Notebooks_AreThree() => Assert.Equal(3, Notebooks.Count);

    [Theory]
    [InlineData("0.50 in 3.1 ms", "0.50 in 88 ms", true)]
    [InlineData("0.50 in 3.1 ms", "0.60 in 3.1 ms", false)]
    [InlineData("0.500", "0.505", true)]
    [InlineData("a 1", "b 1", false)]
    public void Difference_Times_DoNotCount(string before, string now, bool same) =>
        Assert.Equal(same, Difference([new("text/html", before)], [new("text/html", now)]) is null);

    // Words must be the same; numbers may differ as far as another processor rounds otherwise; times may be anything.
    private static string? Difference(IReadOnlyList<NotebookOutput> before, IReadOnlyList<NotebookOutput> now)
    {
        if (!before.Select(output => output.Type).SequenceEqual(now.Select(output => output.Type)))
        {
            return $"outputs are [{string.Join(", ", now.Select(output => output.Type))}], in the file [{string.Join(", ", before.Select(output => output.Type))}]";
        }

        for (int i = 0; i < now.Count; i++)
        {
            string was = Times().Replace(before[i].Content, "- ms"), @is = Times().Replace(now[i].Content, "- ms");
            double[] numbersWere = Numbers(was), numbersAre = Numbers(@is);
            bool close = numbersWere.Length == numbersAre.Length && numbersWere.Zip(numbersAre).All(pair => Math.Abs(pair.First - pair.Second) <= 0.011 + (0.01 * Math.Abs(pair.First)));
            if (Number().Replace(was, "#") != Number().Replace(@is, "#") || !close)
            {
                return $"output {i + 1} is\n{@is}\nin the file\n{was}";
            }
        }

        return null;
    }

    private static double[] Numbers(string text) => [.. Number().Matches(text).Select(match => double.Parse(match.Value, CultureInfo.InvariantCulture))];

    [GeneratedRegex(@"[0-9]+(\.[0-9]+)? ms")]
    private static partial Regex Times();

    [GeneratedRegex(@"[0-9]+(\.[0-9]+)?")]
    private static partial Regex Number();
}
