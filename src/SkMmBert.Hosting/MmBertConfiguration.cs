using System.Globalization;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;

namespace SkMmBert;

/// <summary>Reads options from a configuration section by hand: no reflection, and a misspelt name is refused.</summary>
internal static class MmBertConfiguration
{
    private static readonly string[] Names =
    [
        nameof(MmBertOptions.EmbeddingModel), nameof(MmBertOptions.RerankModel), nameof(MmBertOptions.ModelsFolder), nameof(MmBertOptions.Precision),
        nameof(MmBertOptions.Device), nameof(MmBertOptions.Exit), nameof(MmBertOptions.Dimensions), nameof(MmBertOptions.RerankEffort),
        nameof(MmBertOptions.Threads), nameof(MmBertOptions.CacheFolder), nameof(MmBertOptions.WarmUp),
    ];

    /// <summary>Sets what the section names; sections inside it belong to others.</summary>
    public static void Apply(string optionsName, IConfiguration section, MmBertOptions options)
    {
        foreach (IConfigurationSection child in section.GetChildren())
        {
            if (string.IsNullOrEmpty(child.Value))
            {
                continue;
            }

            string? name = Names.FirstOrDefault(name => name.Equals(child.Key, StringComparison.OrdinalIgnoreCase));
            string? expected = name is null ? "one of " + string.Join(", ", Names) : Set(options, name, child.Value);
            if (expected is not null)
            {
                string found = name is null ? $"The configuration has '{child.Path}', which is no option" : $"The configuration value '{child.Path}' is '{child.Value}'";
                throw new OptionsValidationException(optionsName, typeof(MmBertOptions), [$"{found}. Expected: {expected}."]);
            }
        }
    }

    // What was expected where the value is something else; null when it was taken.
    private static string? Set(MmBertOptions options, string name, string value)
    {
        try
        {
            switch (name)
            {
                case nameof(MmBertOptions.EmbeddingModel):
                    options.EmbeddingModel = value;
                    return null;
                case nameof(MmBertOptions.RerankModel):
                    options.RerankModel = value;
                    return null;
                case nameof(MmBertOptions.ModelsFolder):
                    options.ModelsFolder = value;
                    return null;
                case nameof(MmBertOptions.CacheFolder):
                    options.CacheFolder = value;
                    return null;
                case nameof(MmBertOptions.Precision):
                    options.Precision = Named<ModelPrecision>(value);
                    return null;
                case nameof(MmBertOptions.WarmUp):
                    options.WarmUp = Named<ModelWarmUp>(value);
                    return null;
                case nameof(MmBertOptions.Device):
                    options.Device = ModelDevice.Parse(value);
                    return null;
                case nameof(MmBertOptions.RerankEffort):
                    options.RerankEffort = RerankEffort.Parse(value);
                    return null;
                case nameof(MmBertOptions.Exit):
                    options.Exit = Whole(value);
                    return null;
                case nameof(MmBertOptions.Dimensions):
                    options.Dimensions = Whole(value);
                    return null;
                default:
                    options.Threads = Whole(value);
                    return null;
            }
        }
        catch (FormatException)
        {
            return name switch
            {
                nameof(MmBertOptions.Precision) => "fp32 or int8",
                nameof(MmBertOptions.WarmUp) => "None, Background or BeforeStart",
                nameof(MmBertOptions.Device) => "cpu, auto, cuda or cuda:N",
                nameof(MmBertOptions.RerankEffort) => "full, exit:LAYER, progressive or deadline:MILLISECONDS",
                _ => "a whole number",
            };
        }
    }

    private static int Whole(string value) =>
        int.TryParse(value, NumberStyles.AllowLeadingSign | NumberStyles.AllowLeadingWhite | NumberStyles.AllowTrailingWhite, CultureInfo.InvariantCulture, out int number) ? number : throw new FormatException();

    // Names only: Enum.Parse would also take numbers.
    private static T Named<T>(string value)
        where T : struct, Enum
    {
        int at = Array.FindIndex(Enum.GetNames<T>(), name => name.Equals(value.Trim(), StringComparison.OrdinalIgnoreCase));
        return at >= 0 ? Enum.GetValues<T>()[at] : throw new FormatException();
    }
}
