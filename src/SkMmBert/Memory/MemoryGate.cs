using System.Numerics.Tensors;
using System.Security.Cryptography;
using System.Text;

namespace SkMmBert;

/// <summary>Leaves out texts a scope has already.</summary>
internal static class MemoryGate
{
    private const int Neighbours = 8;
    private const float SameWordsCosine = 0.9f; // the same words in another case and punctuation are nearer than this, so that few need reading

    /// <summary>The texts, each a list of its chunks, that say something new; of equal ones in the batch the first is kept.</summary>
    public static async Task<List<List<MemoryItem>>> KeepNewAsync(MemoryStore store, MemoryOptions options, List<List<MemoryItem>> texts, CancellationToken cancellationToken)
    {
        if (!options.DropDuplicates && options.NearDuplicate is null)
        {
            return LastOfEachId(texts);
        }

        List<List<MemoryItem>> kept = [];
        HashSet<(MemoryScope, string, string)> words = [];
        foreach (List<MemoryItem> text in texts)
        {
            string said = string.Join(' ', text.SelectMany(item => LexicalTerms.Of(item.Text)));
            (MemoryScope, string, string) key = (text[0].Scope!, said, said.Length > 0 ? "" : text[0].Text);
            bool earlier = options.DropDuplicates && words.Contains(key);
            if (earlier || IsNearOneOf(text, kept, options) || await IsStoredAsync(store, options, text, cancellationToken).ConfigureAwait(false))
            {
                continue;
            }

            words.Add(key);
            kept.Add(text);
        }

        return LastOfEachId(kept);
    }

    /// <summary>An id for a text that came without: the same for the same text of the same source, so that remembering it again changes nothing.</summary>
    public static string IdOf(MemoryScope scope, string? source, string text) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{scope}\n{source}\n{text}")).AsSpan(0, 12));

    // An id given twice in a batch means the later text.
    private static List<List<MemoryItem>> LastOfEachId(List<List<MemoryItem>> texts)
    {
        Dictionary<(MemoryScope, string), int> last = [];
        for (int i = 0; i < texts.Count; i++)
        {
            last[(texts[i][0].Scope!, texts[i][0].Id)] = i;
        }

        return [.. texts.Where((text, i) => last[(text[0].Scope!, text[0].Id)] == i)];
    }

    private static bool IsNearOneOf(List<MemoryItem> text, List<List<MemoryItem>> kept, MemoryOptions options) =>
        options.NearDuplicate is { } near && text.TrueForAll(item => kept.Exists(other =>
            other[0].Scope == item.Scope && other[0].Id != item.Id &&
            other.Exists(chunk => TensorPrimitives.Dot(chunk.Vector.Span, item.Vector.Span) >= near && SameNumbers(chunk.Text, item.Text))));

    private static async Task<bool> IsStoredAsync(MemoryStore store, MemoryOptions options, List<MemoryItem> text, CancellationToken cancellationToken)
    {
        foreach (MemoryItem item in text)
        {
            MemorySearch search = new() { Vector = item.Vector, Scopes = [item.Scope!], Take = Neighbours };
            MemorySearchResult found = await store.SearchAsync(search, cancellationToken).ConfigureAwait(false);
            if (!found.Candidates.Any(candidate => IsSame(candidate.Item, item, options)))
            {
                return false;
            }
        }

        return true;
    }

    private static bool IsSame(MemoryItem stored, MemoryItem item, MemoryOptions options)
    {
        float cosine = TensorPrimitives.Dot(stored.Vector.Span, item.Vector.Span);
        bool sameWords = options.DropDuplicates && cosine >= SameWordsCosine && LexicalTerms.Of(stored.Text).SequenceEqual(LexicalTerms.Of(item.Text)) &&
            (LexicalTerms.Of(item.Text).Count > 0 || stored.Text == item.Text);

        // The same id again is a rewrite, not a repetition, unless nothing about it is new.
        return stored.Id == item.Id
            ? sameWords && stored.Text == item.Text && stored.Source == item.Source && MemoryFilter.HasPairs(stored.Metadata, item.Metadata)
            : sameWords || (options.NearDuplicate is { } near && cosine >= near && SameNumbers(stored.Text, item.Text));
    }

    private static bool SameNumbers(string a, string b) => Numbers(a).SequenceEqual(Numbers(b));

    private static IEnumerable<string> Numbers(string text) => LexicalTerms.Of(text).Where(term => term.Any(char.IsDigit));
}
