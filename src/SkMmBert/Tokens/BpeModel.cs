using System.Runtime.CompilerServices;
using System.Text;

namespace SkMmBert;

/// <summary>Vocabulary and merges of a BPE model: turns one segment of text into ids.</summary>
internal sealed partial class BpeModel
{
    private const int CutBits = 20;
    private const ushort ByteMark = 0x8000;

    private readonly MergeTable _merges;
    private readonly CharacterTable _characters = new();
    private readonly int[] _byteIds = new int[256];
    private readonly ushort[] _widths;                            // UTF-16 units of an id; for a byte token ByteMark and the byte
    private readonly ulong[] _neighbours = new ulong[1 << (CutBits - 6)]; // bits of hashed pairs of units that stand side by side in some piece
    private readonly char _space;
    private readonly char _wordStart;
    private readonly int _unknown;
    private readonly bool _fusesUnknown;

    private BpeModel(TokenizerJson file, BpePipeline pipeline)
    {
        _merges = file.Merges ?? throw file.Model.Fault("'merges' are missing");
        _space = pipeline.Space;
        _wordStart = pipeline.WordStart;
        _widths = new ushort[file.Vocabulary.Count];
        bool bytes = file.Model.Flag("byte_fallback", false);
        ReadPieces(file.Vocabulary, bytes);
        _fusesUnknown = file.Model.Flag("fuse_unk", false);
        _unknown = ReadUnknown(file, bytes);
        IsPlain = bytes && _merges.All().All(m => IsWhole(m.Left) && IsWhole(m.Right) && IsWhole(m.Merged));
    }

    /// <summary>Whether every token but byte tokens stands for its own characters, so that <see cref="CanCut"/> holds and words may be remembered.</summary>
    public bool IsPlain { get; }

    public static BpeModel Read(TokenizerJson file, BpePipeline pipeline)
    {
        TokenizerPart model = file.Model;
        model.RefuseOtherKeys("type", "vocab", "merges", "dropout", "unk_token", "continuing_subword_prefix", "end_of_word_suffix", "fuse_unk", "byte_fallback", "ignore_merges");
        foreach (string key in (ReadOnlySpan<string>)["dropout", "continuing_subword_prefix", "end_of_word_suffix"])
        {
            if (model.Has(key) && !(model[key].ValueKind == System.Text.Json.JsonValueKind.String && model.Text(key).Length == 0))
            {
                throw model.Fault($"'{key}' must be null");
            }
        }

        if (model.Flag("ignore_merges", false))
        {
            throw model.Fault("'ignore_merges' must be false");
        }

        return file.Vocabulary is null ? throw model.Fault("'vocab' is missing") : new BpeModel(file, pipeline);
    }

    /// <summary>Whether nothing can merge across the place between two neighbouring units of a text.</summary>
    /// <remarks>Exact: what merges becomes a piece, and no piece has these two side by side. Never inside a surrogate pair.</remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool CanCut(ReadOnlySpan<char> text, int at)
    {
        char left = text[at - 1];
        char right = text[at];
        if (char.IsSurrogate(left) || char.IsSurrogate(right))
        {
            return CanCutBesideSurrogate(text, at);
        }

        uint bit = Neighbours(left == _space ? _wordStart : left, right == _space ? _wordStart : right);
        return (_neighbours[bit >> 6] >> (int)(bit & 63) & 1) == 0;
    }

    /// <summary>UTF-16 units that an id stands for; byte tokens of one character come together.</summary>
    /// <param name="id">The id; of a byte token the first of its character.</param>
    /// <param name="tokens">How many tokens share these units.</param>
    public int Width(int id, out int tokens)
    {
        int width = _widths[id];
        if (width < ByteMark)
        {
            tokens = 1;
            return width;
        }

        tokens = (width & 0xFF) switch { >= 0xF0 => 4, >= 0xE0 => 3, >= 0xC0 => 2, _ => 1 };
        return tokens == 4 ? 2 : 1;
    }

    private bool CanCutBesideSurrogate(ReadOnlySpan<char> text, int at)
    {
        char left = text[at - 1];
        char right = text[at];
        bool leftIsWhole = !char.IsSurrogate(left) || (char.IsLowSurrogate(left) && at > 1 && char.IsHighSurrogate(text[at - 2]));
        bool rightIsWhole = !char.IsSurrogate(right) || (char.IsHighSurrogate(right) && at + 1 < text.Length && char.IsLowSurrogate(text[at + 1]));
        uint bit = Neighbours(left == _space ? _wordStart : left, right == _space ? _wordStart : right);
        return leftIsWhole && rightIsWhole && (_neighbours[bit >> 6] >> (int)(bit & 63) & 1) == 0;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static uint Neighbours(char left, char right) => (((uint)left << 16) | right) * 0x9E3779B1u >> (32 - CutBits);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void ReadPieces(Vocabulary vocabulary, bool byteFallback)
    {
        Array.Fill(_byteIds, -1);
        char[] units = new char[256];
        for (int id = 0; id < vocabulary.Count; id++)
        {
            ReadOnlySpan<byte> piece = vocabulary[id];
            if (piece.Length > units.Length)
            {
                units = new char[2 * piece.Length];
            }

            int length = Encoding.UTF8.GetChars(piece, units);
            _widths[id] = (ushort)Math.Min(length, ByteMark - 1);
            if (length == 1 || (length == 2 && char.IsSurrogate(units[0])))
            {
                _characters.Set(length == 1 ? units[0] : char.ConvertToUtf32(units[0], units[1]), id);
            }
            else if (byteFallback && length == 6 && TokenDecoder.TryReadByte(new string(units, 0, length), out byte value))
            {
                _byteIds[value] = id;
                _widths[id] = (ushort)(ByteMark | value);
            }

            for (int at = 1; at < length; at++)
            {
                uint bit = Neighbours(units[at - 1], units[at]);
                _neighbours[bit >> 6] |= 1UL << (int)(bit & 63);
            }
        }
    }

    private int ReadUnknown(TokenizerJson file, bool bytes)
    {
        for (int value = 0; bytes && value < 256; value++)
        {
            if (_byteIds[value] < 0 && (value >= 0x80 || _characters.Find(value) < 0))
            {
                throw file.Model.Fault($"'byte_fallback' is true, but the vocabulary has no token '<0x{value:X2}>'");
            }
        }

        if (!file.Model.Has("unk_token"))
        {
            return bytes ? -1 : throw file.Model.Fault("'unk_token' must be given where 'byte_fallback' is false");
        }

        string unknown = file.Model.Text("unk_token");
        return file.Vocabulary.TryFind(unknown, out int id) ? id : throw file.Model.Fault($"the unk_token '{unknown}' is not in the vocabulary");
    }

    private bool IsWhole(int id) => _widths[id] < ByteMark - 1;
}
