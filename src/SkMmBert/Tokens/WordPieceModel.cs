using System.Runtime.Intrinsics;
using System.Text;

namespace SkMmBert;

/// <summary>Vocabulary of a WordPiece model: turns one word into ids.</summary>
internal sealed class WordPieceModel
{
    private readonly Vocabulary _vocabulary;
    private readonly byte[] _prefix;
    private readonly int _unknown;
    private readonly int _longestWord; // in characters
    private readonly int _longestPiece; // in bytes, prefix included
    private readonly ushort[] _widths; // UTF-16 units of a piece, prefix included

    private WordPieceModel(Vocabulary vocabulary, string prefix, int unknown, int longestWord)
    {
        _vocabulary = vocabulary;
        _prefix = Encoding.UTF8.GetBytes(prefix);
        _unknown = unknown;
        _longestWord = longestWord;
        _widths = new ushort[vocabulary.Count];
        PrefixWidth = prefix.Length;
        for (int id = 0; id < vocabulary.Count; id++)
        {
            _longestPiece = Math.Max(_longestPiece, vocabulary[id].Length);
            _widths[id] = (ushort)Math.Min(ushort.MaxValue, Encoding.UTF8.GetCharCount(vocabulary[id]));
        }
    }

    private int PrefixWidth { get; }

    public static WordPieceModel Read(TokenizerJson file)
    {
        TokenizerPart model = file.Model;
        model.RefuseOtherKeys("type", "vocab", "unk_token", "continuing_subword_prefix", "max_input_chars_per_word");
        if (file.Vocabulary is null)
        {
            throw model.Fault("'vocab' is missing");
        }

        string unknown = model.Text("unk_token");
        return file.Vocabulary.TryFind(unknown, out int id)
            ? new WordPieceModel(file.Vocabulary, model.Text("continuing_subword_prefix"), id, model.Number("max_input_chars_per_word"))
            : throw model.Fault($"the unk_token '{unknown}' is not in the vocabulary");
    }

    /// <summary>UTF-16 units of a word that a piece of it stands for.</summary>
    public int Width(int id, bool first) => first ? _widths[id] : _widths[id] - PrefixWidth;

    /// <summary>The ids of a word, valid until the next call with this state.</summary>
    public ReadOnlySpan<int> Encode(ReadOnlySpan<char> word, EncodeState state)
    {
        if (word.Length > WordCache.LongestWord)
        {
            return Cut(word, state.Merge);
        }

        Vector256<ushort> key = WordCache.Key(word);
        uint shape = WordCache.Shape(word.Length, prefix: false);
        ReadOnlySpan<int> ids = state.Words.Find(key, shape);
        if (ids.IsEmpty)
        {
            ids = Cut(word, state.Merge);
            state.Words.Add(key, shape, ids);
        }

        return ids;
    }

    private ReadOnlySpan<int> Cut(ReadOnlySpan<char> word, MergeScratch scratch)
    {
        int characters = word.Length;
        foreach (char unit in word)
        {
            characters -= char.IsLowSurrogate(unit) ? 1 : 0;
        }

        scratch.Reserve(characters);
        return characters <= _longestWord && TryCut(word, scratch.Ids, out int count) ? scratch.Ids.AsSpan(0, count) : Unknown(scratch.Ids);
    }

    private ReadOnlySpan<int> Unknown(int[] ids)
    {
        ids[0] = _unknown;
        return ids.AsSpan(0, 1);
    }

    private bool TryCut(ReadOnlySpan<char> word, int[] ids, out int count)
    {
        count = 0;
        int room = _prefix.Length + (3 * word.Length);
        byte[]? rented = room > 512 ? System.Buffers.ArrayPool<byte>.Shared.Rent(room) : null;
        Span<byte> utf8 = rented ?? stackalloc byte[512];
        // The rest of the word stands behind the prefix; the bytes that are used up make room for the prefix of the next piece.
        int start = _prefix.Length;
        int end = start + Encoding.UTF8.GetBytes(word, utf8[start..]);
        bool found = true;
        for (bool first = true; start < end && found; first = false)
        {
            int from = first ? start : start - _prefix.Length;
            if (!first)
            {
                _prefix.CopyTo(utf8[from..]);
            }

            found = TryFindLongest(utf8[from..end], start - from, out int id, out int length);
            ids[count++] = id;
            start = from + length;
        }

        if (rented is not null)
        {
            System.Buffers.ArrayPool<byte>.Shared.Return(rented);
        }

        return found;
    }

    private bool TryFindLongest(ReadOnlySpan<byte> rest, int least, out int id, out int length)
    {
        for (length = Math.Min(rest.Length, _longestPiece); length > least; length--)
        {
            bool whole = length == rest.Length || (rest[length] & 0xC0) != 0x80;
            if (whole && _vocabulary.Find(rest[..length]) is >= 0 and int known)
            {
                id = known;
                return true;
            }
        }

        id = -1;
        return false;
    }
}
