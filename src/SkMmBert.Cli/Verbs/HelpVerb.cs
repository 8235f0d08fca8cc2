using System.CommandLine;

namespace SkMmBert.Cli;

/// <summary><c>help</c>: what the command or one of its verbs takes.</summary>
internal static class HelpVerb
{
    public static Command Create(Command root)
    {
        Argument<string?> verb = new("VERB") { Description = "A verb; none for all.", Arity = ArgumentArity.ZeroOrOne };
        Command command = new("help", "Explains a verb.") { verb };
        command.SetAction((parsed, cancellationToken) =>
        {
            string? name = parsed.GetValue(verb);
            if (name is not null && root.Subcommands.All(known => known.Name != name))
            {
                throw new InputException($"There is no verb '{name}'. Expected: one of {Names(root)}.");
            }

            return root.Parse(name is null ? ["--help"] : [name, "--help"]).InvokeAsync(parsed.InvocationConfiguration, cancellationToken);
        });
        return command;
    }

    /// <summary>The names of all verbs.</summary>
    public static string Names(Command root) => string.Join(", ", root.Subcommands.Select(verb => verb.Name));
}
