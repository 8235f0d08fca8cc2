using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace SkMmBert.Packages.Tests.Docs;

/// <summary>A message that the product can show: its fixed words, with … for what is filled in.</summary>
/// <param name="Project">Folder of <c>src</c>.</param>
/// <param name="Room">Folder in the project; empty at its root.</param>
internal sealed record SourceMessage(string Project, string Room, string Text)
{
    /// <summary>Whether it is a whole message, and not a reason that stands inside one.</summary>
    public bool IsWhole => Text.EndsWith('.') || Text.Contains("Expected", StringComparison.Ordinal);
}

/// <summary>Reads the messages out of the sources: of every exception that is made, of what is handed to a method that makes one,
/// and every other text that says what was expected.</summary>
internal static class SourceMessages
{
    private const string Filled = "…";
    private const int MostAlternatives = 12;

    public static IReadOnlyList<SourceMessage> Read(string src)
    {
        List<SourceMessage> found = [];
        foreach (string project in Directory.EnumerateDirectories(src).Order(StringComparer.Ordinal))
        {
            (string Room, SyntaxNode Root)[] files = [.. Directory.EnumerateFiles(project, "*.cs", SearchOption.AllDirectories).Order(StringComparer.Ordinal)
                .Select(file => Path.GetRelativePath(project, file).Replace('\\', '/')).Where(name => !name.StartsWith("obj/", StringComparison.Ordinal) && !name.StartsWith("bin/", StringComparison.Ordinal))
                .Select(name => (name.Contains('/') ? name[..name.IndexOf('/')] : "", CSharpSyntaxTree.ParseText(File.ReadAllText(Path.Combine(project, name))).GetRoot()))];
            HashSet<string> makers = [.. files.SelectMany(file => Makers(file.Root))];
            found.AddRange(files.SelectMany(file => Messages(file.Root, makers).Select(text => new SourceMessage(Path.GetFileName(project), file.Room, text))));
        }

        return [.. found.Distinct()];
    }

    /// <summary>The messages of one file.</summary>
    public static IEnumerable<string> Messages(SyntaxNode root, IReadOnlySet<string> makers) => Found(root, makers).Distinct();

    private static IEnumerable<string> Found(SyntaxNode root, IReadOnlySet<string> makers)
    {
        foreach (SyntaxNode node in root.DescendantNodes())
        {
            IEnumerable<ExpressionSyntax> texts = node switch
            {
                ObjectCreationExpressionSyntax made when IsException(made.Type) => Arguments(made.ArgumentList),
                ImplicitObjectCreationExpressionSyntax made when MakesException(made) => Arguments(made.ArgumentList),
                InvocationExpressionSyntax call when makers.Contains(Name(call)) => Arguments(call.ArgumentList),
                ExpressionSyntax text when IsOutermostText(text) => [text],
                _ => [],
            };
            bool ofException = !(node is ExpressionSyntax other && IsOutermostText(other));
            foreach (string message in texts.SelectMany(text => Alternatives(text)).Select(Clean))
            {
                if (message.Contains(' ') && message.Any(char.IsLetter) && (ofException || message.Contains("Expected", StringComparison.Ordinal)) && message.Trim('…', ' ', '.').Contains(' '))
                {
                    yield return message;
                }
            }
        }
    }

    private static IEnumerable<string> Makers(SyntaxNode root) =>
        root.DescendantNodes().OfType<MethodDeclarationSyntax>().Where(method => IsException(method.ReturnType)).Select(method => method.Identifier.Text)
            .Concat(root.DescendantNodes().OfType<LocalFunctionStatementSyntax>().Where(method => IsException(method.ReturnType)).Select(method => method.Identifier.Text));

    private static bool IsException(TypeSyntax? type) => type?.ToString().TrimEnd('?').EndsWith("Exception", StringComparison.Ordinal) == true;

