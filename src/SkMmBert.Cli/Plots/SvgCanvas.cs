using System.Globalization;
using System.Xml;

namespace SkMmBert.Cli;

/// <summary>The few shapes that pictures are made of.</summary>
internal sealed class SvgCanvas(XmlWriter xml)
{
    private const double LetterWidth = 0.54; // of a letter's height, on average

    public static double Width(string text, double size) => text.Length * size * LetterWidth;

    public void Text(double x, double y, string text, double size, string anchor = "start", bool bold = false, bool faint = false)
    {
        xml.WriteStartElement("text");
        Place(("x", x), ("y", y), ("font-size", size));
        Write(("text-anchor", anchor), ("font-weight", bold ? "600" : "400"), ("class", faint ? "faint" : "ink"));
        xml.WriteString(text);
        xml.WriteEndElement();
    }

    public void Segment(double x1, double y1, double x2, double y2, string style, string? dashes = null)
    {
        xml.WriteStartElement("line");
        Place(("x1", x1), ("y1", y1), ("x2", x2), ("y2", y2));
        Write(("class", style), ("stroke-dasharray", dashes ?? "none"));
        xml.WriteEndElement();
    }

    public void Curve(IEnumerable<(double X, double Y)> points, int colour, bool dashed)
    {
        xml.WriteStartElement("polyline");
        Write(("points", string.Join(' ', points.Select(point => $"{Number(point.X)},{Number(point.Y)}"))), ("class", $"s{colour}"), ("fill", "none"), ("stroke-width", "2"), ("stroke-linejoin", "round"), ("stroke-dasharray", dashed ? "5 4" : "none"));
        xml.WriteEndElement();
    }

    /// <summary>A point with a text that appears when it is pointed at.</summary>
    public void Point(double x, double y, int colour, bool hollow, string? tip = null)
    {
        xml.WriteStartElement("circle");
        Place(("cx", x), ("cy", y), ("r", 3.4));
        Write(("class", hollow ? $"hollow s{colour}" : $"f{colour} s{colour}"), ("stroke-width", "1.6"));
        if (tip is not null)
        {
            xml.WriteElementString("title", tip);
        }

        xml.WriteEndElement();
    }

    public void Box(double x, double y, double width, double height, string style, double radius = 2)
    {
        xml.WriteStartElement("rect");
        Place(("x", x), ("y", y), ("width", width), ("height", height), ("rx", radius));
        Write(("class", style));
        xml.WriteEndElement();
    }

    private void Place(params (string Name, double Value)[] attributes) => Write([.. attributes.Select(attribute => (attribute.Name, Number(attribute.Value)))]);

    private void Write(params (string Name, string Value)[] attributes)
    {
        foreach ((string name, string value) in attributes)
        {
            xml.WriteAttributeString(name, value);
        }
    }

    private static string Number(double value) => value.ToString("0.#", CultureInfo.InvariantCulture);
}
