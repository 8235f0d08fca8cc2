namespace SkMmBert;

/// <summary>Normaliser and pre-tokenizer of a BPE file, brought to the one form that is needed: characters keep their places.</summary>
internal sealed class BpePipeline
{
    private string _prepend = "never";

    private BpePipeline()
    {
    }

    /// <summary>What a word starts with in the vocabulary.</summary>
    public char WordStart { get; private set; } = '\u2581';

    /// <summary>The character of the text that becomes <see cref="WordStart"/>; the same where none does.</summary>
    public char Space { get; private set; } = '\u2581';

    /// <summary>Whether every word is merged on its own.</summary>
    public bool SplitsWords { get; private set; }

    /// <summary>What the normaliser replaces (both the same: nothing).</summary>
    public char NormalizedFrom { get; private set; } = '\u2581';

    public char NormalizedTo { get; private set; } = '\u2581';

    /// <summary>Whether a gap that starts at this place of the text, and not with a word start, gets one.</summary>
    public bool Prepends(int start) => _prepend == "always" || (_prepend == "first" && start == 0);

    public static BpePipeline Read(TokenizerJson file)
    {
        BpePipeline pipeline = new();
        TokenizerPart[] normalizers = file.Normalizer.Flatten("normalizers");
        foreach (TokenizerPart step in normalizers)
        {
            pipeline.ReadNormalizer(step);
        }

        if (normalizers.Length > 1)
        {
            throw file.Normalizer.Fault($"{normalizers.Length} normalizers in a row; at most one is expected for a BPE model");
        }

        TokenizerPart[] steps = file.PreTokenizer.Flatten("pretokenizers");
        if (steps.Length > 1)
        {
            throw file.PreTokenizer.Fault($"{steps.Length} pre-tokenizers in a row; at most one is expected");
        }

        if (steps.Length == 1)
        {
            pipeline.ReadPreTokenizer(steps[0]);
        }

        return pipeline;
    }

    private void ReadNormalizer(TokenizerPart step)
    {
        if (step.Type != "Replace")
        {
            throw step.Unknown("Replace of one character, for a BPE model");
        }

        (string pattern, string with) = TokenDecoder.ReadReplace(step);
        if (pattern.Length != 1 || with.Length != 1 || char.IsSurrogate(pattern[0]))
        {
            throw step.Fault("only a replacement of one character by one is known");
        }

        Space = NormalizedFrom = pattern[0];
        WordStart = NormalizedTo = with[0];
    }

    private void ReadPreTokenizer(TokenizerPart step)
    {
        switch (step.Type)
        {
            case "Metaspace":
                ReadMetaspace(step);
                break;
            case "Split":
                // Gemma splits on a space after every space was replaced: nothing is left to split on.
                step.RefuseOtherKeys("type", "pattern", "behavior", "invert");
                TokenizerPart pattern = step.Child("pattern");
                if (!pattern.Has("String") || pattern.Text("String").Length != 1 || pattern.Text("String")[0] != NormalizedFrom || NormalizedFrom == NormalizedTo || step.Flag("invert", false))
                {
                    throw step.Fault("only a split on the one character that the normalizer has replaced is known");
                }

                break;
            default:
                throw step.Unknown("Metaspace, Split, for a BPE model");
        }
    }

    private void ReadMetaspace(TokenizerPart step)
    {
        step.RefuseOtherKeys("type", "replacement", "prepend_scheme", "split", "add_prefix_space", "str_rep");
        string replacement = step.Text("replacement");
        if (replacement.Length != 1 || (NormalizedFrom != NormalizedTo && (NormalizedFrom != ' ' || NormalizedTo != replacement[0])))
        {
            throw step.Fault("'replacement' must be one character, and the one that the normalizer puts for a space");
        }

        Space = ' ';
        WordStart = replacement[0];
        SplitsWords = step.Flag("split", true);
        _prepend = step.Has("prepend_scheme") ? step.Text("prepend_scheme") : step.Flag("add_prefix_space", true) ? "always" : "never";
        if (_prepend is not ("always" or "first" or "never"))
        {
            throw step.Fault($"the prepend_scheme '{_prepend}' is not known; known are always, first, never");
        }
    }
}
