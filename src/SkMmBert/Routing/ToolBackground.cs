namespace SkMmBert;

/// <summary>Things people say to an assistant that ask for no tool: how alike they look to a catalogue tells how much likeness means nothing.</summary>
internal static class ToolBackground
{
    public static readonly string[] Texts =
    [
        "Hello, how are you today?",
        "Thanks, that was really helpful.",
        "What do you think about love?",
        "Tell me something interesting about the Roman Empire.",
        "Why is the sky blue?",
        "I don't understand what you mean.",
        "You are funny.",
        "Who would win, a lion or a shark?",
        "My grandmother used to bake bread on Sundays.",
        "Explain the difference between a simile and a metaphor.",
        "I feel a bit tired and bored.",
        "What is the meaning of life?",
        "How many bones does a human have?",
        "Let's talk about something else.",
        "Is it ever right to lie to a friend?",
        "The old house at the end of the street has been empty for years.",
        "Wie geht es dir heute?",
        "Warum sind Flamingos rosa?",
        "Merci beaucoup, bonne journée !",
        "Quelle est la différence entre un crocodile et un alligator ?",
        "¿Por qué soñamos?",
        "Ciao, come stai?",
        "你好，你今天怎么样？",
        "恐竜はどうして絶滅したのですか。",
    ];
}