    // new(…) is of the type of the variable or of the method it stands in.
    private static bool MakesException(ImplicitObjectCreationExpressionSyntax made)
    {
        foreach (SyntaxNode outer in made.Ancestors())
        {
            switch (outer)
            {
                case ArgumentSyntax: return false;
                case VariableDeclarationSyntax variable: return IsException(variable.Type);
                case MethodDeclarationSyntax method: return IsException(method.ReturnType);
                case LocalFunctionStatementSyntax method: return IsException(method.ReturnType);
                case MemberDeclarationSyntax or AnonymousFunctionExpressionSyntax: return false;
            }
        }

        return false;
    }

    private static bool IsOutermostText(ExpressionSyntax text) => IsText(text) && text.Parent is not BinaryExpressionSyntax { RawKind: (int)SyntaxKind.AddExpression };

    private static bool IsText(ExpressionSyntax text) => text is InterpolatedStringExpressionSyntax or LiteralExpressionSyntax { RawKind: (int)SyntaxKind.StringLiteralExpression }
        || (text is BinaryExpressionSyntax { RawKind: (int)SyntaxKind.AddExpression } sum && (IsText(sum.Left) || IsText(sum.Right)));

    private static IEnumerable<ExpressionSyntax> Arguments(ArgumentListSyntax? list) => list?.Arguments.Select(argument => argument.Expression) ?? [];

    private static string Name(InvocationExpressionSyntax call) => call.Expression switch
    {
        IdentifierNameSyntax name => name.Identifier.Text,
        MemberAccessExpressionSyntax member => member.Name.Identifier.Text,
        _ => "",
    };

    // All texts an expression can be, so far as that stands in the source.
    private static List<string> Alternatives(ExpressionSyntax text, int depth = 0)
    {
        IEnumerable<string> all = text switch
        {
            LiteralExpressionSyntax { RawKind: (int)SyntaxKind.StringLiteralExpression } literal => [literal.Token.ValueText],
            InterpolatedStringExpressionSyntax interpolated => [string.Concat(interpolated.Contents.Select(part => part is InterpolatedStringTextSyntax fixedText ? fixedText.TextToken.ValueText.Replace("{{", "{", StringComparison.Ordinal).Replace("}}", "}", StringComparison.Ordinal) : Filled))],
            ParenthesizedExpressionSyntax inner => Alternatives(inner.Expression, depth),
            BinaryExpressionSyntax { RawKind: (int)SyntaxKind.AddExpression } sum => Alternatives(sum.Left, depth).SelectMany(left => Alternatives(sum.Right, depth).Select(right => left + right)),
            ConditionalExpressionSyntax choice => Alternatives(choice.WhenTrue, depth).Concat(Alternatives(choice.WhenFalse, depth)),
            SwitchExpressionSyntax choice => choice.Arms.SelectMany(arm => Alternatives(arm.Expression, depth)),
            IdentifierNameSyntax name when depth == 0 => Assigned(name).SelectMany(value => Alternatives(value, 1)),
            InvocationExpressionSyntax { Expression: MemberAccessExpressionSyntax { Name.Identifier.Text: "Create" }, ArgumentList.Arguments: [.., { Expression: InterpolatedStringExpressionSyntax last }] } => Alternatives(last, depth),
            _ => [Filled],
        };
        return [.. all.DefaultIfEmpty(Filled).Take(MostAlternatives)];
    }

    // What a local variable was given.
    private static IEnumerable<ExpressionSyntax> Assigned(IdentifierNameSyntax name)
    {
        SyntaxNode? body = name.Ancestors().FirstOrDefault(outer => outer is MemberDeclarationSyntax);
        return body is null ? [] : body.DescendantNodes().Select(node => node switch
        {
            VariableDeclaratorSyntax variable when variable.Identifier.Text == name.Identifier.Text => variable.Initializer?.Value,
            AssignmentExpressionSyntax { Left: IdentifierNameSyntax target } assignment when target.Identifier.Text == name.Identifier.Text => assignment.Right,
            _ => null,
        }).OfType<ExpressionSyntax>();
    }

    private static string Clean(string text)
    {
        string line = string.Join(' ', text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
        while (line.Contains("……", StringComparison.Ordinal))
        {
            line = line.Replace("……", Filled, StringComparison.Ordinal);
        }

        return line;
    }
}
