namespace SkMmBert;

/// <summary>Id to token and back, added tokens included.</summary>
internal sealed class TokenTexts
{
    private readonly Vocabulary _vocabulary;
    private readonly Dictionary<int, AddedToken> _addedById = [];
    private readonly Dictionary<string, int> _addedByText = [];

    public TokenTexts(TokenizerJson file)
    {
        _vocabulary = file.Vocabulary;
        Count = _vocabulary.Count;
        foreach (AddedToken token in file.AddedTokens)
        {
            _addedById[token.Id] = token;
            _addedByText[token.Text] = token.Id;
            Count = Math.Max(Count, token.Id + 1);
        }
    }

    /// <summary>The highest id plus one.</summary>
    public int Count { get; }

    public bool IsSpecial(int id) => _addedById.TryGetValue(id, out AddedToken? token) && token.Special;

    public int? Find(string token) => _addedByText.TryGetValue(token, out int id) || _vocabulary.TryFind(token, out id) ? id : null;

    public string? Find(int id)
    {
        if (_addedById.TryGetValue(id, out AddedToken? token))
        {
            return token.Text;
        }

        return (uint)id < (uint)_vocabulary.Count && _vocabulary[id].Length > 0 ? _vocabulary.Text(id) : null;
    }

    public int? FirstKnown(params ReadOnlySpan<string> tokens)
    {
        foreach (string token in tokens)
        {
            if (Find(token) is { } id)
            {
                return id;
            }
        }

        return null;
    }
}
