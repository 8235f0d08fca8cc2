using Xunit;

namespace SkMmBert.Tests.Routing;

/// <summary>Questions in five languages over tools described in English, with the model that lies in the repository.</summary>
public sealed class MiniModelRoutingTests
{
    private static readonly (string Name, string Description, string[] Questions)[] s_tools =
    [
        ("get_weather_forecast", "Get the weather forecast for a city", ["Wie wird das Wetter morgen in Bern?", "Quel temps fera-t-il demain à Paris ?", "¿Qué tiempo hará mañana en Madrid?", "明日の東京の天気は？", "明天北京的天气怎么样？"]),
        ("send_email", "Send an email to a recipient", ["Schicke Anna eine E-Mail", "Envoie un e-mail à Anna", "Envía un correo electrónico a Ana", "アンナにメールを送って", "给安娜发一封电子邮件"]),
        ("create_calendar_event", "Create an event in the calendar", ["Trage einen Termin in meinen Kalender ein", "Ajoute un événement à mon calendrier", "Añade un evento a mi calendario", "カレンダーに予定を追加して", "在我的日历中添加一个活动"]),
        ("translate_text", "Translate a text into another language", ["Übersetze diesen Text ins Englische", "Traduis ce texte en anglais", "Traduce este texto al inglés", "この文章を英語に翻訳して", "把这段文字翻译成英文"]),
        ("book_hotel", "Book a hotel room", ["Buche ein Hotelzimmer für zwei Nächte", "Réserve une chambre d'hôtel", "Reserva una habitación de hotel", "ホテルの部屋を予約して", "预订一间酒店房间"]),
        ("search_flights", "Search for flights between two airports", ["Suche Flüge von Zürich nach Rom", "Cherche des vols de Paris à Rome", "Busca vuelos de Madrid a Roma", "東京からローマへのフライトを探して", "查找从北京到罗马的航班"]),
        ("play_music", "Play a song or an album", ["Spiel ein Lied von Mozart", "Joue une chanson de Mozart", "Pon una canción de Mozart", "モーツァルトの曲を流して", "播放一首莫扎特的音乐"]),
        ("convert_currency", "Convert money from one currency into another", ["Rechne 100 Euro in Dollar um", "Convertis 100 euros en dollars", "Convierte 100 euros a dólares", "100ユーロをドルに換算して", "把100欧元换算成美元"]),
        ("order_food", "Order food from a restaurant", ["Bestelle Essen beim Restaurant", "Commande à manger au restaurant", "Pide comida del restaurante", "レストランの料理を注文して", "从餐厅点餐"]),
        ("get_stock_price", "Get the current price of a stock", ["Wie steht die Aktie von Apple?", "Quel est le cours de l'action Apple ?", "¿Cuál es el precio de la acción de Apple?", "アップルの株価はいくら？", "苹果的股票价格是多少？"]),
        ("set_alarm", "Set an alarm for a time", ["Stelle den Wecker auf sieben Uhr", "Mets le réveil à sept heures", "Pon la alarma a las siete", "7時にアラームをセットして", "设置七点的闹钟"]),
        ("turn_on_lights", "Turn the lights of a room on or off", ["Schalte das Licht im Wohnzimmer ein", "Allume la lumière du salon", "Enciende la luz del salón", "リビングの電気をつけて", "打开客厅的灯"]),
    ];

    [Fact]
    public async Task RouteAsync_FiveLanguagesOverEnglishTools_FindsTheToolAmongFive()
    {
        using MmBertModel model = MmBertModel.Open(Paths.MiniEmbed);
        ToolProfile[] others = [.. TestTools.Many(40).Select(tool => ToolProfile.FromTool(tool))];
        ToolRouter router = new(new MmBertEmbeddingGenerator(model), s_tools.Select(tool => new ToolProfile(tool.Name) { Description = tool.Description }).Concat(others), new() { Top = 5 });
        int[] hits = new int[5];
        foreach ((string name, _, string[] questions) in s_tools)
        {
            for (int language = 0; language < 5; language++)
            {
                RoutingDecision decision = await router.RouteAsync(questions[language], TestContext.Current.CancellationToken);
                hits[language] += decision.Tools.Any(tool => tool.Name == name) ? 1 : 0;
            }
        }

        TestContext.Current.SendDiagnosticMessage($"hit@5 of {s_tools.Length} questions among {s_tools.Length + others.Length} tools: de {hits[0]}, fr {hits[1]}, es {hits[2]}, ja {hits[3]}, zh {hits[4]}");
        Assert.All(hits, hit => Assert.InRange(hit, 6, s_tools.Length));
    }

    [Fact]
    public async Task RouteAsync_SmallTalk_IsLessSureThanARequest()
    {
        using MmBertModel model = MmBertModel.Open(Paths.MiniEmbed);
        ToolRouter router = new(new MmBertEmbeddingGenerator(model), s_tools.Select(tool => new ToolProfile(tool.Name) { Description = tool.Description }));
        RoutingDecision talk = await router.RouteAsync("I had a lovely dream about my childhood last night.", TestContext.Current.CancellationToken);
        RoutingDecision request = await router.RouteAsync("Convert 20 dollars to euros", TestContext.Current.CancellationToken);
        Assert.True(request.Confidence > talk.Confidence, $"{request.Reason} / {talk.Reason}");
        Assert.False(request.Abstained, request.Reason);
        Assert.Equal("convert_currency", request.Tools[0].Name);
    }
}
