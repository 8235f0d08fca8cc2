using System.Globalization;

namespace SkMmBert.Cli;

/// <summary>Pairs of texts, with how alike people find them or as translations of each other.</summary>
/// <param name="Name">The folder and the file.</param>
/// <param name="Pairs">The pairs; the score is 0 for translations.</param>
internal sealed record PairSet(string Name, IReadOnlyList<(string A, string B, double Score)> Pairs)
{
    /// <summary>Similarity sets: TSV with a header <c>score sentence1 sentence2</c>. Training parts are left out, and rows that STS-B has too (<c>in_stsb</c> 1).</summary>
    public static IEnumerable<PairSet> Similarity(string folder) => Files(folder).Where(file => HasHeader(file) && !file.EndsWith(".train.tsv", StringComparison.Ordinal)).Select(file =>
    {
        string[] names = File.ReadLines(file).First().Split('\t');
        int known = Array.IndexOf(names, "in_stsb");
        return new PairSet(NameOf(folder, file), [.. Rows(file, skip: 1, columns: 3)
            .Where(row => row[0].Length > 0 && (known < 0 || row.Length <= known || row[known] != "1"))
            .Select(row => (row[1], row[2], Number(file, row[0])))]);
    });

    /// <summary>Translations: TSV of two columns without a header.</summary>
    public static IEnumerable<PairSet> Translations(string folder) => Files(folder).Where(file => !HasHeader(file)).Select(file =>
        new PairSet(NameOf(folder, file), [.. Rows(file, skip: 0, columns: 2).Select(row => (row[0], row[1], 0.0))]));

    private static IEnumerable<string> Files(string folder) => Directory.EnumerateFiles(folder, "*.tsv", SearchOption.AllDirectories).Order(StringComparer.Ordinal);

    private static string NameOf(string folder, string file) => Path.GetRelativePath(Path.GetFullPath(folder), Path.ChangeExtension(Path.GetFullPath(file), null)).Replace('\\', '/');

    private static bool HasHeader(string file) => File.ReadLines(file).FirstOrDefault()?.Split('\t') is [_, "sentence1", "sentence2", ..];

    private static IEnumerable<string[]> Rows(string file, int skip, int columns)
    {
        int number = skip;
        foreach (string line in File.ReadLines(file).Skip(skip))
        {
            number++;
            string[] row = line.Split('\t');
            if (row.Length >= columns)
            {
                yield return row;
            }
            else if (line.Length > 0)
            {
                throw new InputException($"'{file}' line {number} has {row.Length} columns. Expected: at least {columns}, with tabs between.");
            }
        }
    }

    private static double Number(string file, string text) => double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double number)
        ? number : throw new InputException($"'{file}' has the score '{text}'. Expected: a number.");
}
