using System.Xml.Linq;
using SkMmBert.Packages.Tests.Docs;
using Xunit;

namespace SkMmBert.Packages.Tests.Packages;

/// <summary>What the project files and the notices say about what others made.</summary>
public sealed class SourceProjectTests
{
    [Fact]
    public void Projects_References_AreTheAllowedOnes()
    {
        List<string> wrong = [];
        foreach (string file in Directory.EnumerateDirectories(Path.Combine(Paths.Root, "src")).SelectMany(folder => Directory.EnumerateFiles(folder, "*.csproj")))
        {
            string project = Path.GetFileNameWithoutExtension(file);
            XElement[] elements = [.. XDocument.Load(file).Descendants()];
            IEnumerable<string> packages = elements.Where(element => element.Name.LocalName == "PackageReference").Select(element => (string)element.Attribute("Include")!);
            // Sources of signatures, for registries that lack a package, are no part of a product.
            IEnumerable<string> projects = elements.Where(element => element.Name.LocalName == "ProjectReference").Select(element => (string)element.Attribute("Include")!)
                .Where(path => !path.Contains("reference-surface", StringComparison.Ordinal)).Select(path => Path.GetFileNameWithoutExtension(path.Replace('\\', '/')));
            wrong.AddRange(packages.Concat(projects).Where(reference => !AllowedReferences.Allows(project, reference)).Select(reference => $"{project} references {reference}"));
        }

        Assert.True(wrong.Count == 0, string.Join('\n', wrong));
    }

    [Fact]
    public void Notices_Packages_AreAllNamed()
    {
        string notices = CodeBlock.Text("THIRD-PARTY-NOTICES.md");
        string used = string.Concat(new[] { "src", "tests", "samples" }.SelectMany(folder => Directory.EnumerateFiles(Path.Combine(Paths.Root, folder), "*.*", SearchOption.AllDirectories))
            .Where(file => file.EndsWith(".csproj", StringComparison.Ordinal) || file.EndsWith("Directory.Build.props", StringComparison.Ordinal) || file.Contains("samples", StringComparison.Ordinal)).Select(File.ReadAllText));
        string[] missing = [.. XDocument.Load(Path.Combine(Paths.Root, "Directory.Packages.props")).Descendants().Where(element => element.Name.LocalName == "PackageVersion")
            .Select(element => (string)element.Attribute("Include")!).Where(id => (used.Contains($"\"{id}\"", StringComparison.Ordinal) || used.Contains($"#:package {id}\n", StringComparison.Ordinal)) && !notices.Contains(id, StringComparison.Ordinal))];
        Assert.True(missing.Length == 0, "THIRD-PARTY-NOTICES.md does not name: " + string.Join(", ", missing));
    }

    [Theory]
    [InlineData("mini-embed")]
    [InlineData("mini-rerank")]
    public void Notices_TrainingData_IsThatOfTheCards(string model)
    {
        string notices = CodeBlock.Text("THIRD-PARTY-NOTICES.md"), card = CodeBlock.Text($"models/{model}/README.md");
        string[] rows = [.. card[card.IndexOf("## Training data", StringComparison.Ordinal)..].Split('\n').Where(line => line.StartsWith("| ", StringComparison.Ordinal)).Skip(1)];
        Assert.NotEmpty(rows);
        Assert.All(rows, row => Assert.Contains($"| {row.Split('|')[1].Trim()} | {row.Split('|')[3].Trim()} |", notices, StringComparison.Ordinal));
    }
}
