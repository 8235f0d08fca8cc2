using Microsoft.Extensions.Options;

namespace SkMmBert;

/// <summary>Refuses options that cannot be right whatever is on the disk.</summary>
internal sealed class MmBertOptionsValidation : IValidateOptions<MmBertOptions>
{
    public ValidateOptionsResult Validate(string? name, MmBertOptions options)
    {
        string who = string.IsNullOrEmpty(name) ? "AddMmBert" : $"AddKeyedMmBert(\"{name}\")";
        List<string> wrong = [.. Wrong(options).Select(line => $"{who}: {line}")];
        return wrong.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(wrong);
    }

    private static IEnumerable<string> Wrong(MmBertOptions options)
    {
        if (string.IsNullOrWhiteSpace(options.EmbeddingModel))
        {
            yield return "EmbeddingModel is empty. Expected: the path of a model folder, 'mini', or the name of a folder in ModelsFolder.";
        }

        if (string.IsNullOrWhiteSpace(options.RerankModel))
        {
            yield return "RerankModel is empty. Expected: the path of a model folder, 'mini', or the name of a folder in ModelsFolder.";
        }

        if (options.Exit < 1)
        {
            yield return $"Exit is {options.Exit}. Expected: a layer of the model, from 1, or nothing for the last exit.";
        }

        if (options.Dimensions < 1)
        {
            yield return $"Dimensions is {options.Dimensions}. Expected: at least 1, or nothing for all dimensions of the model.";
        }

        if (options.Threads < 1)
        {
            yield return $"Threads is {options.Threads}. Expected: at least 1, or nothing for one thread a run.";
        }

        if (!Enum.IsDefined(options.Precision))
        {
            yield return $"Precision is {(int)options.Precision}. Expected: Fp32 or Int8.";
        }

        if (!Enum.IsDefined(options.WarmUp))
        {
            yield return $"WarmUp is {(int)options.WarmUp}. Expected: None, Background or BeforeStart.";
        }

        if (options.RerankEffort is null)
        {
            yield return "RerankEffort is null. Expected: RerankEffort.Full or another effort.";
        }
    }
}
