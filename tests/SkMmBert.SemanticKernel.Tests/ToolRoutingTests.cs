using Microsoft.Extensions.AI;
using Microsoft.SemanticKernel;
using Microsoft.SemanticKernel.ChatCompletion;
using Xunit;

namespace SkMmBert.SemanticKernel.Tests;

/// <summary>The three ways in which a kernel's model is shown fewer functions.</summary>
public sealed class ToolRoutingTests
{
    private const string Question = "Get the weather forecast of Bern";

    private static FunctionChoiceBehaviorConfiguration Configuration(FunctionChoiceBehavior choice, Kernel kernel) =>
        choice.GetConfiguration(new FunctionChoiceBehaviorConfigurationContext([]) { Kernel = kernel });

    [Fact]
    public async Task ToFunctionChoice_OfADecision_HasItsFunctionsInTheKernelsOrder()
    {
        Kernel kernel = Catalogue.Kernel();
        RoutingDecision decision = await Catalogue.Router().RouteAsync(kernel, "Switch the lamp on and get the weather forecast");
        FunctionChoiceBehavior choice = decision.ToFunctionChoice(kernel, autoInvoke: false, new() { AllowParallelCalls = true });
        FunctionChoiceBehaviorConfiguration configuration = Configuration(choice, kernel);
        Assert.Equal(["get_weather", "turn_on_light"], configuration.Functions!.Select(function => function.Name));
        Assert.False(configuration.AutoInvoke);
        Assert.True(configuration.Options.AllowParallelCalls);
        Assert.Equal("home_get_weather", ((AIFunction)configuration.Functions![0]).Name);
    }

    [Fact]
    public void ToFunctionChoice_WhereNoToolFits_ShowsNone()
    {
        Kernel kernel = Catalogue.Kernel();
        FunctionChoiceBehavior choice = new RoutingDecision { Abstained = true }.ToFunctionChoice(kernel);
        Assert.True(Configuration(choice, kernel).Functions is null or []);
        Kernel withFinder = Catalogue.Kernel(finder: true);
        Assert.Equal(["find_tools"], Configuration(new RoutingDecision { Abstained = true }.ToFunctionChoice(withFinder), withFinder).Functions!.Select(function => function.Name));
    }

    [Fact]
    public async Task RouteAsync_EmptyKernel_FitsNoTool()
    {
        RoutingDecision decision = await Catalogue.Router().RouteAsync(new Kernel(), Question);
        Assert.True(decision.Abstained);
        Assert.Empty(decision.Tools);
    }

    [Fact]
    public async Task RouteAsync_History_KeepsFunctionsThatWereCalled()
    {
        Kernel kernel = Catalogue.Kernel();
        ChatHistory history = [];
        history.AddUserMessage("Play a song");
        history.Add(new ChatMessageContent(AuthorRole.Assistant, [new Microsoft.SemanticKernel.FunctionCallContent("play_music", "home", "1", new() { ["input"] = "a song" })]));
        history.Add(new ChatMessageContent(AuthorRole.Tool, [new Microsoft.SemanticKernel.FunctionResultContent("play_music", "home", "1", "playing")]));
        history.AddUserMessage(Question);
        RoutingDecision decision = await new ToolRouter(new HashedGenerator(), new ToolRouterOptions { Top = 1, RecentTurns = 0 }).RouteAsync(kernel, history);
        Assert.Contains(decision.Tools, tool => tool is { Name: "home_play_music", Inclusion: ToolInclusion.Sticky });
        Assert.Contains(decision.Tools, tool => tool.Name == "home_get_weather");
    }

    private static IChatClient Invoking(IChatClient inner) => inner.AsBuilder().UseKernelFunctionInvocation().Build();

    private static KernelArguments Auto(out PromptExecutionSettings settings)
    {
        settings = new() { FunctionChoiceBehavior = FunctionChoiceBehavior.Auto() };
        return new(settings);
    }

    private static Kernel WithFilter(Kernel kernel)
    {
        ToolRoutingFilter filter = new(Catalogue.Router());
        kernel.FunctionInvocationFilters.Add(filter);
        kernel.PromptRenderFilters.Add(filter);
        kernel.AutoFunctionInvocationFilters.Add(filter);
        return kernel;
    }

    [Theory]
    [InlineData(Question)]
    [InlineData("<message role=\"system\">Play a song, set an alarm clock</message><message role=\"user\">" + Question + "</message>")]
    public async Task Filter_Prompt_ShowsOnlyItsFunctionsAndLeavesTheCallersSettings(string prompt)
    {
        ScriptedChatClient model = new(_ => ScriptedChatClient.Says("done"));
        Kernel kernel = WithFilter(Catalogue.Kernel(Invoking(model)));
        KernelArguments arguments = Auto(out PromptExecutionSettings settings);
        FunctionChoiceBehavior choice = settings.FunctionChoiceBehavior!;
        settings.Freeze();
        await kernel.InvokePromptAsync(prompt, arguments);
        string[] shown = Assert.Single(model.Shown);
        Assert.Equal(2, shown.Length);
        Assert.Contains("home_get_weather", shown);
        Assert.Same(choice, settings.FunctionChoiceBehavior);
        Assert.Same(settings, Assert.Single(arguments.ExecutionSettings!).Value);
        // The next prompt with the same arguments starts from all functions again.
        await kernel.InvokePromptAsync("Play an album", arguments);
        Assert.Contains("home_play_music", model.Shown[1]);
    }

