using Microsoft.SemanticKernel.ChatCompletion;

namespace Microsoft.SemanticKernel;

public abstract class FunctionChoiceBehavior
{
    public static FunctionChoiceBehavior Auto(IEnumerable<KernelFunction>? functions = null, bool autoInvoke = true, FunctionChoiceBehaviorOptions? options = null) => throw null!;

    public abstract FunctionChoiceBehaviorConfiguration GetConfiguration(FunctionChoiceBehaviorConfigurationContext context);
}

public abstract class AutoFunctionChoiceBehavior : FunctionChoiceBehavior
{
    public IList<string>? Functions { get => throw null!; set => throw null!; }

    public FunctionChoiceBehaviorOptions? Options { get => throw null!; set => throw null!; }
}

public sealed class FunctionChoiceBehaviorOptions;

public sealed class FunctionChoiceBehaviorConfigurationContext
{
    public FunctionChoiceBehaviorConfigurationContext(ChatHistory chatHistory) => throw null!;

    public Kernel? Kernel { get => throw null!; init => throw null!; }
}

public sealed class FunctionChoiceBehaviorConfiguration
{
    public IReadOnlyList<KernelFunction>? Functions => throw null!;

    public bool AutoInvoke => throw null!;
}
