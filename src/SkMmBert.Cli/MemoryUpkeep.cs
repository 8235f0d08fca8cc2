using System.CommandLine;
using System.Globalization;
using System.Text;
using Spectre.Console;

namespace SkMmBert.Cli;

/// <summary><c>memory forget, list, check, export, reembed</c>.</summary>
internal static class MemoryUpkeep
{
    private const int TableRows = 50;

    public static Command Forget(Terminal terminal)
    {
        Selection selection = new();
        Option<bool> all = new("--all") { Description = "Everything that the other options leave in: without any, all of it." };
        return MemorySession.Verb("forget", "Forgets items by id, source, scope or age.", terminal, create: false, async (parsed, open, cancellationToken) =>
        {
            MemoryFilter filter = selection.Read(parsed);
            if (filter == MemoryFilter.All && !parsed.GetValue(all))
            {
                throw new InputException("Nothing says what to forget. Expected: --id, --source, --scope, --before, or --all for everything.");
            }

            using MemorySession session = open(false);
            int forgotten = await session.Memory.ForgetAsync(filter, cancellationToken);
            Say(parsed, terminal, $"{forgotten} chunks forgotten.", writer => writer.WriteNumber("forgotten", forgotten));
            return 0;
        }, [.. selection.Options, all]);
    }

    public static Command List(Terminal terminal)
    {
        Selection selection = new();
        return MemorySession.Verb("list", "Lists items, oldest write first.", terminal, create: false, async (parsed, open, cancellationToken) =>
        {
            MemoryFilter filter = selection.Read(parsed);
            using MemorySession session = open(false);
            if (parsed.GetValue<bool>("--json"))
            {
                return await WriteAsync(null, session.Memory, filter, terminal, cancellationToken);
            }

            Table table = new Table().AddColumns("id", "scope", "time", "source", "text").RoundedBorder();
            int count = 0;
            await foreach (MemoryItem item in session.Memory.ListAsync(filter, cancellationToken))
            {
                if (count++ < TableRows)
                {
                    table.AddRow(new Text(Shorten.ToWidth(item.Id, 20)), new Text(Shorten.ToWidth($"{item.Scope}", 20)), new Text($"{item.Time:u}"), new Text(Shorten.ToWidth(item.Source ?? "", 20)), new Text(Shorten.ToWidth(item.Text, 50)));
                }
            }

            terminal.People.Write(table);
            terminal.People.WriteLine(count > TableRows ? $"and {count - TableRows} more; --json prints all." : $"{count} chunks.");
            return 0;
        }, [.. selection.Options]);
    }

    public static Command Check(Terminal terminal)
    {
        Option<int?> questions = new("--questions") { Description = "How many questions are asked both ways (default: 100)." };
        return MemorySession.Verb("check", "Measures the funnel against an exact scan and looks for damage.", terminal, create: false, async (parsed, open, cancellationToken) =>
        {
            int ask = SharedOptions.AtLeastOne(parsed, questions) ?? 100;
            using MemorySession session = open(false);
            using ProgressLine progress = new(terminal, "% of the questions asked");
            MemoryCheck check = await session.Memory.CheckAsync(ask, new ToldPart(part => progress.Report((long)(part * 100), part)), cancellationToken);
            string widths = string.Join(" → ", check.Widths.Select(width => $"{width.Stage} {width.Items}"));
            string people = string.Create(CultureInfo.InvariantCulture,
                $"{check.Items} chunks; {check.Questions} questions: the funnel ({widths}) keeps {check.Recall:P2} of the exact top 10 in {check.FunnelMilliseconds:0.00} ms, the exact scan takes {check.ExactMilliseconds:0.00} ms. " +
                $"{(check.Problems.Count == 0 ? "No damage found." : string.Join(' ', check.Problems))}");
            Say(parsed, terminal, people, writer =>
            {
                writer.WriteNumber("items", check.Items);
                writer.WriteNumber("questions", check.Questions);
                writer.WriteNumber("recall", check.Recall);
                writer.WriteStartArray("widths");
                foreach (StageWidth width in check.Widths)
                {
                    writer.WriteStartObject();
                    writer.WriteString("stage", width.Stage);
                    writer.WriteNumber("items", width.Items);
                    writer.WriteEndObject();
                }

                writer.WriteEndArray();
                writer.WriteNumber("funnel_milliseconds", Math.Round(check.FunnelMilliseconds, 3));
                writer.WriteNumber("exact_milliseconds", Math.Round(check.ExactMilliseconds, 3));
                writer.WriteStartArray("problems");
                foreach (string problem in check.Problems)
                {
                    writer.WriteStringValue(problem);
                }

                writer.WriteEndArray();
            });
            return check.Problems.Count == 0 ? 0 : 1;
        }, questions);
    }

