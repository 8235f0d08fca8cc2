using System.Text.Json;

namespace SkMmBert;

/// <summary>Reads the files beside <c>config.json</c>: pooling, limits, prompts, trained sizes, exit contract.</summary>
internal static class EncoderConfigPackage
{
    public static EncoderConfig Read(string folder, EncoderConfigFields config, EncoderConfig encoder)
    {
        ModelPooling? pooling = ReadPooling(folder);
        RepresentationContract? contract = ReadContract(config);
        (int[] exits, int[] dimensions) = ReadTrained(config, "matryoshka_layers", "matryoshka_dims", encoder);
        int? pairLength = null;
        string matryoshka = Path.Combine(folder, "matryoshka_config.json");
        bool reranker = File.Exists(matryoshka);
        if (reranker)
        {
            EncoderConfigFields heads = EncoderConfigFields.ReadFile(matryoshka);
            Same(heads, "hidden_size", encoder.HiddenSize);
            Same(heads, "num_layers", encoder.Layers);
            ModelPooling strategy = heads.String("pooling_strategy", "cls", "mean") == "cls" ? ModelPooling.Cls : ModelPooling.Mean;
            pooling = pooling is null || pooling == strategy ? strategy : throw heads.Wrong("pooling_strategy", "the pooling of 1_Pooling/config.json");
            if (!heads.Bool("has_final_norm", true) && encoder.Architecture == EncoderConfig.ModernBert)
            {
                throw heads.Wrong("has_final_norm", "true");
            }

            (int[] headExits, int[] headDimensions) = ReadTrained(heads, "layer_indices", "dim_indices", encoder);
            exits = headExits.Length > 0 ? headExits : throw Missing(heads, "layer_indices");
            dimensions = headDimensions.Length > 0 ? headDimensions : throw Missing(heads, "dim_indices");
            pairLength = heads.Has("max_length") ? heads.Int("max_length", 4, 1 << 24) : null;
            RepresentationContract? own = ReadContract(heads);
            contract = own is null || contract is null || own == contract ? own ?? contract
                : throw heads.Wrong("representation_contract", "the same contract as in config.json");
        }

        if (contract?.Pooling is ModelPooling agreed)
        {
            pooling = pooling is null || pooling == agreed ? agreed : throw new InvalidDataException(
                $"'{folder}' has a \"representation_contract\" with another pooling than its pooling configuration. Expected: the same in both; correct one of the files.");
        }

        string limits = Path.Combine(folder, "sentence_bert_config.json");
        int length = encoder.MaxPositions;
        if (File.Exists(limits))
        {
            length = Math.Min(length, EncoderConfigFields.ReadFile(limits).Int("max_seq_length", 1, 1 << 24, length));
        }

        (IReadOnlyDictionary<string, string> prompts, string? prompt) = ReadPrompts(folder);
        return encoder with
        {
            // A bare encoder folder is pooled by mean, as sentence-transformers does with one.
            Pooling = pooling ?? ModelPooling.Mean,
            Contract = contract,
            Exits = exits,
            Dimensions = dimensions,
            IsReranker = reranker,
            PairLength = pairLength,
            ContextLength = length,
            Prompts = prompts,
            DefaultPromptName = prompt,
        };
    }

    private static (int[] Exits, int[] Dimensions) ReadTrained(EncoderConfigFields fields, string exitsKey, string dimensionsKey, EncoderConfig encoder)
    {
        int[] exits = fields.Has(exitsKey) ? fields.Ints(exitsKey, 1, encoder.Layers) : [];
        int[] dimensions = fields.Has(dimensionsKey) ? fields.Ints(dimensionsKey, 1, encoder.HiddenSize) : [];
        Array.Sort(exits);
        Array.Sort(dimensions, (a, b) => b.CompareTo(a));
        return (exits, dimensions);
    }

