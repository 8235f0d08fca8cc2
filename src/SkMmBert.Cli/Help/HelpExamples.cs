namespace SkMmBert.Cli;

/// <summary>Command lines to copy, for the help page of each verb.</summary>
internal static class HelpExamples
{
    private static readonly Dictionary<string, string[]> Examples = new()
    {
        [""] =
        [
            "skmmbert demo                                        see what it does, with the models that come with it",
            "skmmbert embed texts.txt --json > vectors.jsonl      a vector for each line",
            "skmmbert route --tools tools.jsonl questions.txt     the right few tools for each question",
            "skmmbert memory add notes.txt --store memory.db      remember each line; then: memory recall",
            "skmmbert bench --quick                               how fast is it on this machine?",
        ],
        ["demo"] = ["skmmbert demo", "skmmbert demo --json", "skmmbert demo --model mmbert-embed --precision int8"],
        ["embed"] =
        [
            "skmmbert embed texts.txt --json",
            "skmmbert embed texts.jsonl --format npy --out texts.npy --dims 64 --exit 3",
            "echo \"Wie ist das Wetter in Bern?\" | skmmbert embed - --json",
        ],
        ["rerank"] =
        [
            "skmmbert rerank queries.jsonl --top 5",
            "skmmbert rerank queries.jsonl --json --effort exit:3",
            "skmmbert rerank queries.jsonl --json --effort progressive --calibration reranker.json",
        ],
        ["route"] =
        [
            "skmmbert route --tools tools.jsonl questions.txt",
            "skmmbert route --tools tools.jsonl questions.jsonl --json --top 5",
            "echo \"Will it rain tomorrow?\" | skmmbert route --tools tools.jsonl",
        ],
        ["memory"] =
        [
            "skmmbert memory add notes.txt --store memory.db",
            "echo \"How does Ada travel?\" | skmmbert memory recall --store memory.db",
            "skmmbert memory check --store memory.db",
        ],
        ["memory add"] = ["skmmbert memory add notes.txt --store memory.db", "skmmbert memory add mails.jsonl --store memory.db --json"],
        ["memory recall"] = ["skmmbert memory recall questions.txt --store memory.db --top 3", "skmmbert memory recall questions.jsonl --store memory.db --scope user=ada --json", "skmmbert memory recall questions.txt --store memory.db --metadata project=apollo --since 2026-11-01 --half-life 30"],
        ["memory calibrate"] = ["skmmbert memory calibrate --store memory.db", "skmmbert memory calibrate questions.jsonl --store memory.db --json"],
        ["memory forget"] = ["skmmbert memory forget --store memory.db --source chat/17", "skmmbert memory forget --store memory.db --scope user=ada"],
        ["memory list"] = ["skmmbert memory list --store memory.db", "skmmbert memory list --store memory.db --json"],
        ["memory check"] = ["skmmbert memory check --store memory.db", "skmmbert memory check --store memory.db --json"],
        ["memory export"] = ["skmmbert memory export --store memory.db --out items.jsonl"],
        ["memory import"] = ["skmmbert memory import items.jsonl --store other.db"],
        ["memory reembed"] = ["skmmbert memory reembed --store memory.db --model mmbert-embed"],
        ["eval"] =
        [
            "skmmbert eval sts --data sets --limit 200",
            "skmmbert eval retrieval --data sets --exits all --out retrieval.jsonl",
            "skmmbert plot retrieval.jsonl --svg quality.svg",
        ],
        ["eval routing"] = ["skmmbert eval routing --data sets --limit 500", "skmmbert eval routing --data sets --set sgd --precision int8 --out routing.jsonl"],
        ["eval retrieval"] = ["skmmbert eval retrieval --data sets --limit 400", "skmmbert eval retrieval --data sets --exits all --out retrieval.jsonl"],
        ["eval sts"] = ["skmmbert eval sts --data sets --limit 200", "skmmbert eval sts --data sets --exits all --dims all --out sts.jsonl"],
        ["eval bitext"] = ["skmmbert eval bitext --data sets", "skmmbert eval bitext --data sets --exits all --dims all --out bitext.jsonl"],
        ["eval memory"] = ["skmmbert eval memory --data sets", "skmmbert eval memory --data sets --json"],
        ["eval funnel"] = ["skmmbert eval funnel --data sets --set npl --out funnel.jsonl", "skmmbert plot funnel.jsonl --svg funnel.svg"],
        ["eval calibrate-reranker"] = ["skmmbert eval calibrate-reranker --data sets --out reranker.json", "skmmbert eval calibrate-reranker --data sets --limit 50 --json > curve.jsonl"],
        ["tokenize"] = ["skmmbert tokenize texts.txt --json", "skmmbert tokenize texts.txt --tokenizer tokenizer.json --no-special"],
        ["models"] = ["skmmbert models", "skmmbert models --json"],
        ["pull"] = ["skmmbert pull mmbert-embed", "skmmbert pull owner/name@revision"],
        ["verify"] = ["skmmbert verify", "skmmbert verify --model mmbert-rerank --json"],
        ["bench"] =
        [
            "skmmbert bench --quick",
            "skmmbert bench --model mmbert-embed --out speed.jsonl --svg speed.svg",
            "skmmbert bench --lengths 32,512 --exits all --precision int8 --json",
        ],
        ["plot"] =
        [
            "skmmbert plot speed.jsonl --svg speed.svg",
            "skmmbert plot sts.jsonl sts-int8.jsonl retrieval.jsonl speed.jsonl --svg quality.svg",
            "skmmbert plot routing.jsonl --what routing --svg routing.svg",
        ],
        ["completion"] = ["eval \"$(skmmbert completion bash)\"              in ~/.bashrc", "skmmbert completion zsh > ~/.zfunc/_skmmbert", "skmmbert completion fish > ~/.config/fish/completions/skmmbert.fish", "skmmbert completion pwsh >> $PROFILE"],
        ["help"] = ["skmmbert help embed", "skmmbert help memory recall"],
    };

    /// <summary>The command lines of a verb by its words; none for one without.</summary>
    public static IReadOnlyList<string> Of(string path) => Examples.GetValueOrDefault(path, []);
}
