using System.Reflection.Metadata;
using Xunit;

namespace SkMmBert.Tests;

/// <summary>The folders of the core are rooms in the order a text goes through them; a room uses only rooms before it.</summary>
public sealed class RoomTests
{
    private static readonly string[] Order = ["Text", "Tokens", "Batches", "Graphs", "Layers", "Models", "Vectors"];

    // The last three do not know one another; two of them may be given a Reranker.
    private static readonly string[] Last = ["Reranking", "Routing", "Memory"];

    [Fact]
    public void Core_Types_UseOnlyRoomsBeforeTheirOwn()
    {
        using CoreAssembly core = new();
        Dictionary<TypeDefinitionHandle, string> rooms = core.Files().Where(type => type.Value.Contains("/src/SkMmBert/", StringComparison.Ordinal))
            .ToDictionary(type => type.Key, type => Room(type.Value));
        Assert.True(rooms.Count > 50, $"only {rooms.Count} types were found");
        List<string> wrong = [];
        foreach ((TypeDefinitionHandle type, string room) in rooms)
        {
            foreach (TypeDefinitionHandle used in core.Uses(type).Where(rooms.ContainsKey))
            {
                if (!MayUse(room, rooms[used], core.Name(used)))
                {
                    wrong.Add($"{room}/{core.Name(type)} uses {rooms[used]}/{core.Name(used)}");
                }
            }
        }

        Assert.True(wrong.Count == 0, string.Join('\n', wrong.Order()));
    }

    [Theory]
    [InlineData("Vectors", "Models", "MmBertModel", true)]
    [InlineData("Models", "Vectors", "VectorTier", false)]
    [InlineData("Memory", "Reranking", "Reranker", true)]
    [InlineData("Memory", "Reranking", "MmBertReranker", false)]
    [InlineData("Memory", "Routing", "ToolRouter", false)]
    [InlineData("Reranking", "Evidence", "Evidence", true)]
    [InlineData("Evidence", "Models", "MmBertModel", false)]
    public void MayUse_Rooms_IsTheHouseRule(string room, string used, string type, bool allowed) => Assert.Equal(allowed, MayUse(room, used, type));

    private static bool MayUse(string room, string used, string type)
    {
        if (room == used || used == "")
        {
            return true;
        }

        if (room is "" or "Evidence")
        {
            return used == "Text";
        }

        if (Last.Contains(room))
        {
            return used == "Evidence" || Order.Contains(used) || (used == "Reranking" && type is "Reranker");
        }

        return Array.IndexOf(Order, used) is >= 0 and int at && at < Array.IndexOf(Order, room);
    }

    private static string Room(string file)
    {
        string[] parts = file[(file.IndexOf("/src/SkMmBert/", StringComparison.Ordinal) + "/src/SkMmBert/".Length)..].Split('/');
        return parts.Length > 1 ? parts[0] : "";
    }
}
