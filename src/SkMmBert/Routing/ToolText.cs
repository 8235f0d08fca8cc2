using System.Security.Cryptography;
using System.Runtime.InteropServices;
using System.Text;

namespace SkMmBert;

/// <summary>The texts that stand for a tool in vector space, and the hashes that its vectors are kept under.</summary>
internal static class ToolText
{
    private const int MaxDescription = 2_000;   // characters: the first sentences say what the tool is for
    private const int MaxName = 200;
    private const int MaxExample = 500;
    private const int MaxExamples = 64;

    /// <summary>The profile as one sentence: name in words, then what it does; without a description the name as it is written, and what it takes.</summary>
    public static string Of(ToolProfile profile)
    {
        StringBuilder text = new();
        string description = Clean(profile.Description, MaxDescription);
        if (description.Length == 0)
        {
            // Measured on label sets: a bare name is read better as it is written than in words.
            text.Append(Clean(profile.QualifiedName, MaxName));
            string separator = ": ";
            foreach (ToolParameter parameter in profile.Parameters.Take(8))
            {
                text.Append(separator);
                Words(parameter.Name, text);
                separator = ", ";
            }

            return text.ToString();
        }

        if (profile.Plugin is { } plugin)
        {
            Words(plugin, text);
            text.Append(' ');
        }

        Words(profile.Name, text);
        return text.Append(": ").Append(description).ToString();
    }

    /// <summary>All texts of a profile: itself, then the examples.</summary>
    public static IEnumerable<string> All(ToolProfile profile)
    {
        yield return Of(profile);
        foreach (string example in profile.Examples.Where(example => !string.IsNullOrWhiteSpace(example)).Take(MaxExamples))
        {
            yield return Clean(example, MaxExample);
        }
    }

    public static UInt128 Hash(string text)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(MemoryMarshal.AsBytes(text.AsSpan()), hash);
        return MemoryMarshal.Read<UInt128>(hash);
    }

    /// <summary>Cuts at a number of characters, never inside a pair of surrogates, and turns control characters into spaces.</summary>
    public static string Clean(string? text, int most)
    {
        if (string.IsNullOrWhiteSpace(text))
        {
            return "";
        }

        int length = Math.Min(text.Length, most);
        if (length < text.Length && char.IsHighSurrogate(text[length - 1]))
        {
            length--;
        }

        ReadOnlySpan<char> cut = text.AsSpan(0, length).Trim();
        foreach (char c in cut)
        {
            if (char.IsControl(c))
            {
                return string.Create(cut.Length, cut, static (to, from) =>
                {
                    for (int i = 0; i < to.Length; i++)
                    {
                        to[i] = char.IsControl(from[i]) ? ' ' : from[i];
                    }
                });
            }
        }

        return cut.ToString();
    }

    // get_weather, getWeather, weather/get → get weather; the case of what is written in capitals stays.
    private static void Words(string name, StringBuilder text)
    {
        int start = text.Length;
        for (int i = 0; i < Math.Min(name.Length, MaxName); i++)
        {
            char c = name[i];
            bool starts = i > 0 && char.IsUpper(c) && (char.IsLower(name[i - 1]) || (char.IsUpper(name[i - 1]) && i + 1 < name.Length && char.IsLower(name[i + 1])));
            bool word = char.IsLetterOrDigit(c) || char.IsSurrogate(c) || char.GetUnicodeCategory(c) is System.Globalization.UnicodeCategory.NonSpacingMark or System.Globalization.UnicodeCategory.SpacingCombiningMark;
            if ((starts || !word) && text.Length > start && text[^1] != ' ')
            {
                text.Append(' ');
            }

            if (word)
            {
                text.Append(starts && (i + 1 >= name.Length || !char.IsUpper(name[i + 1])) ? char.ToLowerInvariant(c) : c);
            }
        }

        if (text.Length > start && text[^1] == ' ')
        {
            text.Length--;
        }
    }
}
