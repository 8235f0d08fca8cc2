namespace Microsoft.SemanticKernel;

public interface IFunctionInvocationFilter
{
    Task OnFunctionInvocationAsync(FunctionInvocationContext context, Func<FunctionInvocationContext, Task> next);
}

public interface IPromptRenderFilter
{
    Task OnPromptRenderAsync(PromptRenderContext context, Func<PromptRenderContext, Task> next);
}

public interface IAutoFunctionInvocationFilter
{
    Task OnAutoFunctionInvocationAsync(AutoFunctionInvocationContext context, Func<AutoFunctionInvocationContext, Task> next);
}

public class FunctionInvocationContext
{
    public CancellationToken CancellationToken => throw null!;

    public bool IsStreaming => throw null!;

    public KernelFunction Function => throw null!;

    public KernelArguments Arguments => throw null!;

    public FunctionResult Result { get => throw null!; set => throw null!; }
}

public sealed class PromptRenderContext
{
    public CancellationToken CancellationToken => throw null!;

    public Kernel Kernel => throw null!;

    public PromptExecutionSettings? ExecutionSettings => throw null!;

    public string? RenderedPrompt { get => throw null!; set => throw null!; }
}

public class AutoFunctionInvocationContext : Extensions.AI.FunctionInvocationContext
{
    public CancellationToken CancellationToken => throw null!;

    public KernelArguments? Arguments => throw null!;

    public PromptExecutionSettings? ExecutionSettings => throw null!;

    public KernelFunction Function => throw null!;

    public Kernel Kernel => throw null!;

    public FunctionResult Result { get => throw null!; set => throw null!; }
}
