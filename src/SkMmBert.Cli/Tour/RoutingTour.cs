using System.Diagnostics;

namespace SkMmBert.Cli;

/// <summary>The routing part of the demo: sixty tools, questions in several languages, one that nothing fits.</summary>
internal sealed class RoutingTour
{
    private static readonly string[] Catalogue =
    [
        "get_weather: Get the weather forecast of a city", "get_air_quality: Get the air quality index of a place", "get_sunrise_time: Get when the sun rises and sets",
        "send_email: Send an email to one or more people", "search_email: Search the mailbox for messages", "reply_to_email: Answer an email", "archive_email: Move an email to the archive",
        "create_event: Add an appointment to the calendar", "list_events: List the appointments of a day", "cancel_event: Cancel an appointment", "find_free_slot: Find a time when all attendees are free",
        "set_alarm: Set an alarm clock", "set_timer: Start a countdown timer", "create_reminder: Remind the user of something at a later time", "create_note: Write a note", "search_notes: Search the notes",
        "book_flight: Book a flight between two airports", "get_flight_status: Tell whether a flight is on time", "book_hotel: Reserve a hotel room", "rent_car: Rent a car", "book_train: Buy a train ticket",
        "get_directions: Get the way from one place to another", "find_restaurant: Find a restaurant near a place", "reserve_table: Reserve a table in a restaurant", "order_food: Order a meal for delivery", "call_taxi: Call a taxi",
        "convert_currency: Convert an amount of money from one currency to another", "get_stock_price: Get the price of a share", "transfer_money: Send money from one bank account to another", "get_account_balance: Get the balance of a bank account",
        "pay_bill: Pay a bill", "list_transactions: List the transactions of an account", "calculate_tax: Calculate the income tax", "split_bill: Split the cost of a meal among friends",
        "translate_text: Translate a text into another language", "summarize_document: Summarise a long document", "check_spelling: Check the spelling and grammar of a text", "define_word: Look a word up in the dictionary",
        "play_music: Play a song, an album or an artist", "pause_music: Pause the music", "set_volume: Change the volume of the loudspeaker", "find_podcast: Find a podcast", "recommend_movie: Recommend a film to watch", "get_showtimes: Get when films run in the cinemas",
        "turn_on_light: Switch a lamp on or off", "set_thermostat: Set the temperature of a room", "lock_door: Lock or unlock the front door", "start_vacuum: Start the robot vacuum cleaner", "show_camera: Show the picture of a security camera",
        "add_to_shopping_list: Put something on the shopping list", "track_package: Tell where a parcel is", "compare_prices: Compare the prices of a product", "return_product: Send a product back",
        "log_workout: Record a workout", "count_calories: Count the calories of a meal", "find_doctor: Find a doctor nearby", "book_appointment: Make an appointment with a doctor",
        "create_ticket: Open a support ticket", "search_code: Search a source code repository", "run_query: Run a query against the database",
    ];

    private static readonly string[] Questions =
    [
        "Will it rain in Paris tomorrow?", "Wie viel sind 200 Euro in Dollar?", "Pon la alarma a las siete", "帮我翻译这段话", "Where is my parcel?", "Who wrote the Odyssey?",
    ];

    private RoutingTour(double build, IReadOnlyList<Turn> turns) => (BuildMilliseconds, Turns) = (build, turns);

    public static int Tools => Catalogue.Length;

    public double BuildMilliseconds { get; }

    public IReadOnlyList<Turn> Turns { get; }

    public static async Task<RoutingTour> TakeAsync(MmBertEmbeddingGenerator embedder, CancellationToken cancellationToken)
    {
        ToolRouter router = new(embedder, Catalogue.Select(line => line.Split(": ", 2)).Select(parts => new ToolProfile(parts[0]) { Description = parts[1] }));
        long started = Stopwatch.GetTimestamp();
        await router.IndexAsync(cancellationToken);
        double build = Stopwatch.GetElapsedTime(started).TotalMilliseconds;
        List<Turn> turns = [];
        foreach (string question in Questions)
        {
            RoutingDecision decision = await router.RouteAsync(question, cancellationToken);
            turns.Add(new(question, decision.Abstained, [.. decision.Tools.Select(tool => (tool.Name, tool.Score))], decision.Elapsed.TotalMilliseconds));
        }

        return new(build, turns);
    }

    /// <summary>One question and what the router decided.</summary>
    /// <param name="Question">The question.</param>
    /// <param name="Abstained">Whether no tool fits.</param>
    /// <param name="Tools">Chosen tools, best first.</param>
    /// <param name="Milliseconds">Time of the whole decision, the question's vector included.</param>
    internal sealed record Turn(string Question, bool Abstained, IReadOnlyList<(string Name, float Score)> Tools, double Milliseconds);
}
