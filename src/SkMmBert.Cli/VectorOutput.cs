using System.Globalization;
using Microsoft.Extensions.AI;
using Spectre.Console;

namespace SkMmBert.Cli;

/// <summary>A form that vectors are written in.</summary>
internal abstract class VectorOutput : IDisposable
{
    public abstract void Write(InputLine input, string text, Embedding<float> embedding);

    public virtual void Complete()
    {
    }

    public virtual void Dispose()
    {
    }
}

/// <summary>One JSON object a line.</summary>
internal sealed class JsonVectorOutput(Stream stream) : VectorOutput
{
    private readonly JsonOutput _json = new(stream);

    public override void Write(InputLine input, string text, Embedding<float> embedding) => _json.Line(input.Id, writer =>
    {
        writer.WriteStartArray("vector");
        foreach (float value in embedding.Vector.Span)
        {
            writer.WriteNumberValue(value);
        }

        writer.WriteEndArray();
        writer.WriteNumber("tokens", embedding.GetTokenCount() ?? 0);
        writer.WriteBoolean("truncated", embedding.IsTruncated());
    });
}

/// <summary>A NumPy array.</summary>
internal sealed class NpyOutput(Stream stream, int dimensions) : VectorOutput
{
    private readonly NpyWriter _npy = new(stream, dimensions);

    public override void Write(InputLine input, string text, Embedding<float> embedding) => _npy.Write(embedding.Vector.Span);

    public override void Complete() => _npy.Complete();

    public override void Dispose() => _npy.Dispose();
}

/// <summary>A table of the first rows for people.</summary>
internal sealed class VectorTable(IAnsiConsole people) : VectorOutput
{
    private const int Rows = 20;
    private readonly Table _table = new Table().AddColumns("text", "tokens", "vector").RoundedBorder();
    private int _count;

    public override void Write(InputLine input, string text, Embedding<float> embedding)
    {
        if (_count++ < Rows)
        {
            string first = string.Join(' ', embedding.Vector.ToArray().Take(4).Select(x => x.ToString("0.000", CultureInfo.InvariantCulture)));
            string tokens = embedding.GetTokenCount() + (embedding.IsTruncated() ? " (cut)" : "");
            _table.AddRow(new Text(Shorten.ToWidth(text, 40)), new Text(tokens), new Text($"{first} … {embedding.Vector.Length} dims"));
        }
    }

    public override void Complete()
    {
        people.Write(_table);
        string more = _count > Rows ? $"and {(_count - Rows).ToString("N0", CultureInfo.InvariantCulture)} more; " : "";
        people.WriteLine($"{more}--json prints the vectors, --out FILE writes them.");
    }
}
