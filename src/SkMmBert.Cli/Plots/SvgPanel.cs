using System.Globalization;

namespace SkMmBert.Cli;

/// <summary>Draws one panel into its place.</summary>
internal static class SvgPanel
{
    private const double LineHeight = 270, Bar = 15, BarGap = 6, Left = 50, Bottom = 44, Top = 46, Small = 11;

    public static double Height(Panel panel) => panel is BarPanel bars ? Top + (bars.Bars.Count * (Bar + BarGap)) + 8 : LineHeight;

    public static void Draw(SvgCanvas canvas, Panel panel, double x, double y, double width, double height)
    {
        canvas.Text(x, y + 14, panel.Title, 14, bold: true);
        if (panel is LinePanel lines)
        {
            Lines(canvas, lines, x + Left, y + Top, width - Left - 6, height - Top - Bottom);
        }
        else
        {
            Bars(canvas, (BarPanel)panel, x, y, width);
        }
    }

    private static void Lines(SvgCanvas canvas, LinePanel panel, double left, double top, double width, double height)
    {
        double[] values = [.. panel.Lines.SelectMany(line => line.Points).Select(point => point.Y)];
        (double fromX, double toX, IReadOnlyList<double> ticksX) = panel.X.Over([.. panel.Lines.SelectMany(line => line.Points).Select(point => point.X)]);
        (double fromY, double toY, IReadOnlyList<double> ticksY) = panel.Y.Over(panel.Level is double also ? [.. values, also] : values);
        double X(double value) => left + (width * panel.X.Place(value, fromX, toX));
        double Y(double value) => top + (height * (1 - panel.Y.Place(value, fromY, toY)));

        canvas.Text(left - Left, top - 14, panel.Y.Label, Small, faint: true);
        canvas.Text(left + (width / 2), top + height + 36, panel.X.Label, Small, "middle", faint: true);
        foreach (double tick in ticksY)
        {
            canvas.Segment(left, Y(tick), left + width, Y(tick), "grid");
            canvas.Text(left - 7, Y(tick) + 4, panel.Y.Text(tick), Small, "end", faint: true);
        }

        double free = double.MinValue; // a tick's number is left out where it would touch the one before
        foreach (double tick in ticksX)
        {
            string text = panel.X.Text(tick);
            double half = SvgCanvas.Width(text, Small) / 2;
            canvas.Segment(X(tick), top + height, X(tick), top + height + 4, "axis");
            if (X(tick) - half > free)
            {
                canvas.Text(X(tick), top + height + 17, text, Small, "middle", faint: true);
                free = X(tick) + half + 5;
            }
        }

        canvas.Segment(left, top + height, left + width, top + height, "axis");
        if (panel.Level is double level)
        {
            canvas.Segment(left, Y(level), left + width, Y(level), "level", "2 3");
        }

        foreach (Line line in panel.Lines)
        {
            if (!line.Loose)
            {
                canvas.Curve(line.Points.Select(point => (X(point.X), Y(point.Y))), line.Colour, line.Dashed);
            }

            foreach ((double x, double y) in line.Points)
            {
                canvas.Point(X(x), Y(y), line.Colour, line.Dashed, $"{line.Name}: {panel.X.Text(x)}, {panel.Y.Text(y)}");
            }
        }
    }

    private static void Bars(SvgCanvas canvas, BarPanel panel, double x, double y, double width)
    {
        double names = panel.Bars.Max(bar => SvgCanvas.Width(bar.Name, Small)) + 8, room = width - names - 40, most = Math.Max(1, panel.Bars.Max(bar => bar.Value));
        canvas.Text(x, y + 32, panel.Label, Small, faint: true);
        for (int i = 0; i < panel.Bars.Count; i++)
        {
            (string name, int colour, double value) = panel.Bars[i];
            double top = y + Top + (i * (Bar + BarGap)), length = room * value / most;
            canvas.Text(x + names - 6, top + 11.5, name, Small, "end");
            canvas.Box(x + names, top, Math.Max(1, length), Bar, $"f{colour}");
            canvas.Text(x + names + length + 6, top + 11.5, value.ToString(most > 1 ? "0.00" : "0.000", CultureInfo.InvariantCulture), Small, faint: true);
        }
    }
}
