using System.Reflection;
using System.Runtime.Loader;
using Microsoft.Agents.AI;
using Xunit;

namespace SkMmBert.AgentFramework.Tests;

/// <summary>The signatures that stand for the package where a registry lacks it are the package's own.</summary>
public sealed class ReferenceSurfaceTests
{
    private const BindingFlags Declared = BindingFlags.DeclaredOnly | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static;

    [Fact]
    public void Surface_EveryMember_IsInTheRealAssembly()
    {
        string file = Path.Combine(AppContext.BaseDirectory, "..", "..", "AgentFramework", Path.GetFileName(Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory)), "Microsoft.Agents.AI.Abstractions.dll");
        AssemblyLoadContext apart = new("surface", isCollectible: true);
        Assembly surface = apart.LoadFromAssemblyPath(Path.GetFullPath(file)), real = typeof(AIContextProvider).Assembly;
        Assert.NotSame(real, surface);
        string[] missing = [.. Members(surface).Except(Members(real))];
        Assert.True(missing.Length == 0, "Not in the real assembly:\n" + string.Join('\n', missing));
        Assert.True(Members(surface).Count > 30);
        apart.Unload();
    }

    private static HashSet<string> Members(Assembly assembly) =>
        [.. assembly.GetExportedTypes().SelectMany(type => type.GetMembers(Declared).Where(IsSeen).Select(member => $"{type.FullName}: {Kind(member)}{member}").Append($"{type.FullName} : {type.BaseType}{(type.IsAbstract ? " abstract" : "")}{(type.IsSealed ? " sealed" : "")}"))];

    private static bool IsSeen(MemberInfo member) => member is MethodBase { IsPublic: true } or MethodBase { IsFamily: true };

    private static string Kind(MemberInfo member) => member is MethodBase method ? (method.IsFamily ? "protected " : "") + (method.IsStatic ? "static " : "") + (method is { IsVirtual: true, IsFinal: false } ? "virtual " : "") : "";
}
