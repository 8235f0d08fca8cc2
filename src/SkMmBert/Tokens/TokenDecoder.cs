using System.Globalization;
using System.Text;

namespace SkMmBert;

/// <summary>Tokens back to text, by the steps that the file names.</summary>
internal sealed class TokenDecoder
{
    private readonly List<Func<List<string>, List<string>>> _steps = [];
    private readonly string _between;

    private TokenDecoder(string between) => _between = between;

    public string Decode(List<string> tokens)
    {
        foreach (Func<List<string>, List<string>> step in _steps)
        {
            tokens = step(tokens);
        }

        return string.Join(_between, tokens);
    }

    public static TokenDecoder Read(TokenizerPart part)
    {
        TokenDecoder decoder = new(part.IsNone ? " " : "");
        foreach (TokenizerPart step in part.Flatten("decoders"))
        {
            decoder._steps.Add(ReadStep(step));
        }

        return decoder;
    }

    private static Func<List<string>, List<string>> ReadStep(TokenizerPart step)
    {
        switch (step.Type)
        {
            case "Replace":
                (string pattern, string with) = ReadReplace(step);
                return tokens => tokens.ConvertAll(t => t.Replace(pattern, with, StringComparison.Ordinal));
            case "ByteFallback":
                step.RefuseOtherKeys("type");
                return JoinBytes;
            case "Fuse":
                step.RefuseOtherKeys("type");
                return tokens => [string.Concat(tokens)];
            case "Strip":
                step.RefuseOtherKeys("type", "content", "start", "stop");
                string strip = step.Text("content");
                int start = step.Number("start");
                int stop = step.Number("stop");
                return strip.Length == 1 ? tokens => tokens.ConvertAll(t => Strip(t, strip[0], start, stop)) : throw step.Fault("'content' must be one character");
            case "Metaspace":
                step.RefuseOtherKeys("type", "replacement", "prepend_scheme", "split", "add_prefix_space");
                string replacement = step.Text("replacement");
                bool drop = step.Has("prepend_scheme") ? step.Text("prepend_scheme") != "never" : step.Flag("add_prefix_space", true);
                return tokens => [.. tokens.Select((t, i) => t.Replace(replacement, i == 0 && drop ? "" : " ", StringComparison.Ordinal))];
            case "WordPiece":
                step.RefuseOtherKeys("type", "prefix", "cleanup");
                string prefix = step.Text("prefix");
                bool cleanup = step.Flag("cleanup", true);
                return tokens => [.. tokens.Select((t, i) => JoinWord(t, i, prefix, cleanup))];
            default:
                throw step.Unknown("Replace, ByteFallback, Fuse, Strip, Metaspace, WordPiece, Sequence");
        }
    }

    /// <summary>The two strings of a Replace whose pattern is a plain string.</summary>
    internal static (string Pattern, string With) ReadReplace(TokenizerPart step)
    {
        step.RefuseOtherKeys("type", "pattern", "content");
        TokenizerPart pattern = step.Child("pattern");
        return pattern.Has("String") && pattern.Text("String").Length > 0
            ? (pattern.Text("String"), step.Text("content"))
            : throw step.Fault("'pattern' must be a String that is not empty");
    }

    private static List<string> JoinBytes(List<string> tokens)
    {
        List<string> joined = new(tokens.Count);
        List<byte> bytes = [];
        foreach (string token in tokens)
        {
            if (TryReadByte(token, out byte value))
            {
                bytes.Add(value);
                continue;
            }

            Flush();
            joined.Add(token);
        }

        Flush();
        return joined;

        void Flush()
        {
            if (bytes.Count == 0)
            {
                return;
            }

            byte[] run = [.. bytes];
            joined.Add(System.Text.Unicode.Utf8.IsValid(run) ? Encoding.UTF8.GetString(run) : new string('\uFFFD', run.Length));
            bytes.Clear();
        }
    }

    /// <summary>Reads <c>&lt;0xAB&gt;</c>.</summary>
    internal static bool TryReadByte(string token, out byte value)
    {
        value = 0;
        return token.Length == 6 && token.StartsWith("<0x", StringComparison.Ordinal) && token[5] == '>'
            && byte.TryParse(token.AsSpan(3, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out value);
    }

    private static string Strip(string token, char strip, int start, int stop)
    {
        int from = 0;
        while (from < start && from < token.Length && token[from] == strip)
        {
            from++;
        }

        int to = token.Length;
        while (token.Length - to < stop && to > from && token[to - 1] == strip)
        {
            to--;
        }

        return token[from..to];
    }

    private static string JoinWord(string token, int index, string prefix, bool cleanup)
    {
        if (index > 0)
        {
            token = token.StartsWith(prefix, StringComparison.Ordinal) ? token[prefix.Length..] : " " + token;
        }

        return !cleanup ? token : token
            .Replace(" .", ".", StringComparison.Ordinal).Replace(" ?", "?", StringComparison.Ordinal)
            .Replace(" !", "!", StringComparison.Ordinal).Replace(" ,", ",", StringComparison.Ordinal)
            .Replace(" ' ", "'", StringComparison.Ordinal).Replace(" n't", "n't", StringComparison.Ordinal)
            .Replace(" 'm", "'m", StringComparison.Ordinal).Replace(" do not", " don't", StringComparison.Ordinal)
            .Replace(" 's", "'s", StringComparison.Ordinal).Replace(" 've", "'ve", StringComparison.Ordinal)
            .Replace(" 're", "'re", StringComparison.Ordinal);
    }
}
