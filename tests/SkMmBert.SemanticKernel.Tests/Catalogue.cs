using Microsoft.Extensions.AI;
using Microsoft.SemanticKernel;

namespace SkMmBert.SemanticKernel.Tests;

/// <summary>Ten functions that do nothing but say that they were called.</summary>
internal static class Catalogue
{
    private static readonly (string Name, string Does)[] Described =
    [
        ("get_weather", "Get the weather forecast of a city"), ("send_email", "Send an email message to a person"),
        ("book_flight", "Book a flight between two airports"), ("play_music", "Play a song or an album"),
        ("set_alarm", "Set an alarm clock for a time"), ("convert_currency", "Convert an amount of money from one currency to another"),
        ("translate_text", "Translate a text into another language"), ("find_restaurant", "Find a restaurant near a place"),
        ("create_event", "Add an appointment to the calendar"), ("turn_on_light", "Switch a lamp in the house on or off"),
    ];

    public static KernelFunction[] Functions() =>
        [.. Described.Select(each => KernelFunctionFactory.CreateFromMethod((string input) => $"{each.Name}({input})", each.Name, each.Does))];

    /// <summary>A router that shows two functions for every question.</summary>
    public static ToolRouter Router() => new(new HashedGenerator(), new ToolRouterOptions { Top = 2 });

    public static Kernel Kernel(IChatClient? chat = null, bool finder = false)
    {
        IKernelBuilder builder = Microsoft.SemanticKernel.Kernel.CreateBuilder();
        if (chat is not null)
        {
            Microsoft.Extensions.DependencyInjection.ServiceCollectionServiceExtensions.AddSingleton(builder.Services, chat);
        }

        Kernel kernel = builder.Build();
        kernel.Plugins.AddFromFunctions("home", Functions());
        if (finder)
        {
            kernel.Plugins.Add(Router().ToFindToolsPlugin());
        }

        return kernel;
    }
}
