namespace SkMmBert;

/// <summary>What a published graph does to its states last.</summary>
internal enum GraphEnd
{
    /// <summary>The sum of the last layer: no norm.</summary>
    Raw,

    /// <summary>A layer norm.</summary>
    Normed,

    /// <summary>It pools the texts: one vector each.</summary>
    Pooled,

    /// <summary>Something that is none of these.</summary>
    Unknown,
}

/// <summary>Finds out from a graph's own operators whether its output went through a layer norm, whole or in its parts.</summary>
/// <remarks>Counting or naming would not do: exporters name nodes as they like, and every layer has norms of its own.</remarks>
internal static class PublishedNorm
{
    /// <summary>How the graph ends, and the name of the norm's scale if it ends with one.</summary>
    public static (GraphEnd End, string? Scale) Of(OnnxFile file)
    {
        string output = PublishedNames.OutputOf([.. file.Outputs.Select(candidate => candidate.Name)], file.Path);
        return file.Outputs.First(candidate => candidate.Name == output).Rank == 2 ? (GraphEnd.Pooled, null) : Follow(file, output, biased: false);
    }

    private static (GraphEnd End, string? Scale) Follow(OnnxFile file, string value, bool biased)
    {
        OnnxNode? node = Source(file, value);
        switch (node?.Operator)
        {
            case "LayerNormalization":
                return (GraphEnd.Normed, node.Inputs[1]);
            case "SkipLayerNormalization":
                return (GraphEnd.Normed, node.Inputs[2]);
            case "Add" when !biased && (Constant(file, node.Inputs[0]) ?? Constant(file, node.Inputs[1])) is not null:
                // A norm's bias; anything else that adds a constant last is not a layer's sum.
                (GraphEnd end, string? scale) = Follow(file, Constant(file, node.Inputs[0]) is null ? node.Inputs[0] : node.Inputs[1], biased: true);
                return end == GraphEnd.Normed ? (end, scale) : (GraphEnd.Unknown, null);
            case "Add" when !biased:
                return (GraphEnd.Raw, null);
            case "Mul" when (Constant(file, node.Inputs[0]) ?? Constant(file, node.Inputs[1])) is string weight:
                // The last step of a norm in parts: scale times (difference from the mean divided by the deviation).
                string other = Constant(file, node.Inputs[0]) is null ? node.Inputs[0] : node.Inputs[1];
                return Source(file, other) is { Operator: "Div" or "Mul" } divided && divided.Inputs.Any(input => Source(file, input)?.Operator == "Sub") ? (GraphEnd.Normed, weight) : (GraphEnd.Unknown, null);
            default:
                return (GraphEnd.Unknown, null);
        }
    }

    private static OnnxNode? Source(OnnxFile file, string value)
    {
        OnnxNode? node = file.Producer(value);
        for (int steps = 0; node is { Operator: "Cast" or "Identity" } && steps < 16; steps++)
        {
            node = file.Producer(node.Inputs[0]);
        }

        return node;
    }

    // The weight behind a value; "" for a constant node; null for what depends on the text.
    private static string? Constant(OnnxFile file, string value)
    {
        for (int steps = 0; steps < 16; steps++)
        {
            if (file.Weights.ContainsKey(value))
            {
                return value;
            }

            if (file.Producer(value) is not OnnxNode node)
            {
                return null;
            }

            if (node.Operator is not ("Cast" or "Identity"))
            {
                return node.Operator == "Constant" ? "" : null;
            }

            value = node.Inputs[0];
        }

        return null;
    }
}
