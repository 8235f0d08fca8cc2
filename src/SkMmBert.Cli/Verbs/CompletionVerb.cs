using System.CommandLine;
using System.CommandLine.Completions;

namespace SkMmBert.Cli;

/// <summary><c>completion</c>: a script that teaches a shell the verbs and options, and <c>complete</c>, which that script asks.</summary>
internal static class CompletionVerb
{
    private static readonly Dictionary<string, string> Scripts = new()
    {
        ["bash"] = """
            # skmmbert completion for bash: eval "$(skmmbert completion bash)"
            _skmmbert() {
              local IFS=$'\n'
              COMPREPLY=($(compgen -W "$("${COMP_WORDS[0]}" complete -- "${COMP_LINE:0:COMP_POINT}" 2>/dev/null)" -- "${COMP_WORDS[COMP_CWORD]}"))
            }
            complete -o default -F _skmmbert skmmbert
            """,
        ["zsh"] = """
            #compdef skmmbert
            # skmmbert completion for zsh: skmmbert completion zsh > a file _skmmbert in a folder of $fpath
            _skmmbert() {
              local -a found
              found=("${(@f)$(${words[1]} complete -- "${BUFFER[1,CURSOR]}" 2>/dev/null)}")
              if [[ -n "${found[1]}" ]]; then compadd -- "${found[@]}"; else _files; fi
            }
            if [[ "${funcstack[1]}" == _skmmbert ]]; then _skmmbert "$@"; else compdef _skmmbert skmmbert; fi
            """,
        ["fish"] = """
            # skmmbert completion for fish: skmmbert completion fish > ~/.config/fish/completions/skmmbert.fish
            complete -c skmmbert -a '(skmmbert complete --describe -- (commandline -cp | string collect) 2>/dev/null)'
            """,
        ["pwsh"] = """
            # skmmbert completion for PowerShell: skmmbert completion pwsh >> $PROFILE
            Register-ArgumentCompleter -Native -CommandName skmmbert -ScriptBlock {
                param($word, $line, $position)
                skmmbert complete -- $line.ToString().PadRight($position).Substring(0, $position) 2>$null | ForEach-Object { [System.Management.Automation.CompletionResult]::new($_) }
            }
            """,
    };

    public static Command Create(Terminal terminal)
    {
        Argument<string> shell = new("SHELL") { Description = "bash, zsh, fish or pwsh." };
        shell.AcceptOnlyFromAmong([.. Scripts.Keys]);
        Command command = new("completion", "Prints a script with which a shell completes verbs, options and model names.") { shell };
        command.SetAction(parsed =>
        {
            Print(terminal, Scripts[parsed.GetValue(shell)!].ReplaceLineEndings("\n").Split('\n'));
            return 0;
        });
        return command;
    }

    /// <summary>What the scripts ask: words that may follow a command line, one a line.</summary>
    public static Command Answer(Command root, Terminal terminal)
    {
        Argument<string> line = new("LINE") { Description = "The command line up to the cursor, the program's name first." };
        Option<bool> describe = new("--describe") { Description = "What each word means, behind a tab." };
        Command command = new("complete", "Completes a command line.") { line, describe };
        command.Hidden = true;
        command.SetAction(parsed =>
        {
            Print(terminal, Words(root, parsed.GetValue(line)!).Select(item => parsed.GetValue(describe) && !string.IsNullOrEmpty(item.Detail) ? $"{item.Label}\t{item.Detail}" : item.Label));
            return 0;
        });
        return command;
    }

    /// <summary>Options only after a dash, since most verbs take files, which the shell completes itself where this finds nothing.</summary>
    private static IEnumerable<CompletionItem> Words(Command root, string line)
    {
        int name = line.TrimStart().IndexOf(' ');
        string typed = name < 0 ? "" : line.TrimStart()[(name + 1)..];
        string word = typed[(typed.LastIndexOf(' ') + 1)..];
        ParseResult parsed = root.Parse(typed);
        return parsed.UnmatchedTokens.Any(token => token != word) ? [] : parsed.GetCompletions(typed.Length)
            .Where(item => item.Label.StartsWith(word, StringComparison.Ordinal) && item.Label.StartsWith('-') == word.StartsWith('-') && item.Label is not ("-?" or "-h" or "/?" or "/h"));
    }

    private static void Print(Terminal terminal, IEnumerable<string> lines)
    {
        using StreamWriter output = new(terminal.Output, leaveOpen: true) { NewLine = "\n" };
        foreach (string line in lines)
        {
            output.WriteLine(line);
        }
    }
}
