using System.Text.Json;
using Microsoft.Extensions.AI;

namespace Microsoft.Agents.AI;

public abstract class AIAgent
{
    protected AIAgent() => throw null!;

    public virtual object? GetService(Type serviceType, object? serviceKey = null) => throw null!;
}

public abstract class AgentSession
{
    protected AgentSession() => throw null!;
}

public class ProviderSessionState<TState>
    where TState : class
{
    public ProviderSessionState(Func<AgentSession?, TState> stateInitializer, string stateKey, JsonSerializerOptions? jsonSerializerOptions = null) => throw null!;

    public string StateKey => throw null!;

    public TState GetOrInitializeState(AgentSession? session) => throw null!;

    public void SaveState(AgentSession? session, TState state) => throw null!;
}

public readonly struct AgentRequestMessageSourceType : IEquatable<AgentRequestMessageSourceType>
{
    public static AgentRequestMessageSourceType External => throw null!;

    public bool Equals(AgentRequestMessageSourceType other) => throw null!;

    public override bool Equals(object? obj) => throw null!;

    public override int GetHashCode() => throw null!;

    public static bool operator ==(AgentRequestMessageSourceType left, AgentRequestMessageSourceType right) => throw null!;

    public static bool operator !=(AgentRequestMessageSourceType left, AgentRequestMessageSourceType right) => throw null!;
}

public static class ChatMessageExtensions
{
    public static AgentRequestMessageSourceType GetAgentRequestMessageSourceType(this ChatMessage message) => throw null!;
}
