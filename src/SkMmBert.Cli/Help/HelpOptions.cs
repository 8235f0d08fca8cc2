using System.CommandLine;

namespace SkMmBert.Cli;

/// <summary>The options of a help page: what a verb alone has comes first, each value has a name, and a shell knows what to offer for it.</summary>
internal static class HelpOptions
{
    private static readonly Dictionary<string, string> Known = new()
    {
        ["--model"] = "MODEL", ["--rerank-model"] = "MODEL", ["--data"] = "FOLDER", ["--store"] = "STORE", ["--tools"] = "FILE", ["--set"] = "TEXT", ["--id"] = "ID", ["--before"] = "TIME", ["--since"] = "TIME", ["--until"] = "TIME", ["--metadata"] = "KEY=VALUE", ["--half-life"] = "DAYS", ["--scope"] = "SCOPE", ["--source"] = "SOURCE",
        ["--lengths"] = "N,N,…", ["--floor"] = "SHARE", ["--loss"] = "SHARE", ["--effort"] = "EFFORT",
    };

    // What many verbs share, in this order after a verb's own.
    private static readonly string[] Shared = ["--model", "--rerank-model", "--exit", "--dims", "--precision", "--exit-norm", "--threads", "--out", "--json", "--version", "--help"];

    /// <summary>Orders and names the options of a command and of its verbs.</summary>
    public static void Apply(Command command)
    {
        Option[] ordered = [.. command.Options.OrderBy(option => option.Required ? -2 : Array.IndexOf(Shared, option.Name))];
        command.Options.Clear();
        Array.ForEach(ordered, command.Options.Add);
        foreach (Option option in command.Options)
        {
            bool several = option.ValueType == typeof(string) && option.Name is "--exit" or "--dims" or "--exits";
            string? name = Known.GetValueOrDefault(option.Name) ?? (option.ValueType == typeof(int?) ? "N" : typeof(FileSystemInfo).IsAssignableFrom(option.ValueType) ? "FILE" : several ? "N,N,…" : null);
            if (name is not null && option.HelpName is null)
            {
                option.HelpName = name;
            }

            if (option.HelpName == "MODEL")
            {
                option.CompletionSources.Add(_ => ModelNames.Known.Select(model => model.Name).Distinct().Concat(KnownModel.All.Select(model => model.Name)).Select(model => new System.CommandLine.Completions.CompletionItem(model)));
            }
        }

        foreach (Command verb in command.Subcommands)
        {
            Apply(verb);
        }
    }
}
