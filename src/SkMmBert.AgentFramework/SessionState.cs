using System.Text.Json.Serialization;

namespace SkMmBert;

/// <summary>What a session keeps for its memory.</summary>
internal sealed class MemorySession
{
    /// <summary>Fences the session's items off and names them as a source.</summary>
    public string Id { get; set; } = "";

    /// <summary>Runs that were stored.</summary>
    public int Runs { get; set; }
}

/// <summary>What a session keeps for its tools: the names listed so far, in order.</summary>
internal sealed class ToolSession
{
    public List<string> Listed { get; set; } = [];
}

[JsonSerializable(typeof(MemorySession))]
[JsonSerializable(typeof(ToolSession))]
internal sealed partial class SessionJson : JsonSerializerContext;
