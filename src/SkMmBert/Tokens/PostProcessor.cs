using System.Text.Json;

namespace SkMmBert;

/// <summary>The special tokens around a text and a pair, as the file says.</summary>
internal sealed class PostProcessor
{
    private const int First = -1;
    private const int Second = -2;

    private static readonly int[] _bareSingle = [First];
    private static readonly int[] _barePair = [First, Second];

    private readonly int[] _single; // special ids, First, Second
    private readonly int[] _pair;

    private PostProcessor(int[] single, int[] pair)
    {
        _single = single;
        _pair = pair;
    }

    public int SingleSpecialTokens => _single.Length - 1;

    public int PairSpecialTokens => _pair.Length - 2;

    /// <summary>The highest id it adds; -1 if it adds none.</summary>
    public int HighestSpecialToken => Math.Max(-1, Math.Max(_single.Max(), _pair.Max()));

    /// <summary>What comes before, between and after: negative entries are the texts.</summary>
    public ReadOnlySpan<int> Template(bool pair, bool special) => pair ? (special ? _pair : _barePair) : (special ? _single : _bareSingle);

    /// <summary>Whether a template entry is the second text.</summary>
    public static bool IsSecond(int entry) => entry == Second;

    public static PostProcessor Read(TokenizerPart part)
    {
        TokenizerPart[] steps = part.Flatten("processors");
        if (steps.Length == 0)
        {
            return new PostProcessor(_bareSingle, _barePair);
        }

        if (steps.Length > 1)
        {
            throw part.Fault($"{steps.Length} post-processors in a row; one is expected");
        }

        TokenizerPart step = steps[0];
        switch (step.Type)
        {
            case "TemplateProcessing":
                step.RefuseOtherKeys("type", "single", "pair", "special_tokens");
                Dictionary<string, int[]> specials = ReadSpecialTokens(step);
                return new PostProcessor(ReadTemplate(step, "single", specials, 1), ReadTemplate(step, "pair", specials, 2));
            case "BertProcessing":
                step.RefuseOtherKeys("type", "sep", "cls");
                return Classic(step, doubled: false);
            case "RobertaProcessing":
                step.RefuseOtherKeys("type", "sep", "cls", "trim_offsets", "add_prefix_space");
                return step.Flag("trim_offsets", true) ? throw step.Fault("'trim_offsets' must be false") : Classic(step, doubled: true);
            default:
                throw step.Unknown("TemplateProcessing, BertProcessing, RobertaProcessing");
        }
    }

    private static PostProcessor Classic(TokenizerPart step, bool doubled)
    {
        int cls = Id("cls");
        int sep = Id("sep");
        return new PostProcessor([cls, First, sep], doubled ? [cls, First, sep, sep, Second, sep] : [cls, First, sep, Second, sep]);

        int Id(string key) => step[key] is { ValueKind: JsonValueKind.Array } pair && pair.GetArrayLength() == 2 && pair[1].ValueKind == JsonValueKind.Number && pair[1].TryGetInt32(out int id) && id >= 0
            ? id
            : throw step.Fault($"'{key}' must be a token and its id");
    }

    private static Dictionary<string, int[]> ReadSpecialTokens(TokenizerPart step)
    {
        Dictionary<string, int[]> specials = [];
        TokenizerPart list = step.Child("special_tokens");
        foreach (JsonProperty special in step["special_tokens"].EnumerateObject())
        {
            JsonElement ids = list.Child(special.Name)["ids"];
            if (ids.ValueKind != JsonValueKind.Array || ids.EnumerateArray().Any(i => i.ValueKind != JsonValueKind.Number || !i.TryGetInt32(out int id) || id < 0))
            {
                throw step.Fault($"the ids of '{special.Name}' must be whole numbers from 0");
            }

            specials[special.Name] = [.. ids.EnumerateArray().Select(i => i.GetInt32())];
        }

        return specials;
    }

    private static int[] ReadTemplate(TokenizerPart step, string key, Dictionary<string, int[]> specials, int texts)
    {
        if (step[key].ValueKind != JsonValueKind.Array)
        {
            throw step.Fault($"'{key}' must be an array");
        }

        List<int> template = [];
        foreach (JsonElement entry in step[key].EnumerateArray())
        {
            if (entry.ValueKind != JsonValueKind.Object || entry.EnumerateObject().Count() != 1)
            {
                throw step.Fault($"an entry of '{key}' must be one SpecialToken or one Sequence");
            }

            JsonProperty only = entry.EnumerateObject().Single();
            string? id = only.Value.ValueKind == JsonValueKind.Object && only.Value.TryGetProperty("id", out JsonElement name) && name.ValueKind == JsonValueKind.String ? name.GetString() : null;
            switch (only.Name)
            {
                case "SpecialToken":
                    template.AddRange(id is not null && specials.TryGetValue(id, out int[]? ids) ? ids : throw step.Fault($"'{key}' uses the special token '{id}', which is not in 'special_tokens'"));
                    break;
                case "Sequence" when id is "A" or "B":
                    template.Add(id == "A" ? First : Second);
                    break;
                default:
                    throw step.Fault($"'{key}' has an entry '{only.Name}' that is not known");
            }
        }

        return template.Count(i => i == First) == 1 && template.Count(i => i == Second) == texts - 1
            ? [.. template]
            : throw step.Fault($"'{key}' must have {(texts == 1 ? "text A once and not B" : "the texts A and B once each")}");
    }
}
