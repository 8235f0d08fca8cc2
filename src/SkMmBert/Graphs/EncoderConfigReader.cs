using System.Text.Json;

namespace SkMmBert;

/// <summary>Reads the configuration files of a model folder; a key that changes the arithmetic is honoured or refused by name.</summary>
internal static class EncoderConfigReader
{
    private const int MaxLayers = 1_024;

    // Keys that say nothing about what an encoder computes at inference, although their names sound as if they might.
    private static readonly HashSet<string> Harmless =
    [
        "_attn_implementation", "_attn_implementation_autoset", "_attn_implementation_internal", "attn_implementation", "attention_dropout",
        "attention_probs_dropout_prob", "classifier_activation", "classifier_bias", "decoder_bias", "deterministic_flash_attn", "embedding_dropout",
        "hidden_dropout_prob", "mlp_dropout", "tie_word_embeddings", "use_flash_attn", "gradient_checkpointing", "output_attentions",
        "output_hidden_states", "num_labels", "initializer_range", "initializer_cutoff_factor", "matryoshka_layers", "matryoshka_dims",
        "representation_contract", "has_final_norm", "sep_token_id", "cls_token_id", "max_position_embeddings", "position_embedding_type",
        "hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads", "vocab_size", "type_vocab_size", "model_type",
        "attention_bias", "mlp_bias", "norm_bias",
    ];

    private static readonly HashSet<string> ModernBertKeys =
    [
        "norm_eps", "layer_norm_eps", "hidden_activation", "local_attention", "global_attn_every_n_layers", "layer_types",
        "global_rope_theta", "local_rope_theta", "rope_scaling", "rope_parameters", "rope_theta",
    ];

    private static readonly HashSet<string> BertKeys = ["layer_norm_eps", "hidden_act", "is_decoder", "add_cross_attention", "pruned_heads", "embedding_size"];

    // A key nobody here knows is refused when one of these is part of it: it would probably change the numbers.
    private static readonly string[] Arithmetic =
    [
        "rope", "rotary", "attention", "attn", "norm", "activation", "hidden_act", "act_fn", "position", "window", "bias", "scale", "scaling", "layer", "residual",
        "softcap", "logit", "mlp", "ffn", "expert", "moe", "head", "embedding", "alibi", "causal", "decoder", "adapter", "lora", "prune", "token_type", "multiplier",
    ];

    public static EncoderConfig Read(string path)
    {
        EncoderConfigFields config = EncoderConfigFields.ReadFile(path);
        string folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
        string architecture = config.String("model_type", EncoderConfig.ModernBert, EncoderConfig.Bert);
        bool modern = architecture == EncoderConfig.ModernBert;
        foreach (string bias in (ReadOnlySpan<string>)["attention_bias", "mlp_bias", "norm_bias", "is_decoder", "add_cross_attention"])
        {
            config.RefuseTrue(bias);
        }

        int layers = config.Int("num_hidden_layers", 1, MaxLayers);
        int hidden = config.Int("hidden_size", 1, 1 << 16);
        int heads = config.Int("num_attention_heads", 1, 1 << 12);
        if (hidden % heads != 0 || (modern && hidden / heads % 2 != 0))
        {
            throw config.Wrong("num_attention_heads", $"a divisor of \"hidden_size\" ({hidden}){(modern ? " that leaves heads of an even size" : "")}");
        }

        int vocabulary = config.Int("vocab_size", 1, 1 << 24);
        int positions = config.Int("max_position_embeddings", 1, 1 << 24);
        RefuseUnknown(config, modern ? ModernBertKeys : BertKeys);
        EncoderConfig encoder = new()
        {
            Architecture = architecture,
            VocabSize = vocabulary,
            HiddenSize = hidden,
            IntermediateSize = config.Int("intermediate_size", 1, 1 << 18),
            Layers = layers,
            Heads = heads,
            MaxPositions = positions,
            NormEps = (float)config.Number(modern ? "norm_eps" : "layer_norm_eps", 0, 1),
            PadId = config.Int("pad_token_id", 0, vocabulary - 1, 0),
            GlobalLayers = [.. Enumerable.Repeat(true, layers)],
            Pooling = ModelPooling.Mean,
            ContextLength = positions,
        };
        config.String(modern ? "hidden_activation" : "hidden_act", "gelu");
        encoder = modern ? ReadModernBert(config, encoder) : ReadBert(config, encoder);
        return EncoderConfigPackage.Read(folder, config, encoder);
    }

    private static EncoderConfig ReadBert(EncoderConfigFields config, EncoderConfig encoder)
    {
        if (config.Has("position_embedding_type"))
        {
            config.String("position_embedding_type", "absolute");
        }

        if (config.Has("embedding_size") && config.Int("embedding_size", 1, 1 << 16) != encoder.HiddenSize)
        {
            throw config.Wrong("embedding_size", $"the same as \"hidden_size\" ({encoder.HiddenSize})");
        }

        return config.IsObject("pruned_heads") && config.Object("pruned_heads").Names.Any()
            ? throw config.Wrong("pruned_heads", "{} (no pruned heads)")
            : encoder with { TokenTypes = config.Int("type_vocab_size", 1, 1 << 10) };
    }

    private static EncoderConfig ReadModernBert(EncoderConfigFields config, EncoderConfig encoder)
    {
        if (config.Has("position_embedding_type"))
        {
            config.String("position_embedding_type", "sans_pos");
        }

        (RotaryConfig global, RotaryConfig local) = ReadRotary(config, encoder.HeadSize);
        return encoder with
        {
            LocalAttention = config.Int("local_attention", 2, 1 << 24),
            GlobalLayers = ReadLayerTypes(config, encoder.Layers),
            GlobalRope = global,
            LocalRope = local,
        };
    }

