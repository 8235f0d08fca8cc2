using System.IO.Compression;
using System.Xml.Linq;
using Xunit;

namespace SkMmBert.Packages.Tests.Packages;

/// <summary>All packages, packed once as <c>./build.sh pack</c> packs them, with a newcomer's folder outside the repository.</summary>
/// <remarks>The newcomer's package cache is empty of our packages; what others publish comes from this user's cache where it is there.</remarks>
[CollectionDefinition(nameof(PackedPackages))]
public sealed class PackedPackages : IAsyncLifetime, ICollectionFixture<PackedPackages>
{
    private static readonly bool IsRelease = AppContext.BaseDirectory.Contains("release", StringComparison.OrdinalIgnoreCase);

    private readonly string _root = Directory.CreateTempSubdirectory("skmmbert-packages-").FullName;

    public string Feed => Path.Combine(_root, "feed");

    public IReadOnlyDictionary<string, string> Environment { get; private set; } = new Dictionary<string, string>();

    public string NewFolder(string name) => Directory.CreateDirectory(Path.Combine(_root, name)).FullName;

    /// <summary>The packages' files without their versions: <c>SkMmBert.Hub</c>.</summary>
    public IEnumerable<string> Names() => Directory.EnumerateFiles(Feed, "*.nupkg").Select(file => Path.GetFileName(file)[..^($".{Version}.nupkg".Length)]).Order(StringComparer.Ordinal);

    public string Version { get; private set; } = "";

    public ZipArchive Open(string name, string extension = "nupkg") => ZipFile.OpenRead(Path.Combine(Feed, $"{name}.{Version}.{extension}"));

    public XElement Metadata(string name)
    {
        using ZipArchive package = Open(name);
        using Stream nuspec = package.GetEntry(name + ".nuspec")!.Open();
        return XDocument.Load(nuspec).Root!.Elements().Single(element => element.Name.LocalName == "metadata");
    }

    /// <summary>The version of ONNX Runtime that the core was packed with, so that an application takes the same.</summary>
    public string OnnxRuntimeVersion() => Metadata("SkMmBert").Descendants().Where(element => element.Name.LocalName == "dependency")
        .Single(element => (string?)element.Attribute("id") == "Microsoft.ML.OnnxRuntime.Managed").Attribute("version")!.Value;

    public async ValueTask InitializeAsync()
    {
        Dictionary<string, string> environment = new() { ["DOTNET_CLI_TELEMETRY_OPTOUT"] = "1", ["DOTNET_NOLOGO"] = "1", ["MSBUILDDISABLENODEREUSE"] = "1" };
        string[] how = ["build", "eng/pack.proj", "-c", IsRelease ? "Release" : "Debug", "-v", "quiet", "--nologo", $"-p:PackageOutputPath={Feed}", $"-p:NoBuild={(IsRelease ? "true" : "false")}"];
        Command pack = await Command.RunAsync("dotnet", Paths.Root, environment, how);
        Assert.True(pack.ExitCode == 0, "packing failed:\n" + pack.All);
        Version = Path.GetFileNameWithoutExtension(Directory.EnumerateFiles(Feed, "SkMmBert.Hub.*.nupkg").Single())["SkMmBert.Hub.".Length..];
        string cache = System.Environment.GetEnvironmentVariable("NUGET_PACKAGES") ?? Path.Combine(System.Environment.GetFolderPath(System.Environment.SpecialFolder.UserProfile), ".nuget", "packages");
        // A user's cache that holds this version of ours already must not stand in for what was just packed.
        bool clean = Directory.Exists(cache) && !Directory.Exists(Path.Combine(cache, "skmmbert", Version));
        string local = Path.Combine(Paths.Root, "eng", "feed");
        File.WriteAllText(Path.Combine(_root, "NuGet.Config"), $"""
            <configuration>
              <packageSources>
                <add key="packed" value="{Feed}" />
                {(Directory.Exists(local) ? $"<add key=\"local\" value=\"{local}\" />" : "")}
              </packageSources>
              <fallbackPackageFolders>
                {(clean ? $"<add key=\"user\" value=\"{cache}\" />" : "")}
              </fallbackPackageFolders>
            </configuration>
            """);
        environment["NUGET_PACKAGES"] = Path.Combine(_root, "cache");
        environment["XDG_DATA_HOME"] = Path.Combine(_root, "data"); // graphs are written anew, as on a new machine
        environment["HF_HOME"] = Path.Combine(_root, "hub");
        environment["HF_HUB_OFFLINE"] = "1";
        Environment = environment;
    }

    /// <summary>Skips where the registry cannot give what others publish; anything else that failed is a failure.</summary>
    internal void MustHaveWorked(Command command, string what)
    {
        string[] missing = [.. command.All.Split('\n').Where(line => (line.Contains("NU1101", StringComparison.Ordinal) || line.Contains("NU1102", StringComparison.Ordinal) || line.Contains("NU1301", StringComparison.Ordinal))
            && !line.Contains("package SkMmBert", StringComparison.Ordinal))];
        Assert.SkipWhen(command.ExitCode != 0 && missing.Length > 0, $"{what} was not tried: the package registry lacks what it needs: {missing.FirstOrDefault()?.Trim()}");
        Assert.True(command.ExitCode == 0, $"{what} ended with {command.ExitCode}:\n{command.All}");
    }

    public ValueTask DisposeAsync()
    {
        Directory.Delete(_root, recursive: true);
        return ValueTask.CompletedTask;
    }
}
