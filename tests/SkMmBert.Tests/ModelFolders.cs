using System.Buffers.Binary;
using System.Text.Json.Nodes;

namespace SkMmBert.Tests;

/// <summary>Model folders of the goldens, and variants of them put together in temporary folders.</summary>
internal static class ModelFolders
{
    public static string Tiny { get; } = Path.Combine(Paths.Goldens, "tiny-modernbert", "model");

    public static string TinyBert { get; } = Path.Combine(Paths.Goldens, "tiny-bert-2d", "model");

    /// <summary>A variant of a tiny model: its files over those of the model, a header before the model's tensor data where it has one.</summary>
    public static TemporaryFolder Variant(string name)
    {
        string model = name.StartsWith("prefix-bert", StringComparison.Ordinal) ? TinyBert : Tiny;
        string variants = Path.Combine(Path.GetDirectoryName(model)!, "variants");
        TemporaryFolder folder = Copy(model);
        string header = Path.Combine(variants, name + ".safetensors-header");
        string weights = Path.Combine(folder.Path, "model.safetensors");
        if (File.Exists(header))
        {
            byte[] whole = File.ReadAllBytes(weights);
            int data = 8 + (int)BinaryPrimitives.ReadInt64LittleEndian(whole);
            File.WriteAllBytes(weights, [.. File.ReadAllBytes(header), .. whole[data..]]);
            return folder;
        }

        string[] files = Directory.GetFiles(Path.Combine(variants, name));
        if (files.Any(file => file.EndsWith(".index.json", StringComparison.Ordinal)))
        {
            File.Delete(weights);
        }

        foreach (string file in files)
        {
            File.Copy(file, Path.Combine(folder.Path, Path.GetFileName(file)), overwrite: true);
        }

        return folder;
    }

    /// <summary>Adds a <c>representation_contract</c> to a <c>config.json</c>, as newer checkpoints have one.</summary>
    public static void SetContract(string config, string intermediate)
    {
        JsonNode root = JsonNode.Parse(File.ReadAllBytes(config))!;
        root["representation_contract"] = new JsonObject
        {
            ["version"] = 1,
            ["intermediate_normalization"] = intermediate,
            ["final_normalization"] = "final_norm",
            ["pooling"] = "attention_mask_mean",
            ["pooling_accumulation_dtype"] = "float32",
            ["truncate_before_l2_normalize"] = true,
        };
        File.WriteAllText(config, root.ToJsonString());
    }

    /// <summary>A copy of a model folder that a test may change.</summary>
    public static TemporaryFolder Copy(string model)
    {
        TemporaryFolder folder = new();
        foreach (string file in Directory.EnumerateFiles(model, "*", SearchOption.AllDirectories))
        {
            string to = Path.Combine(folder.Path, Path.GetRelativePath(model, file));
            Directory.CreateDirectory(Path.GetDirectoryName(to)!);
            File.Copy(file, to);
        }

        return folder;
    }
}
