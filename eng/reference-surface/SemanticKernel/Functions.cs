using System.Collections;
using System.Collections.ObjectModel;
using System.Text.Json;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.Logging;

namespace Microsoft.SemanticKernel;

public sealed class Kernel
{
    public KernelPluginCollection Plugins => throw null!;
}

public sealed class KernelPluginCollection : IEnumerable<KernelPlugin>
{
    public IEnumerator<KernelPlugin> GetEnumerator() => throw null!;

    IEnumerator IEnumerable.GetEnumerator() => throw null!;
}

public abstract class KernelPlugin : IEnumerable<KernelFunction>
{
    public string Name => throw null!;

    public abstract IEnumerator<KernelFunction> GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => throw null!;
}

public abstract class FullyQualifiedAIFunction : AIFunction
{
    public KernelFunctionMetadata Metadata => throw null!;
}

public abstract class KernelFunction : FullyQualifiedAIFunction
{
    public new string Name => throw null!;

    public string? PluginName => throw null!;

    public new string Description => throw null!;

    public IReadOnlyDictionary<string, PromptExecutionSettings>? ExecutionSettings => throw null!;

    public abstract KernelFunction Clone(string? pluginName = null);
}

public sealed class KernelFunctionMetadata
{
    public KernelFunctionMetadata(string name) => throw null!;

    public IReadOnlyList<KernelParameterMetadata> Parameters => throw null!;

    public KernelReturnParameterMetadata ReturnParameter => throw null!;

    public ReadOnlyDictionary<string, object?> AdditionalProperties => throw null!;
}

public sealed class KernelParameterMetadata
{
    public KernelParameterMetadata(string name) => throw null!;

    public string Name => throw null!;

    public object? DefaultValue => throw null!;

    public Type? ParameterType => throw null!;
}

public sealed class KernelReturnParameterMetadata
{
    public Type? ParameterType => throw null!;
}

[AttributeUsage(AttributeTargets.Method)]
public sealed class KernelFunctionAttribute : Attribute
{
    public KernelFunctionAttribute(string? name) => throw null!;
}

public sealed class KernelFunctionFromMethodOptions
{
    public string? FunctionName { get => throw null!; init => throw null!; }

    public string? Description { get => throw null!; init => throw null!; }

    public ReadOnlyDictionary<string, object?>? AdditionalMetadata { get => throw null!; init => throw null!; }
}

public static class KernelFunctionFactory
{
    public static KernelFunction CreateFromMethod(Delegate method, KernelFunctionFromMethodOptions? options) => throw null!;
}

public static class KernelPluginFactory
{
    public static KernelPlugin CreateFromObject<T>(T target, JsonSerializerOptions jsonSerializerOptions, string? pluginName = null, ILoggerFactory? loggerFactory = null) => throw null!;

    public static KernelPlugin CreateFromFunctions(string pluginName, string? description = null, IEnumerable<KernelFunction>? functions = null) => throw null!;
}

public sealed class FunctionResult
{
    public FunctionResult(FunctionResult result, object? value = null) => throw null!;

    public KernelFunction Function => throw null!;

    public T? GetValue<T>() => throw null!;
}

public sealed class KernelArguments : AIFunctionArguments
{
    public IReadOnlyDictionary<string, PromptExecutionSettings>? ExecutionSettings { get => throw null!; set => throw null!; }
}

public class PromptExecutionSettings
{
    public FunctionChoiceBehavior? FunctionChoiceBehavior { get => throw null!; set => throw null!; }

    public virtual PromptExecutionSettings Clone() => throw null!;
}