    [Fact]
    public async Task Filter_StreamedPrompt_ShowsOnlyItsFunctions()
    {
        ScriptedChatClient model = new(_ => ScriptedChatClient.Says("done"));
        Kernel kernel = WithFilter(Catalogue.Kernel(Invoking(model)));
        KernelArguments arguments = Auto(out _);
        await kernel.InvokePromptStreamingAsync(Question, arguments).ToListAsync();
        await kernel.InvokePromptStreamingAsync("Play an album", arguments).ToListAsync();
        Assert.Contains("home_get_weather", model.Shown[0]);
        Assert.Contains("home_play_music", model.Shown[1]);
        Assert.All(model.Shown, shown => Assert.Equal(2, shown.Length));
    }

    [Fact]
    public async Task Filter_SettingsOfThePromptItself_AreCopiedToo()
    {
        ScriptedChatClient model = new(_ => ScriptedChatClient.Says("done"));
        Kernel kernel = WithFilter(Catalogue.Kernel(Invoking(model)));
        PromptExecutionSettings settings = new() { FunctionChoiceBehavior = FunctionChoiceBehavior.Auto() };
        KernelFunction prompt = KernelFunctionFactory.CreateFromPrompt("{{$question}}", settings);
        await kernel.InvokeAsync(prompt, new() { ["question"] = Question });
        await kernel.InvokeAsync(prompt, new() { ["question"] = "Play an album" });
        Assert.Equal([2, 2], model.Shown.Select(shown => shown.Length));
        Assert.Contains("home_play_music", model.Shown[1]);
    }

    [Fact]
    public async Task Filter_OtherChoicesAndSmallCatalogues_AreLeftAlone()
    {
        ScriptedChatClient model = new(_ => ScriptedChatClient.Says("done"));
        Kernel kernel = WithFilter(Catalogue.Kernel(Invoking(model)));
        await kernel.InvokePromptAsync(Question);
        await kernel.InvokePromptAsync(Question, new(new PromptExecutionSettings { FunctionChoiceBehavior = FunctionChoiceBehavior.Required(kernel.Plugins["home"].Take(4)) }));
        await kernel.InvokePromptAsync(Question, new(new PromptExecutionSettings { FunctionChoiceBehavior = FunctionChoiceBehavior.Auto([]) }));
        Assert.Equal([0, 4, 0], model.Shown.Select(shown => shown.Length));

        Kernel small = Catalogue.Kernel(Invoking(model));
        ToolRoutingFilter filter = new(new ToolRouter(new HashedGenerator(), new ToolRouterOptions { MinimumCatalogue = 11 }));
        small.FunctionInvocationFilters.Add(filter);
        small.PromptRenderFilters.Add(filter);
        await small.InvokePromptAsync(Question, Auto(out _));
        Assert.Equal(10, model.Shown[^1].Length);
    }

    [Fact]
    public async Task Filter_FailingRouter_ShowsAllFunctions()
    {
        ScriptedChatClient model = new(_ => ScriptedChatClient.Says("done"));
        Kernel kernel = Catalogue.Kernel(Invoking(model));
        ToolRoutingFilter filter = new(new ToolRouter(new HashedGenerator { Embed = _ => throw new IOException("model gone") }, new ToolRouterOptions { Top = 2 }));
        kernel.FunctionInvocationFilters.Add(filter);
        kernel.PromptRenderFilters.Add(filter);
        await kernel.InvokePromptAsync(Question, Auto(out _));
        Assert.Equal(10, Assert.Single(model.Shown).Length);
    }

    [Fact]
    public async Task Filter_ModelAsksForMore_GetsAndCallsIt()
    {
        ScriptedChatClient model = new(messages => (messages[^1].Contents.OfType<Microsoft.Extensions.AI.FunctionResultContent>().FirstOrDefault()?.Result?.ToString() ?? "") switch
        {
            "" => ScriptedChatClient.Calls("tools_find_tools", "query", "Play a song or an album"),
            string found when found.Contains("home_play_music: Play a song") => ScriptedChatClient.Calls("home_play_music", "input", "Bach"),
            string played => ScriptedChatClient.Says(played),
        });
        Kernel kernel = WithFilter(Catalogue.Kernel(Invoking(model), finder: true));
        FunctionResult answer = await kernel.InvokePromptAsync(Question, Auto(out _));
        Assert.Contains("play_music(Bach)", answer.ToString());
        Assert.Contains("tools_find_tools", model.Shown[0]);
        Assert.DoesNotContain("home_play_music", model.Shown[0]);
        Assert.Contains("home_play_music", model.Shown[1]);
    }

