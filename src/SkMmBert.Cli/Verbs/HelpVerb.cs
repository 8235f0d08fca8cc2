using System.CommandLine;

namespace SkMmBert.Cli;

/// <summary><c>help</c>: what the command or one of its verbs takes.</summary>
internal static class HelpVerb
{
    public static Command Create(Command root)
    {
        Argument<string[]> verb = new("VERB") { Description = "A verb, with its own verb where it has some; none for all.", Arity = ArgumentArity.ZeroOrMore };
        Command command = new("help", "Explains a verb.") { verb };
        command.SetAction((parsed, cancellationToken) =>
        {
            string[] words = parsed.GetValue(verb) ?? [];
            Command at = root;
            foreach (string word in words)
            {
                at = at.Subcommands.FirstOrDefault(known => known.Name == word) ?? throw new InputException(at.Subcommands.Count == 0
                    ? $"'{at.Name}' has no verbs of its own. Try 'skmmbert help {at.Name}'."
                    : $"There is no verb '{word}'{(at == root ? "" : $" of '{at.Name}'")}. Expected: one of {Names(at)}.");
            }

            return root.Parse([.. words, "--help"]).InvokeAsync(parsed.InvocationConfiguration, cancellationToken);
        });
        return command;
    }

    /// <summary>The names of all verbs of a command.</summary>
    public static string Names(Command command) => string.Join(", ", command.Subcommands.Where(verb => !verb.Hidden).Select(verb => verb.Name));
}