    private static RepresentationContract? ReadContract(EncoderConfigFields fields)
    {
        if (!fields.Has("representation_contract"))
        {
            return null;
        }

        EncoderConfigFields contract = fields.Object("representation_contract");
        contract.Int("version", 1, 1);
        bool norm = contract.String("intermediate_normalization", "none", "final_norm") == "final_norm";
        contract.String("final_normalization", "final_norm");
        foreach (string name in contract.Names)
        {
            switch (name)
            {
                case "version" or "intermediate_normalization" or "final_normalization" or "pooling":
                    break;
                case "pooling_accumulation_dtype" or "head_dtype":
                    contract.String(name, "float32");
                    break;
                case "truncate_before_l2_normalize" when contract.Bool(name, true):
                    break;
                case "truncate_before_l2_normalize":
                    throw contract.Wrong(name, "true");
                default:
                    throw contract.Wrong(name, "only keys of contract version 1");
            }
        }

        ModelPooling? pooling = !contract.Has("pooling") ? null
            : contract.String("pooling", "attention_mask_mean", "mean", "cls") == "cls" ? ModelPooling.Cls : ModelPooling.Mean;
        return new RepresentationContract(norm, pooling);
    }

    private static ModelPooling? ReadPooling(string folder)
    {
        string file = Path.Combine(folder, "1_Pooling", "config.json");
        string modules = Path.Combine(folder, "modules.json");
        if (File.Exists(modules))
        {
            JsonElement root = EncoderConfigFields.ReadJson(modules);
            foreach (JsonElement module in root.ValueKind == JsonValueKind.Array ? root.EnumerateArray().ToArray() : [])
            {
                string type = module.ValueKind == JsonValueKind.Object && module.TryGetProperty("type", out JsonElement value) && value.ValueKind == JsonValueKind.String ? value.GetString()! : "";
                if (type[(type.LastIndexOf('.') + 1)..] is not ("Transformer" or "Pooling" or "Normalize"))
                {
                    throw new InvalidDataException($"'{modules}' has a module of type \"{type}\". Expected: Transformer, Pooling, Normalize; SkMmBert does not compute others, use another checkpoint.");
                }
            }
        }

        if (!File.Exists(file))
        {
            return null;
        }

        EncoderConfigFields fields = EncoderConfigFields.ReadFile(file);
        if (fields.Has("pooling_mode"))
        {
            return fields.String("pooling_mode", "cls", "mean") == "cls" ? ModelPooling.Cls : ModelPooling.Mean;
        }

        foreach (string name in fields.Names)
        {
            if (name.StartsWith("pooling_mode_", StringComparison.Ordinal) && name is not ("pooling_mode_cls_token" or "pooling_mode_mean_tokens"))
            {
                fields.RefuseTrue(name);
            }
        }

        bool cls = fields.Bool("pooling_mode_cls_token", false), mean = fields.Bool("pooling_mode_mean_tokens", false);
        return cls != mean ? (cls ? ModelPooling.Cls : ModelPooling.Mean) : throw new InvalidDataException(
            $"'{file}' turns on {(cls ? "both \"pooling_mode_cls_token\" and" : "neither \"pooling_mode_cls_token\" nor")} \"pooling_mode_mean_tokens\". Expected: exactly one of the two; use another checkpoint.");
    }

    private static (IReadOnlyDictionary<string, string> Prompts, string? Default) ReadPrompts(string folder)
    {
        string file = Path.Combine(folder, "config_sentence_transformers.json");
        Dictionary<string, string> prompts = [];
        if (!File.Exists(file))
        {
            return (prompts, null);
        }

        EncoderConfigFields fields = EncoderConfigFields.ReadFile(file);
        if (fields.Has("prompts"))
        {
            EncoderConfigFields named = fields.Object("prompts");
            foreach (string name in named.Names)
            {
                prompts[name] = named.String(name);
            }
        }

        string? standard = fields.Has("default_prompt_name") ? fields.String("default_prompt_name") : null;
        return standard is null || prompts.ContainsKey(standard) ? (prompts, standard) : throw fields.Wrong("default_prompt_name", "the name of one of \"prompts\"");
    }

    private static void Same(EncoderConfigFields fields, string name, int expected)
    {
        if (fields.Has(name) && fields.Int(name, 1, int.MaxValue) != expected)
        {
            throw fields.Wrong(name, $"{expected}, as in config.json");
        }
    }

    private static InvalidDataException Missing(EncoderConfigFields fields, string name) =>
        new($"'{fields.Path}' has no \"{name}\". Expected: a list of whole numbers; download the file again.");
}
