using System.CommandLine;

namespace SkMmBert.Cli;

/// <summary><c>completion</c>: a script that lets a shell complete verbs, options and their values; with <c>--line</c>, what such a script asks.</summary>
internal static class CompletionVerb
{
    private static readonly Dictionary<string, string> Scripts = new()
    {
        ["bash"] = """
            _skmmbert() {
              local IFS=$'\n'
              COMPREPLY=($(compgen -W "$(skmmbert completion --line "${COMP_LINE:0:$COMP_POINT}" 2>/dev/null)" -- "${COMP_WORDS[COMP_CWORD]}"))
            }
            complete -o default -F _skmmbert skmmbert
            """,
        ["zsh"] = """
            #compdef skmmbert
            _skmmbert() {
              local -a found
              found=("${(@f)$(skmmbert completion --line "${BUFFER[1,$CURSOR]}" 2>/dev/null)}")
              compadd -a found
              _files
            }
            compdef _skmmbert skmmbert
            """,
        ["fish"] = """
            complete -c skmmbert -a '(skmmbert completion --line (commandline -cp) 2>/dev/null)'
            """,
        ["powershell"] = """
            Register-ArgumentCompleter -Native -CommandName skmmbert -ScriptBlock {
              param($word, $ast, $cursor)
              skmmbert completion --line $ast.ToString().PadRight($cursor) 2>$null | Where-Object { $_ -like "$word*" } | ForEach-Object { [System.Management.Automation.CompletionResult]::new($_) }
            }
            """,
    };

    public static Command Create(Command root, Terminal terminal)
    {
        Argument<string?> shell = new("SHELL") { Description = "Whose script: bash, zsh, fish or powershell.", Arity = ArgumentArity.ZeroOrOne };
        shell.AcceptOnlyFromAmong([.. Scripts.Keys]);
        Option<string?> line = new("--line") { Description = "Prints what could follow this line instead.", Hidden = true };
        Command command = new("completion", "Prints a script for tab completion: eval \"$(skmmbert completion bash)\".") { shell, line };
        command.SetAction((parsed, cancellationToken) =>
        {
            string text = parsed.GetValue(line) is { } begun ? string.Join('\n', Next(root, begun))
                : parsed.GetValue(shell) is { } name ? Scripts[name] : throw new InputException($"No shell was named. Expected: one of {string.Join(", ", Scripts.Keys)}.");
            using OutputFile output = OutputFile.Open(null, terminal, cancellationToken);
            output.Stream.Write(System.Text.Encoding.UTF8.GetBytes(text.Length == 0 ? "" : text.ReplaceLineEndings("\n") + "\n"));
            output.Complete();
            return Task.FromResult(0);
        });
        return command;
    }

    /// <summary>What may stand where a line ends.</summary>
    public static IEnumerable<string> Next(Command root, string line)
    {
        // The program's own name is not part of what is parsed.
        int space = line.IndexOf(' ');
        string rest = space < 0 ? "" : line[(space + 1)..];
        return root.Parse(rest).GetCompletions(rest.Length).Select(item => item.InsertText ?? item.Label).Distinct();
    }
}
