using System.Globalization;
using System.Text.RegularExpressions;

namespace SkMmBert.Cli;

/// <summary>A question with a text that answers it and one that does not, and the scores its publisher gives them.</summary>
/// <param name="Published">Scores in the model's card; <see langword="null"/> where the card gives none that can be read.</param>
internal sealed partial record CardPair(string Query, string Relevant, string Irrelevant, (double Relevant, double Irrelevant)? Published)
{
    private static readonly CardPair Own = new("What is machine learning?", "Machine learning is a part of artificial intelligence in which programs learn from data.", "The weather is sunny today.", null);

    /// <summary>The pair of the card in a model folder, in whatever example it shows with two texts for one question; else our own.</summary>
    public static CardPair Of(string folder)
    {
        string card = Path.Combine(folder, "README.md");
        return File.Exists(card) ? Read(File.ReadAllText(card)) ?? Own : Own;
    }

    /// <summary>Reads a card: a block of code with a question and two more texts, and two scores between 0 and 1, the larger first, in comments.</summary>
    public static CardPair? Read(string card)
    {
        foreach (string block in Code().Matches(card).Select(match => match.Groups["code"].Value))
        {
            string[] texts = [.. Strings().Matches(block).Select(match => match.Groups["text"].Value).Where(text => text.Contains(' ')).Distinct()];
            double[] scores = [.. Comments().Matches(block).SelectMany(match => Scores().Matches(match.Value)).Select(match => double.Parse(match.Value, CultureInfo.InvariantCulture))];
            string? query = texts.FirstOrDefault(text => text.EndsWith('?'));
            string[] others = [.. texts.Where(text => text != query)];
            if (query is not null && others.Length >= 2 && scores is [double relevant, double irrelevant, ..] && relevant > irrelevant)
            {
                return new(query, others[0], others[1], (relevant, irrelevant));
            }
        }

        return null;
    }

    [GeneratedRegex("```[a-z]*\\n(?<code>.*?)```", RegexOptions.Singleline)]
    private static partial Regex Code();

    [GeneratedRegex("\"(?<text>[^\"\\n]+)\"")]
    private static partial Regex Strings();

    [GeneratedRegex("#.*")]
    private static partial Regex Comments();

    [GeneratedRegex(@"(?<![\d.])0\.\d{2,}")]
    private static partial Regex Scores();
}
