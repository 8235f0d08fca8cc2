using System.Globalization;
using System.Text;

namespace SkMmBert.Cli;

/// <summary>Makes a text fit a table cell.</summary>
internal static class Shorten
{
    /// <summary>The text on one line, without control characters, cut after a number of characters as people count them.</summary>
    public static string ToWidth(string text, int width)
    {
        StringBuilder line = new();
        TextElementEnumerator elements = StringInfo.GetTextElementEnumerator(text.Length > width * 20 ? text[..(width * 20)] : text);
        for (int count = 0; elements.MoveNext(); count++)
        {
            if (count == width)
            {
                return line.ToString(0, line.Length) + "…";
            }

            string element = elements.GetTextElement();
            line.Append(char.IsControl(element[0]) ? " " : char.IsSurrogate(element[0]) && element.Length == 1 ? "\ufffd" : element);
        }

        return line.ToString();
    }
}
