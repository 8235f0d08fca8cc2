using System.IO.Compression;
using System.Reflection.Metadata;
using System.Reflection.Metadata.Ecma335;
using System.Xml.Linq;
using Xunit;

namespace SkMmBert.Packages.Tests.Packages;

/// <summary>What the packages carry.</summary>
[Collection(nameof(PackedPackages))]
public sealed class PackageContentTests(PackedPackages packages)
{
    private const int LargestIcon = 20_000;
    private static readonly string[] Expected = ["SkMmBert", "SkMmBert.Cli", "SkMmBert.Hosting", "SkMmBert.Hub", "SkMmBert.Mini", "SkMmBert.Postgres", "SkMmBert.Sqlite"];
    private static readonly Guid SourceLink = new("CC110556-A091-4D38-9FEC-25AB9A351A6A");

    [Fact]
    public void Packages_Names_AreThoseOfTheHouse()
    {
        string[] names = [.. packages.Names()];
        Assert.Empty(Expected.Except(names));
        Assert.Empty(names.Except(AllowedReferences.ByProject.Keys)); // a new package says there what it may bring
    }

    [Fact]
    public void Packages_Each_CarriesReadmeIconLicenceNoticesAndSaysWhatItIs()
    {
        foreach (string name in packages.Names())
        {
            using ZipArchive package = packages.Open(name);
            foreach (string file in new[] { "README.md", "icon.png", "LICENSE", "THIRD-PARTY-NOTICES.md", "CHANGELOG.md" })
            {
                Assert.True(package.GetEntry(file) is { Length: > 100 }, $"{name} has no {file}");
            }

            Assert.InRange(package.GetEntry("icon.png")!.Length, 100, LargestIcon);
            XElement metadata = packages.Metadata(name);
            string Value(string element) => metadata.Elements().FirstOrDefault(e => e.Name.LocalName == element)?.Value ?? "";
            Assert.Equal("Apache-2.0", Value("license"));
            Assert.Equal("README.md", Value("readme"));
            Assert.Equal("icon.png", Value("icon"));
            Assert.True(Value("description").Length > 40, $"{name} says too little of itself: '{Value("description")}'");
            Assert.Contains("mmbert", Value("tags"), StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Packages_Dependencies_AreTheAllowedOnes()
    {
        List<string> wrong = [];
        foreach (string name in packages.Names())
        {
            IEnumerable<string> ids = packages.Metadata(name).Descendants().Where(element => element.Name.LocalName == "dependency").Select(element => (string)element.Attribute("id")!);
            wrong.AddRange(ids.Where(id => !AllowedReferences.Allows(name, id)).Select(id => $"{name} depends on {id}"));
        }

        Assert.True(wrong.Count == 0, string.Join('\n', wrong));
    }

    [Fact]
    public void Libraries_Symbols_AreThereAndOfOneSource()
    {
        foreach (string name in packages.Names().Where(name => name is not ("SkMmBert.Mini" or "SkMmBert.Cli")))
        {
            using ZipArchive package = packages.Open(name), symbols = packages.Open(name, "snupkg");
            Assert.NotNull(package.GetEntry($"lib/net10.0/{name}.dll"));
            Assert.NotNull(package.GetEntry($"lib/net10.0/{name}.xml"));
            using MemoryStream pdb = new();
            using (Stream stored = symbols.GetEntry($"lib/net10.0/{name}.pdb")!.Open())
            {
                stored.CopyTo(pdb);
            }

            pdb.Position = 0;
            using MetadataReaderProvider provider = MetadataReaderProvider.FromPortablePdbStream(pdb);
            MetadataReader reader = provider.GetMetadataReader();
            string[] documents = [.. reader.Documents.Select(handle => reader.GetString(reader.GetDocument(handle).Name).Replace('\\', '/'))];
            if (Path.Exists(Path.Combine(Paths.Root, ".git")) && AppContext.BaseDirectory.Contains("release", StringComparison.OrdinalIgnoreCase))
            {
                Assert.All(documents, document => Assert.StartsWith("/_", document, StringComparison.Ordinal)); // no path of the machine that packed it
            }

            bool linked = reader.GetCustomDebugInformation(EntityHandle.ModuleDefinition).Select(reader.GetCustomDebugInformation).Any(information => reader.GetGuid(information.Kind) == SourceLink);
            string repository = packages.Metadata(name).Elements().FirstOrDefault(element => element.Name.LocalName == "repository")?.Attribute("url")?.Value ?? "";
            Assert.Equal(repository.StartsWith("http", StringComparison.Ordinal), linked); // a checkout without a public origin has nothing to link to
        }
    }

    [Fact]
    public void Mini_Content_IsThePairThatLiesInTheRepository()
    {
        using ZipArchive package = packages.Open("SkMmBert.Mini");
        string[] packed = [.. package.Entries.Select(entry => entry.FullName).Where(name => name.StartsWith("models/", StringComparison.Ordinal)).Select(Uri.UnescapeDataString).Order(StringComparer.Ordinal)];
        string[] there = [.. Directory.EnumerateFiles(Path.Combine(Paths.Root, "models"), "*", SearchOption.AllDirectories).Where(file => !file.EndsWith(".pt", StringComparison.Ordinal))
            .Select(file => Path.GetRelativePath(Paths.Root, file).Replace('\\', '/')).Order(StringComparer.Ordinal)];
        Assert.Equal(there, packed);
        Assert.NotNull(package.GetEntry("buildTransitive/SkMmBert.Mini.targets"));
    }

    [Fact]
    public void Tool_Content_CarriesTheRuntimeAndThePair()
    {
        using ZipArchive package = packages.Open("SkMmBert.Cli");
        string[] names = [.. package.Entries.Select(entry => entry.FullName)];
        Assert.Contains(names, name => name.EndsWith("runtimes/linux-x64/native/libonnxruntime.so", StringComparison.Ordinal));
        Assert.Contains(names, name => name.EndsWith("runtimes/win-x64/native/onnxruntime.dll", StringComparison.Ordinal));
        Assert.Contains(names, name => name.EndsWith("any/models/mini-embed/model.safetensors", StringComparison.Ordinal));
        Assert.Contains(names, name => name.EndsWith("any/models/mini-rerank/classification_heads.safetensors", StringComparison.Ordinal));
        Assert.DoesNotContain(names, name => name.EndsWith(".aar", StringComparison.Ordinal) || name.EndsWith(".xcframework.zip", StringComparison.Ordinal)); // no command line runs on a telephone
    }
}
