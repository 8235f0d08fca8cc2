using System.Runtime.CompilerServices;
using Microsoft.Extensions.AI;
using Microsoft.SemanticKernel;
using FunctionInvocationContext = Microsoft.SemanticKernel.FunctionInvocationContext;

namespace SkMmBert;

/// <summary>Shows a prompt's model only the functions that the prompt needs.</summary>
/// <remarks>
/// <para>Acts on prompt functions (<c>InvokePromptAsync</c>, prompt plugins) whose settings say <c>FunctionChoiceBehavior.Auto</c>: the rendered prompt,
/// or its last user message, is routed over the functions of that choice, and the model is shown those chosen. Settings and arguments of the
/// caller are not changed. Other choices and calls are left alone, as are catalogues smaller than <see cref="ToolRouterOptions.MinimumCatalogue"/>.</para>
/// <para>Where the kernel has the plugin of <see cref="ToolRouterKernelExtensions.ToFindToolsPlugin"/>, the model can ask for more; what it finds is added
/// to the running call. A router that fails shows all functions. Thread-safe; costs one embedding call for each prompt.</para>
/// <para>For calls of a chat completion service use <see cref="ToolRouterKernelExtensions.ToFunctionChoice"/>, for a chat client <c>UseToolRouting</c>.</para>
/// </remarks>
/// <example><code>
/// builder.AddMmBertToolRouter();   // router, filter and find_tools
/// PromptExecutionSettings settings = new() { FunctionChoiceBehavior = FunctionChoiceBehavior.Auto() };
/// await kernel.InvokePromptAsync("Will it rain in Bern tomorrow?", new(settings));   // the model saw 3 of 40 functions
/// </code></example>
/// <param name="router">Chooses; stays the caller's.</param>
public sealed class ToolRoutingFilter(ToolRouter router) : IFunctionInvocationFilter, IPromptRenderFilter, IAutoFunctionInvocationFilter
{
    // Our copies of settings, with the choice they came with: a copy that meets us again, as streaming leaves it behind, starts from that.
    private readonly ConditionalWeakTable<PromptExecutionSettings, AutoFunctionChoiceBehavior> _copies = [];

    /// <summary>Chooses.</summary>
    public ToolRouter Router { get; } = router ?? throw new ArgumentNullException(nameof(router));

    /// <inheritdoc/>
    public async Task OnFunctionInvocationAsync(FunctionInvocationContext context, Func<FunctionInvocationContext, Task> next)
    {
        ArgumentNullException.ThrowIfNull(context);
        ArgumentNullException.ThrowIfNull(next);
        IReadOnlyDictionary<string, PromptExecutionSettings>? given = context.Arguments.ExecutionSettings, settings = given ?? context.Function.ExecutionSettings;
        if (context.Function.UnderlyingMethod is not null || settings is null || !settings.Values.Any(each => each.FunctionChoiceBehavior is AutoFunctionChoiceBehavior))
        {
            await next(context).ConfigureAwait(false);
            return;
        }

        // The prompt is not rendered yet. What it will be sent with is copied now, so that the choice can be changed for this call alone.
        context.Arguments.ExecutionSettings = settings.ToDictionary(pair => pair.Key, pair => Copy(pair.Value));
        try
        {
            await next(context).ConfigureAwait(false);
        }
        finally
        {
            if (!context.IsStreaming)
            {
                context.Arguments.ExecutionSettings = given;
            }
        }
    }

    /// <inheritdoc/>
    public async Task OnPromptRenderAsync(PromptRenderContext context, Func<PromptRenderContext, Task> next)
    {
        ArgumentNullException.ThrowIfNull(context);
        ArgumentNullException.ThrowIfNull(next);
        await next(context).ConfigureAwait(false);
        if (context.ExecutionSettings is not { } settings || !_copies.TryGetValue(settings, out AutoFunctionChoiceBehavior? choice) || string.IsNullOrWhiteSpace(context.RenderedPrompt))
        {
            return;
        }

        FunctionChoiceBehaviorConfiguration whole = choice.GetConfiguration(new FunctionChoiceBehaviorConfigurationContext([]) { Kernel = context.Kernel });
        KernelFunction[] functions = [.. (whole.Functions ?? []).Where(function => !KernelTools.IsFinder(function))];
        ChatMessage question = new(ChatRole.User, PromptQuestion.Of(context.RenderedPrompt));
        RoutingDecision decision = await KernelTools.RouteAsync(Router, functions, [question], context.CancellationToken).ConfigureAwait(false);
        if (functions.Length > 0 && !decision.Tools.Any(tool => tool.Inclusion == ToolInclusion.All))
        {
            settings.FunctionChoiceBehavior = decision.ToFunctionChoice(context.Kernel, whole.AutoInvoke, choice.Options);
        }
    }

    /// <inheritdoc/>
    public async Task OnAutoFunctionInvocationAsync(AutoFunctionInvocationContext context, Func<AutoFunctionInvocationContext, Task> next)
    {
        ArgumentNullException.ThrowIfNull(context);
        ArgumentNullException.ThrowIfNull(next);
        if (!KernelTools.IsFinder(context.Function) || context.Arguments?.TryGetValue("query", out object? query) != true || query?.ToString() is not { Length: > 0 } text)
        {
            await next(context).ConfigureAwait(false);
            return;
        }

        KernelFunction[] found = await KernelTools.FindAsync(Router, context.Kernel, text, context.CancellationToken).ConfigureAwait(false);
        if (context.ExecutionSettings?.FunctionChoiceBehavior is AutoFunctionChoiceBehavior { Functions: { IsReadOnly: false } listed })
        {
            // Our own choice, read again before the model's next request.
            foreach (string name in found.Select(KernelTools.ListedName).Where(name => !listed.Contains(name)))
            {
                listed.Add(name);
            }
        }

        if (context.Options?.Tools is { IsReadOnly: false } tools)
        {
            foreach (KernelFunction function in found.Where(function => !tools.Any(tool => tool.Name == ((AIFunction)function).Name)))
            {
                tools.Add(function);
            }
        }

        context.Result = new FunctionResult(context.Result, KernelTools.Describe(found));
    }

    private PromptExecutionSettings Copy(PromptExecutionSettings settings)
    {
        AutoFunctionChoiceBehavior? choice = _copies.TryGetValue(settings, out AutoFunctionChoiceBehavior? first) ? first : settings.FunctionChoiceBehavior as AutoFunctionChoiceBehavior;
        if (choice is null)
        {
            return settings;
        }

        PromptExecutionSettings copy = settings.Clone();
        copy.FunctionChoiceBehavior = choice;
        _copies.Add(copy, choice);
        return copy;
    }
}
