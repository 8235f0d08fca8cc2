using Microsoft.Agents.AI;
using Microsoft.Extensions.AI;

namespace SkMmBert.AgentFramework.Tests;

/// <summary>A real agent whose model answers from a callback and whose requests are kept.</summary>
internal sealed class ScriptedAgent
{
    private readonly ScriptedChatClient _model;

    public ScriptedAgent(AIContextProvider[] providers, IList<AITool>? tools = null, Func<IReadOnlyList<ChatMessage>, ChatMessage>? answer = null, ChatToolMode? mode = null)
    {
        _model = new((messages, _) =>
        {
            Requests.Add([.. messages.Select(message => message.Text)]);
            return answer?.Invoke(messages) ?? new(ChatRole.Assistant, "I see.");
        });
        Agent = new ChatClientAgent(_model, new ChatClientAgentOptions { ChatOptions = new() { Tools = tools, ToolMode = mode, Instructions = "Be brief." }, AIContextProviders = providers });
    }

    public ChatClientAgent Agent { get; }

    /// <summary>The texts of the messages of each call of the model.</summary>
    public List<string[]> Requests { get; } = [];

    /// <summary>The tools of each call of the model.</summary>
    public List<string[]> ToolLists => _model.ToolLists;

    public List<ChatOptions?> Options => _model.Options;

    /// <summary>What the last call quoted from memory; empty when it quoted nothing.</summary>
    public string Quoted => Requests[^1].LastOrDefault(EvidenceFormatter.IsQuotation) ?? "";

    public async Task<AgentSession> NewSessionAsync() => await Agent.CreateSessionAsync();

    public static ChatMessage Call(string name, params (string Key, object? Value)[] arguments) => ToolRoutingChatClientTests.Call(name, arguments);

    public static string? LastResult(IReadOnlyList<ChatMessage> messages) => messages[^1].Contents.OfType<FunctionResultContent>().LastOrDefault()?.Result?.ToString();
}
