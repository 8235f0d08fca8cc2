using System.Globalization;
using System.Xml;

namespace SkMmBert.Cli;

/// <summary>Writes a picture as SVG: heading, legend, panels in a grid.</summary>
internal static class SvgFile
{
    private const double PageWidth = 920, Margin = 28, Gap = 30, LegendSize = 12, SubtitleSize = 12, LegendSample = 26;

    public static void Write(Figure figure, Stream stream)
    {
        double width = (PageWidth - (2 * Margin) - ((figure.Columns - 1) * Gap)) / figure.Columns;
        Panel[][] rows = [.. figure.Panels.Chunk(figure.Columns)];
        double[] heights = [.. rows.Select(row => row.Max(SvgPanel.Height))];
        List<string> subtitle = Wrap(figure.Subtitle);
        List<List<Line>> legend = Legend(figure);
        double top = 46 + (subtitle.Count * 17) + (legend.Count * 20) + (legend.Count > 0 ? 12 : 4), height = top + heights.Sum() + ((rows.Length - 1) * 18) + Margin - 8;

        using XmlWriter xml = XmlWriter.Create(stream, new() { Encoding = new System.Text.UTF8Encoding(false), Indent = true, IndentChars = " ", NewLineChars = "\n", OmitXmlDeclaration = true, CloseOutput = false });
        xml.WriteStartElement("svg", "http://www.w3.org/2000/svg");
        xml.WriteAttributeString("viewBox", string.Create(CultureInfo.InvariantCulture, $"0 0 {PageWidth} {height:0}"));
        xml.WriteAttributeString("width", PageWidth.ToString(CultureInfo.InvariantCulture));
        xml.WriteAttributeString("height", height.ToString("0", CultureInfo.InvariantCulture));
        xml.WriteAttributeString("role", "img");
        xml.WriteElementString("title", figure.Title);
        xml.WriteElementString("desc", figure.Subtitle);
        xml.WriteElementString("style", SvgStyle.Sheet);
        SvgCanvas canvas = new(xml);
        canvas.Box(0.5, 0.5, PageWidth - 1, height - 1, "page", 8);
        canvas.Text(Margin, 36, figure.Title, 18, bold: true);
        for (int i = 0; i < subtitle.Count; i++)
        {
            canvas.Text(Margin, 58 + (i * 17), subtitle[i], SubtitleSize, faint: true);
        }

        for (int row = 0; row < legend.Count; row++)
        {
            Draw(canvas, legend[row], 62 + (subtitle.Count * 17) + (row * 20));
        }

        double y = top;
        for (int row = 0; row < rows.Length; row++)
        {
            for (int column = 0; column < rows[row].Length; column++)
            {
                SvgPanel.Draw(canvas, rows[row][column], Margin + (column * (width + Gap)), y, width, heights[row]);
            }

            y += heights[row] + 18;
        }

        xml.WriteEndElement();
    }

    private static void Draw(SvgCanvas canvas, List<Line> legend, double y)
    {
        double x = Margin;
        foreach (Line line in legend)
        {
            if (!line.Loose)
            {
                canvas.Curve([(x, y - 4), (x + LegendSample, y - 4)], line.Colour, line.Dashed);
            }

            canvas.Point(x + (LegendSample / 2), y - 4, line.Colour, line.Dashed);
            canvas.Text(x + LegendSample + 7, y, line.Name, LegendSize);
            x += Room(line);
        }
    }

    private static double Room(Line line) => LegendSample + 30 + SvgCanvas.Width(line.Name, LegendSize);

    private static List<List<Line>> Legend(Figure figure)
    {
        List<List<Line>> rows = [];
        double used = double.MaxValue;
        foreach (Line line in figure.Panels.OfType<LinePanel>().SelectMany(panel => panel.Lines).DistinctBy(line => line.Name))
        {
            if (used + Room(line) > PageWidth - (2 * Margin))
            {
                rows.Add([]);
                used = 0;
            }

            rows[^1].Add(line);
            used += Room(line);
        }

        return rows;
    }

    private static List<string> Wrap(string text)
    {
        List<string> lines = [];
        foreach (string word in text.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            string longer = lines.Count == 0 ? word : $"{lines[^1]} {word}";
            if (lines.Count > 0 && SvgCanvas.Width(longer, SubtitleSize) <= PageWidth - (2 * Margin))
            {
                lines[^1] = longer;
            }
            else
            {
                lines.Add(word);
            }
        }

        return lines;
    }
}
