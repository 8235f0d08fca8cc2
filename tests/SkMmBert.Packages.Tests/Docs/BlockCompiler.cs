using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace SkMmBert.Packages.Tests.Docs;

/// <summary>Compiles pieces of C# as a program would see them, against the real packages.</summary>
internal static class BlockCompiler
{
    private const string Everywhere = """
        global using System;
        global using System.Collections.Generic;
        global using System.IO;
        global using System.Linq;
        global using System.Net.Http;
        global using System.Threading;
        global using System.Threading.Tasks;
        global using Microsoft.AspNetCore.Builder;
        global using Microsoft.Extensions.AI;
        global using Microsoft.Extensions.DependencyInjection;
        global using Microsoft.Extensions.Hosting;
        global using SkMmBert;
        global using static SkMmBert.Packages.Tests.Docs.Names;
        """;

    private static readonly CSharpParseOptions Parse = new(LanguageVersion.Preview);
    private static readonly MetadataReference[] References = [.. ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator)
        .Where(file => file.EndsWith(".dll", StringComparison.OrdinalIgnoreCase)).Select(file => MetadataReference.CreateFromFile(file))];
    private static readonly SyntaxTree GlobalUsings = CSharpSyntaxTree.ParseText(Everywhere, Parse);

    /// <summary>What the compiler says is wrong; empty when nothing is.</summary>
    public static IReadOnlyList<string> Errors(string given, string code)
    {
        // What a reader does not see comes first, and types come last, wherever they stood.
        CompilationUnitSyntax before = Unit(given), block = Unit(code);
        CompilationUnitSyntax whole = SyntaxFactory.CompilationUnit()
            .WithUsings([.. before.Usings.Concat(block.Usings).DistinctBy(line => line.ToString())])
            .WithMembers([.. Sorted(before, block)]);
        bool isProgram = whole.Members.OfType<GlobalStatementSyntax>().Any();
        SyntaxTree tree = CSharpSyntaxTree.ParseText(whole.ToFullString(), Parse);
        CSharpCompilation compilation = CSharpCompilation.Create("Page", [GlobalUsings, tree], References,
            new CSharpCompilationOptions(isProgram ? OutputKind.ConsoleApplication : OutputKind.DynamicallyLinkedLibrary, nullableContextOptions: NullableContextOptions.Enable));
        // An outdated name is as bad as a wrong one; what is only experimental has an id that is not the compiler's.
        return [.. compilation.GetDiagnostics().Where(diagnostic => diagnostic.Id == "CS0618" || (diagnostic.Severity == DiagnosticSeverity.Error && diagnostic.Id.StartsWith("CS", StringComparison.Ordinal)))
            .Select(diagnostic => $"{diagnostic.Id} {diagnostic.GetMessage(System.Globalization.CultureInfo.InvariantCulture)} at: {Line(tree, diagnostic)}").Distinct()];
    }

    /// <summary>The usings of a piece.</summary>
    public static string Usings(string code) => string.Concat(Unit(code).Usings.Select(line => line.ToString() + "\n"));

    private static CompilationUnitSyntax Unit(string code) => CSharpSyntaxTree.ParseText(code + "\n", Parse).GetCompilationUnitRoot();

    private static IEnumerable<MemberDeclarationSyntax> Sorted(params CompilationUnitSyntax[] units)
    {
        MemberDeclarationSyntax[] all = [.. units.SelectMany(unit => unit.Members)];
        return all.OfType<GlobalStatementSyntax>().Concat(all.Where(member => member is not GlobalStatementSyntax));
    }

    private static string Line(SyntaxTree tree, Diagnostic diagnostic) =>
        diagnostic.Location.SourceTree == tree ? tree.GetText().Lines[diagnostic.Location.GetLineSpan().StartLinePosition.Line].ToString().Trim() : "the usings";
}
