using System.Text.Json;
using Microsoft.Extensions.AI;

namespace SkMmBert;

/// <summary>A function with which a model uses the memory of one scope, which it cannot name or change.</summary>
internal sealed class MemoryFunction(string name, string description, JsonElement schema, string parameter, string failure, Func<string, CancellationToken, Task<string>> run, Action<Exception> failed) : AIFunction
{
    private static readonly JsonElement s_recall = Schema("question", "What to find, as a whole question or statement");
    private static readonly JsonElement s_remember = Schema("text", "The fact in one sentence that can be understood without the conversation");
    private static readonly JsonElement s_forget = Schema("id", "The id that recall gave");

    public override string Name => name;

    public override string Description => description;

    public override JsonElement JsonSchema => schema;

    /// <summary>The three functions over one scope.</summary>
    public static AITool[] All(AgentMemory memory, MemoryScope scope, MmBertMemoryProviderOptions options, Action<Exception> failed) =>
    [
        new MemoryFunction("recall", "Finds what was remembered about a question, with the id of each item; says so when nothing is known.", s_recall, "question",
            "The memory cannot be read now.", (question, stop) => RecallAsync(memory, scope, options, question, stop), failed),
        new MemoryFunction("remember", "Remembers a lasting fact for later conversations, such as a preference, a decision or a date.", s_remember, "text",
            "The memory cannot be written now.", (text, stop) => RememberAsync(memory, scope, options, text, stop), failed),
        new MemoryFunction("forget", "Forgets one item for good, by the id that recall gave.", s_forget, "id",
            "The memory cannot be changed now.", (id, stop) => ForgetAsync(memory, scope, id, stop), failed),
    ];

    protected override async ValueTask<object?> InvokeCoreAsync(AIFunctionArguments arguments, CancellationToken cancellationToken)
    {
        string value = arguments.TryGetValue(parameter, out object? given)
            ? given switch { string text => text, JsonElement { ValueKind: JsonValueKind.String } json => json.GetString()!, _ => given?.ToString() ?? "" }
            : "";
        if (string.IsNullOrWhiteSpace(value))
        {
            return $"The argument '{parameter}' is empty. Expected a text.";
        }

        try
        {
            return await run(value, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception error) when (!cancellationToken.IsCancellationRequested)
        {
            failed(error);
            return failure;
        }
    }

    private static async Task<string> RecallAsync(AgentMemory memory, MemoryScope scope, MmBertMemoryProviderOptions options, string question, CancellationToken cancellationToken)
    {
        IReadOnlyList<Evidence> found = await memory.RecallAsync(question, options.Recall with { Scope = scope }, cancellationToken).ConfigureAwait(false);
        string quotations = EvidenceFormatter.Format(found, options.MaximumCharacters);
        return quotations.Length == 0 ? "Nothing is remembered about that." : $"{quotations}Ids: {string.Join(", ", found.Select((evidence, i) => $"{i + 1} is {evidence.Id}"))}";
    }

    private static async Task<string> RememberAsync(AgentMemory memory, MemoryScope scope, MmBertMemoryProviderOptions options, string text, CancellationToken cancellationToken)
    {
        string? kept = options.Redact is null ? text : options.Redact(text);
        if (string.IsNullOrWhiteSpace(kept))
        {
            return "Nothing was stored: that may not be remembered.";
        }

        RememberResult result = await memory.RememberAsync(kept, "remember", scope, cancellationToken: cancellationToken).ConfigureAwait(false);
        return result.Added > 0 ? "Remembered." : "That was remembered before.";
    }

    // An outer scope contains the inner ones; a model forgets only what was written in its own.
    private static async Task<string> ForgetAsync(AgentMemory memory, MemoryScope scope, string id, CancellationToken cancellationToken)
    {
        MemoryFilter filter = new() { Ids = [id], Scope = scope };
        int own = 0;
        await foreach (MemoryItem item in memory.ListAsync(filter, cancellationToken).ConfigureAwait(false))
        {
            if (item.Scope != scope)
            {
                return $"The item '{id}' is not this conversation's to forget.";
            }

            own++;
        }

        return own > 0 && await memory.ForgetAsync(filter, cancellationToken).ConfigureAwait(false) > 0 ? "Forgotten." : $"There is no item '{id}' here.";
    }

    private static JsonElement Schema(string parameter, string description) => JsonElement.Parse(
        $$"""{"type":"object","properties":{"{{parameter}}":{"type":"string","description":"{{description}}"} },"required":["{{parameter}}"]}""");
}
