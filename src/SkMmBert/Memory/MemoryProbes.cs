namespace SkMmBert;

/// <summary>Short texts about nothing in particular, in many languages: what a question is compared with before a store has much of its own.</summary>
internal static class MemoryProbes
{
    public static IReadOnlyList<string> Texts { get; } =
    [
        "The harbour was quiet after the storm.", "Cut the onions and fry them in butter.", "Our train leaves from platform nine.", "The invoice is due at the end of the month.",
        "She painted the kitchen yellow.", "The committee will vote on the proposal next week.", "Photosynthesis turns light into sugar.", "My brother plays the trumpet in a band.",
        "Restart the server after the update.", "The museum is closed on Mondays.", "He lost his keys on the beach.", "A triangle has three sides.", "Rain is expected in the north.",
        "The doctor told him to drink more water.", "They won the match in the last minute.", "Please sign the form and send it back.", "Gold is heavier than iron.", "The cat sleeps on the roof.",
        "The river floods every spring.", "I would like to book a table for two.", "The old bridge was built by the Romans.", "This function returns a list of numbers.",
        "Der Zug hat heute Verspätung.", "Das Fahrrad steht im Keller.", "Il fait froid ce matin.", "Elle cherche un nouvel appartement.", "El perro corre por el parque.", "La reunión empieza a las tres.",
        "Il pane è ancora caldo.", "O mercado abre cedo aos sábados.", "Поезд уже ушёл со станции.", "Она любит читать по вечерам.", "今日は空がとても青い。", "彼は毎朝コーヒーを飲む。", "图书馆在学校旁边。", "他昨天买了一辆自行车。",
        "오늘 회의는 취소되었습니다.", "나는 산책을 좋아한다.", "القطار يصل في المساء.", "المكتبة مغلقة اليوم.", "Bugün pazara gidiyoruz.", "Kitap masanın üstünde duruyor.", "کتاب روی میز است.",
        "मुझे चाय पसंद है।", "Pociąg odjeżdża o szóstej.", "Het regent al de hele dag.", "Chuyến tàu sẽ đến muộn.", "ร้านปิดวันอาทิตย์",
    ];
}
