using Xunit;

namespace SkMmBert.Tests;

/// <summary>How a graph ends is read from its operators, in the forms exporters write.</summary>
public sealed class PublishedNormTests
{
    [Theory]
    [InlineData("whole", GraphEnd.Normed)]
    [InlineData("whole, cast", GraphEnd.Normed)]
    [InlineData("parts", GraphEnd.Normed)]
    [InlineData("parts with bias", GraphEnd.Normed)]
    [InlineData("sum", GraphEnd.Raw)]
    [InlineData("sum, cast", GraphEnd.Raw)]
    [InlineData("sum plus constant", GraphEnd.Unknown)]
    [InlineData("scaled", GraphEnd.Unknown)]
    [InlineData("other", GraphEnd.Unknown)]
    [InlineData("pooled", GraphEnd.Pooled)]
    public void Of_GraphEnd_IsTold(string form, object expected)
    {
        using TemporaryFolder folder = new();
        OnnxWriter graph = new();
        string x = graph.Input("x", OnnxType.Float, 1, null, 4), y = graph.Input("y", OnnxType.Float, 1, null, 4);
        string scale = graph.Constant("scale", [4], 1f, 2f, 3f, 4f);
        string end = form switch
        {
            "whole" or "whole, cast" => graph.Node("LayerNormalization", [x, scale]),
            "parts" or "parts with bias" => Parts(graph, x, scale),
            "sum" or "sum, cast" => graph.Node("Add", [x, y]),
            "sum plus constant" => graph.Node("Add", [graph.Node("Add", [x, y]), scale]),
            "scaled" => graph.Node("Mul", [x, scale]),
            _ => graph.Node("Relu", [x]),
        };
        end = form.EndsWith("bias", StringComparison.Ordinal) ? graph.Node("Add", [end, scale]) : form.EndsWith("cast", StringComparison.Ordinal) ? graph.Node("Cast", [end], ("to", 1)) : end;
        if (form == "pooled")
        {
            graph.Output(end, OnnxType.Float, 1, 4);
        }
        else
        {
            graph.Output(end, OnnxType.Float, 1, null, 4);
        }

        string file = folder.File("model.onnx");
        File.WriteAllBytes(file, graph.ToModel("test"));
        OnnxFile read = OnnxFile.Read(file);
        (GraphEnd found, string? weight) = PublishedNorm.Of(read);
        Assert.Equal((GraphEnd)expected, found);
        Assert.Equal(found == GraphEnd.Normed ? [1, 2, 3, 4] : null, weight is null ? null : read.Floats(weight));
    }

    private static string Parts(OnnxWriter graph, string x, string scale)
    {
        string centred = graph.Node("Sub", [x, graph.Node("ReduceMean", [x])]);
        return graph.Node("Mul", [graph.Node("Div", [centred, graph.Node("Sqrt", [graph.Node("ReduceMean", [graph.Node("Mul", [centred, centred])])])]), scale]);
    }
}
