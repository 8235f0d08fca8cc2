using System.Reflection;
using System.Runtime.Loader;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.VectorData;
using Microsoft.ML.Tokenizers;
using Microsoft.SemanticKernel;
using Xunit;

namespace SkMmBert.SemanticKernel.Tests;

/// <summary>The signatures that stand for the packages where a registry lacks them are the packages' own.</summary>
public sealed class ReferenceSurfaceTests
{
    private const BindingFlags Declared = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static;

    [Fact]
    public void Surface_EveryMember_IsInTheRealAssemblies()
    {
        string configuration = Path.GetFileName(Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory));
        string file = Path.Combine(Paths.Root, "artifacts", "bin", "ReferenceSurface.SemanticKernel", configuration, "ReferenceSurface.SemanticKernel.dll");
        AssemblyLoadContext apart = new("surface", isCollectible: true);
        Type[] surface = apart.LoadFromAssemblyPath(file).GetExportedTypes();
        Dictionary<string, Type> real = new[] { typeof(Kernel), typeof(KernelFunctionFactory), typeof(VectorStore), typeof(Tokenizer), typeof(ChatClientBuilder) }
            .SelectMany(type => type.Assembly.GetExportedTypes()).ToDictionary(type => type.FullName!);
        Assert.True(surface.Length > 50);
        List<string> missing = [];
        foreach (Type type in surface)
        {
            if (!real.TryGetValue(type.FullName!, out Type? twin))
            {
                missing.Add(type.FullName!);
                continue;
            }

            missing.AddRange(Kind(type) == Kind(twin) ? Members(type).Except(Members(twin)).Select(member => $"{type.FullName}: {member}") : [$"{type.FullName} is {Kind(twin)}"]);
        }

        Assert.True(missing.Count == 0, "Not in the real assemblies:\n" + string.Join('\n', missing));
        apart.Unload();
    }

    private static string Kind(Type type) => $"{(type.IsInterface ? "interface" : type.IsValueType ? "struct" : "class")}{(type.IsAbstract && !type.IsInterface ? " abstract" : "")}{(type.IsSealed && type.IsClass ? " sealed" : "")}";

    // Inherited members count too: the surface flattens what it can.
    private static HashSet<string> Members(Type type) => [.. type.GetMembers(Declared).OfType<MethodBase>().Where(method => method.IsPublic || method.IsFamily)
        .Where(method => method.DeclaringType?.Assembly != typeof(object).Assembly).Select(method => $"{(method.IsFamily ? "protected " : "")}{(method.IsStatic ? "static " : "")}{method}")];
}