    public static Command Export(Terminal terminal)
    {
        Selection selection = new();
        SharedOptions shared = new();
        return MemorySession.Verb("export", "Writes items as JSONL that 'memory import' reads.", terminal, create: false, async (parsed, open, cancellationToken) =>
        {
            MemoryFilter filter = selection.Read(parsed);
            using MemorySession session = open(false);
            return await WriteAsync(parsed.GetValue(shared.Out), session.Memory, filter, terminal, cancellationToken);
        }, [.. selection.Options, shared.Out]);
    }

    public static Command Reembed(Terminal terminal) => MemorySession.Verb(
        "reembed", "Embeds every text again with another model and ties the store to it.", terminal, create: false, async (parsed, open, cancellationToken) =>
        {
            using MemorySession session = open(false);
            using ProgressLine progress = new(terminal, "% embedded again");
            await session.Memory.ReembedAsync(new ToldPart(part => progress.Report((long)(part * 100), part)), cancellationToken);
            int items = await session.Memory.CountAsync(null, cancellationToken);
            Say(parsed, terminal, $"{items} chunks embedded again.", writer => writer.WriteNumber("reembedded", items));
            return 0;
        });

    private static async Task<int> WriteAsync(FileInfo? file, AgentMemory memory, MemoryFilter filter, Terminal terminal, CancellationToken cancellationToken)
    {
        using OutputFile output = OutputFile.Open(file, terminal, cancellationToken);
        using ProgressLine progress = new(terminal, "chunks");
        await using (StreamWriter writer = new(output.Stream, new UTF8Encoding(false), 1 << 16, leaveOpen: true))
        {
            await memory.ExportAsync(writer, filter, new Told(count => progress.Report(count, null)), cancellationToken);
        }

        output.Complete();
        return 0;
    }

    private static void Say(ParseResult parsed, Terminal terminal, string people, Action<System.Text.Json.Utf8JsonWriter> write)
    {
        if (!parsed.GetValue<bool>("--json"))
        {
            terminal.People.WriteLine(people);
            return;
        }

        using OutputFile output = OutputFile.Open(null, terminal);
        JsonOutput json = new(output.Stream);
        json.Line(null, write);
        output.Complete();
    }

    /// <summary>The options that say which items are meant.</summary>
    private sealed class Selection
    {
        private readonly Option<string[]> _id = new("--id") { Description = "Items with this id; may be given several times.", DefaultValueFactory = _ => [] };
        private readonly Option<string?> _source = new("--source") { Description = "Items of this source." };
        private readonly Option<string?> _scope = new("--scope") { Description = "Items of this scope and inside it, such as user=ada." };
        private readonly Option<string?> _before = new("--before") { Description = "Items written before this time, such as 2026-11-21." };

        public Symbol[] Options => [_id, _source, _scope, _before];

        public MemoryFilter Read(ParseResult parsed)
        {
            string[] ids = parsed.GetValue(_id)!;
            return new MemoryFilter
            {
                Ids = ids.Length == 0 ? null : ids,
                Source = parsed.GetValue(_source),
                Scope = MemoryRecall.Scope(parsed.GetValue(_scope)),
                To = MemoryConditions.Time(parsed, _before),
            };
        }
    }
}