    private static bool[] ReadLayerTypes(EncoderConfigFields config, int layers)
    {
        bool[] global = new bool[layers];
        if (config.Has("global_attn_every_n_layers") || !config.Has("layer_types"))
        {
            int period = config.Int("global_attn_every_n_layers", 1, MaxLayers);
            for (int i = 0; i < layers; i++)
            {
                global[i] = i % period == 0;
            }
        }

        if (!config.Has("layer_types"))
        {
            return global;
        }

        const string Full = "full_attention", Sliding = "sliding_attention";
        string[] types = config.Strings("layer_types");
        if (types.Length != layers || types.Any(type => type is not (Full or Sliding)))
        {
            throw config.Wrong("layer_types", $"{layers} values, each {Full} or {Sliding}");
        }

        bool[] listed = [.. types.Select(type => type == Full)];
        return !config.Has("global_attn_every_n_layers") || listed.AsSpan().SequenceEqual(global)
            ? listed
            : throw config.Wrong("layer_types", "the layers that \"global_attn_every_n_layers\" gives, or only one of the two keys");
    }

    private static (RotaryConfig Global, RotaryConfig Local) ReadRotary(EncoderConfigFields config, int headSize)
    {
        if (!config.Has("rope_parameters"))
        {
            double global = config.Number("global_rope_theta", 1, 1e12);

            // A null local theta means the global one; a missing one is not guessed (transformers would take 10,000).
            double local = config.IsNull("local_rope_theta") ? global : config.Number("local_rope_theta", 1, 1e12);
            return config.Has("rope_scaling") && config.Object("rope_scaling") is EncoderConfigFields scaling
                ? (ReadRotary(scaling, global, headSize), ReadRotary(scaling, local, headSize))
                : (RotaryConfig.Plain(global, headSize), RotaryConfig.Plain(local, headSize));
        }

        if (config.Has("rope_scaling"))
        {
            throw config.Wrong("rope_scaling", "null beside \"rope_parameters\", which says the same in the newer form");
        }

        EncoderConfigFields rope = config.Object("rope_parameters");
        bool nested = rope.Has("full_attention") || rope.Has("sliding_attention");
        foreach (string name in rope.Names)
        {
            if (nested && name is not ("full_attention" or "sliding_attention"))
            {
                throw rope.Wrong(name, "only full_attention and sliding_attention in \"rope_parameters\" by layer type");
            }
        }

        return (Read(nested ? rope.Object("full_attention") : rope, "global_rope_theta"), Read(nested ? rope.Object("sliding_attention") : rope, "local_rope_theta"));

        RotaryConfig Read(EncoderConfigFields block, string older)
        {
            // A flat block may leave the thetas to the older keys, which differ by layer type.
            double theta = block.Has("rope_theta") || !config.Has(older) ? block.Number("rope_theta", 1, 1e12) : config.Number(older, 1, 1e12);
            return config.Has(older) && config.Number(older, 1, 1e12) != theta
                ? throw config.Wrong(older, $"the \"rope_theta\" of \"rope_parameters\" ({theta}), or only one of the two keys")
                : ReadRotary(block, theta, headSize);
        }
    }

    private static RotaryConfig ReadRotary(EncoderConfigFields block, double theta, int headSize)
    {
        string key = block.Has("rope_type") || !block.Has("type") ? "rope_type" : "type";
        bool yarn = block.String(key, "default", "yarn") == "yarn";
        foreach (string name in block.Names)
        {
            bool known = name is "rope_type" or "type" or "rope_theta" or "partial_rotary_factor" || (yarn && name is "factor" or
                "original_max_position_embeddings" or "beta_fast" or "beta_slow" or "attention_factor" or "mscale" or "mscale_all_dim" or "truncate");
            if (!known)
            {
                throw block.Wrong(name, $"no such key in a \"{(yarn ? "yarn" : "default")}\" block");
            }
        }

        if (block.NumberOrNull("partial_rotary_factor", 0, 1) is not (null or 1))
        {
            throw block.Wrong("partial_rotary_factor", "1");
        }

        return !yarn ? RotaryConfig.Plain(theta, headSize) : RotaryConfig.Yarn(theta, headSize, new YarnConfig(
            block.Number("factor", 0, 1e6),
            block.Int("original_max_position_embeddings", 1, 1 << 24),
            block.NumberOrNull("beta_fast", 0, 1e6) ?? 32,
            block.NumberOrNull("beta_slow", 0, 1e6) ?? 1)
        {
            AttentionFactor = block.NumberOrNull("attention_factor", 0, 1e6),
            Scale = block.NumberOrNull("mscale", 0, 1e6),
            ScaleAllDimensions = block.NumberOrNull("mscale_all_dim", 0, 1e6),
            Truncate = block.Bool("truncate", true),
        });
    }

    private static void RefuseUnknown(EncoderConfigFields config, HashSet<string> known)
    {
        foreach (string name in config.Names)
        {
            if (config.Has(name) && !Harmless.Contains(name) && !known.Contains(name) && Arithmetic.Any(part => name.Contains(part, StringComparison.OrdinalIgnoreCase)) &&
                !name.Contains("dropout", StringComparison.OrdinalIgnoreCase) && !name.StartsWith("classifier_", StringComparison.Ordinal) && !name.EndsWith("_token_id", StringComparison.Ordinal) &&
                !name.StartsWith("repad_logits", StringComparison.Ordinal))
            {
                throw config.Wrong(name, "only keys SkMmBert knows; this one sounds as if it changed the arithmetic");
            }
        }
    }
}