    [Fact]
    public async Task Filter_ChatCompletionLoop_WidensTheChoiceForTheNextRequest()
    {
        // What a chat completion service does between two requests, with the settings that the prompt filter made.
        Kernel kernel = WithFilter(Catalogue.Kernel(finder: true));
        RoutingDecision decision = await Catalogue.Router().RouteAsync(kernel, Question);
        PromptExecutionSettings settings = new() { FunctionChoiceBehavior = decision.ToFunctionChoice(kernel) };
        settings.Freeze();
        KernelFunction finder = kernel.Plugins.GetFunction("tools", "find_tools");
        AutoFunctionInvocationContext context = new(kernel, finder, new FunctionResult(finder), [], new ChatMessageContent(AuthorRole.Assistant, ""))
        {
            Arguments = new() { ["query"] = "Play a song or an album" }, ExecutionSettings = settings,
        };
        ToolRoutingFilter filter = (ToolRoutingFilter)kernel.AutoFunctionInvocationFilters[0];
        await filter.OnAutoFunctionInvocationAsync(context, _ => throw new InvalidOperationException("answered by the filter"));
        Assert.Contains("home_play_music", context.Result.GetValue<string>());
        Assert.Contains(Configuration(settings.FunctionChoiceBehavior!, kernel).Functions!, function => function.Name == "play_music");
    }

    [Fact]
    public async Task FindTools_WithoutTheFilter_StillNamesFunctions()
    {
        Kernel kernel = Catalogue.Kernel(finder: true);
        Assert.Contains("home_play_music", (await kernel.InvokeAsync("tools", "find_tools", new() { ["query"] = "Play a song or an album" })).GetValue<string>());
        Kernel empty = new();
        empty.Plugins.Add(Catalogue.Router().ToFindToolsPlugin());
        Assert.Equal("No function fits.", (await empty.InvokeAsync("tools", "find_tools", new() { ["query"] = "Play" })).GetValue<string>());
    }

    [Fact]
    public async Task UseToolRouting_InsideKernelFunctionInvocation_EveryFunctionStaysCallable()
    {
        ScriptedChatClient model = new(messages => messages.Any(message => message.Role == ChatRole.Tool)
            ? ScriptedChatClient.Says(messages[^1].Contents.OfType<Microsoft.Extensions.AI.FunctionResultContent>().Single().Result!.ToString()!)
            : ScriptedChatClient.Calls("home_play_music", "input", "Bach"));
        IChatClient chat = model.AsBuilder().UseKernelFunctionInvocation().UseToolRouting(Catalogue.Router()).Build();
        FunctionResult answer = await Catalogue.Kernel(chat).InvokePromptAsync(Question, Auto(out _));
        Assert.Contains("play_music(Bach)", answer.ToString());
        Assert.DoesNotContain("home_play_music", model.Shown[0]);
        Assert.Contains("home_get_weather", model.Shown[0]);
    }

    [Fact]
    public async Task FunctionProvider_Conversation_GivesWhatItNeedsNow()
    {
        ToolRouter router = new(new HashedGenerator(), Catalogue.Functions(), new ToolRouterOptions { Top = 2 });
        RoutedFunctionProvider provider = new(router);
        ChatMessage song = new(ChatRole.User, "Play a song"), weather = new(ChatRole.User, Question);
        await provider.MessageAddingAsync("1", song);
        Assert.Contains("play_music", (await provider.ModelInvokingAsync([song])).AIFunctions.Select(function => function.Name));
        await provider.MessageAddingAsync("1", weather);
        AIContext context = await provider.ModelInvokingAsync([weather]);
        Assert.Equal("get_weather", context.AIFunctions[0].Name);
        Assert.Null(context.Instructions);
        Assert.Equal(10, (await new RoutedFunctionProvider(router).ModelInvokingAsync([])).AIFunctions.Count);  // nothing to go by
    }

    [Fact]
    public async Task FunctionProvider_OwnQuestion_SeesRecentAndNewMessages()
    {
        ToolRouter router = new(new HashedGenerator(), Catalogue.Functions(), new ToolRouterOptions { Top = 1 });
        List<(int Recent, int Added)> seen = [];
        RoutedFunctionProvider provider = new(router, new()
        {
            RecentMessages = 3,
            Question = (recent, added, _) =>
            {
                seen.Add((recent.Count, added.Count));
                return Task.FromResult("Set an alarm clock for a time");
            },
        });
        ChatMessage[] messages = [.. Enumerable.Range(0, 30).Select(i => new ChatMessage(ChatRole.User, $"message {i}"))];
        Assert.Equal("set_alarm", (await provider.ModelInvokingAsync([messages[0]])).AIFunctions.Single().Name);
        foreach (ChatMessage message in messages)
        {
            await provider.MessageAddingAsync(null, message);
        }

        await provider.ModelInvokingAsync([messages[^1]]);
        Assert.Equal([(0, 1), (3, 1)], seen);
    }
}
