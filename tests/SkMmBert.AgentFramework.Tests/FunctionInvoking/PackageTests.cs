using System.Reflection;
using Microsoft.Agents.AI;
using Microsoft.Extensions.AI;
using Xunit;

namespace SkMmBert.Tests.Routing;

/// <summary>The tests of this project mean something only with the real assemblies.</summary>
public sealed class PackageTests
{
    [Theory]
    [InlineData(typeof(FunctionInvokingChatClient), "Microsoft.Extensions.AI")]
    [InlineData(typeof(ChatClientAgent), "Microsoft.Agents.AI")]
    [InlineData(typeof(AIContextProvider), "Microsoft.Agents.AI.Abstractions")]
    public void Assembly_OfTheType_IsThePublishedOne(Type type, string name)
    {
        Assert.Equal(name, type.Assembly.GetName().Name);
        string version = type.Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion.Split('+')[0];
        string listed = File.ReadLines(Path.Combine(Paths.Root, "Directory.Packages.props")).Single(line => line.Contains($"\"{name}\"", StringComparison.Ordinal));
        Assert.Contains($"Version=\"{version}\"", listed);
    }
}
