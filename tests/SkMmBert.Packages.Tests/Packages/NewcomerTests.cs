using System.Text.Json;
using System.Text.RegularExpressions;
using SkMmBert.Packages.Tests.Docs;
using Xunit;

namespace SkMmBert.Packages.Tests.Packages;

/// <summary>What a newcomer does with the packages, outside the repository.</summary>
[Collection(nameof(PackedPackages))]
public sealed partial class NewcomerTests(PackedPackages packages)
{
    [Fact]
    public async Task NewConsoleApp_ReadmesFirstProgram_PrintsWhatTheReadmeSays()
    {
        CodeBlock program = CodeBlock.Read("README.md", CodeBlock.Text("README.md")).First();
        string folder = packages.NewFolder("app"), expected = Printed().Match(program.Code).Groups["lines"].Value.Replace("\n// ", "\n", StringComparison.Ordinal).Trim();
        Assert.NotEmpty(expected);
        await File.WriteAllTextAsync(Path.Combine(folder, "Program.cs"), program.Code, TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(Path.Combine(folder, "app.csproj"), $"""
            <Project Sdk="Microsoft.NET.Sdk">
              <PropertyGroup>
                <OutputType>Exe</OutputType><TargetFramework>net10.0</TargetFramework><ImplicitUsings>enable</ImplicitUsings><Nullable>enable</Nullable><NuGetAudit>false</NuGetAudit>
              </PropertyGroup>
              <ItemGroup>
                <PackageReference Include="SkMmBert" Version="{packages.Version}" />
                <PackageReference Include="SkMmBert.Mini" Version="{packages.Version}" />
                <PackageReference Include="Microsoft.ML.OnnxRuntime" Version="{packages.OnnxRuntimeVersion()}" />
              </ItemGroup>
            </Project>
            """, TestContext.Current.CancellationToken);
        packages.MustHaveWorked(await Command.RunAsync("dotnet", folder, packages.Environment, "build", "-v", "quiet", "--nologo"), "building an application from the packages");
        Command run = await Command.RunAsync("dotnet", folder, packages.Environment, "run", "--no-build"); // as a newcomer starts it: in the project's folder
        packages.MustHaveWorked(run, "running the README's first program");
        Assert.Equal(expected, run.Output.ReplaceLineEndings("\n").Trim());

        // Published and started from anywhere, it finds the pair beside itself.
        packages.MustHaveWorked(await Command.RunAsync("dotnet", folder, packages.Environment, "publish", "-v", "quiet", "--nologo", "-o", "published"), "publishing the application");
        Command published = await Command.RunAsync("dotnet", packages.NewFolder("elsewhere"), packages.Environment, Path.Combine(folder, "published", "app.dll"));
        Assert.Equal(expected, published.Output.ReplaceLineEndings("\n").Trim());
    }

    [Fact]
    public async Task ToolInstall_DemoAndEmbed_WorkOffline()
    {
        string folder = packages.NewFolder("tool"), bin = Path.Combine(folder, "bin");
        packages.MustHaveWorked(await Command.RunAsync("dotnet", folder, packages.Environment, "tool", "install", "SkMmBert.Cli", "--tool-path", bin, "--version", packages.Version, "--configfile", Path.Combine(Path.GetDirectoryName(packages.Feed)!, "NuGet.Config")), "dotnet tool install");
        string skmmbert = Path.Combine(bin, OperatingSystem.IsWindows() ? "skmmbert.exe" : "skmmbert");

        Command demo = await Command.RunAsync(skmmbert, folder, packages.Environment, "demo");
        packages.MustHaveWorked(demo, "skmmbert demo");
        Assert.Contains("How alike are these sentences", demo.Error, StringComparison.Ordinal);

        await File.WriteAllTextAsync(Path.Combine(folder, "texts.txt"), "Good morning!\nGuten Morgen!\n", TestContext.Current.CancellationToken);
        Command embed = await Command.RunAsync(skmmbert, folder, packages.Environment, "embed", "texts.txt", "--json", "--dims", "64");
        packages.MustHaveWorked(embed, "skmmbert embed");
        string[] lines = embed.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(2, lines.Length);
        Assert.All(lines, line => Assert.Equal(64, JsonDocument.Parse(line).RootElement.GetProperty("vector").GetArrayLength()));

        Command verify = await Command.RunAsync(skmmbert, folder, packages.Environment, "verify");
        packages.MustHaveWorked(verify, "skmmbert verify");
    }

    [GeneratedRegex(@"\n// prints(?<lines>(?:\n// .*)+)")]
    private static partial Regex Printed();
}
