using System.Runtime.CompilerServices;

namespace SkMmBert;

/// <summary>Fast look-up of the character tables of BERT's pipeline.</summary>
internal sealed class BertCharacters
{
    public const int Removed = 1;
    public const int Punctuation = 2;
    public const int Mark = 4;

    private const int HasLower = 8;
    private const int HasStripped = 16;
    private const int ClassShift = 8; // combining class in bits 8-15

    private readonly CharacterTable _flags = new();
    private readonly Dictionary<int, int> _lower = [];
    private readonly int[] _strippedTable = BertTables.Stripped.ToArray();
    private readonly Dictionary<int, int> _stripped = []; // where its length stands in the table

    public BertCharacters()
    {
        AddRanges(BertTables.Removed, Removed);
        AddRanges(BertTables.Punctuation, Punctuation);
        AddRanges(BertTables.Marks, Mark);
        ReadOnlySpan<int> classes = BertTables.CombiningClasses;
        for (int at = 0; at < classes.Length; at += 3)
        {
            for (int character = classes[at]; character <= classes[at + 1]; character++)
            {
                Add(character, classes[at + 2] << ClassShift);
            }
        }

        ReadOnlySpan<int> lower = BertTables.LowerCase;
        for (int at = 0; at < lower.Length; at += 4)
        {
            for (int character = lower[at]; character <= lower[at + 1]; character += lower[at + 2])
            {
                _lower[character] = character + lower[at + 3];
                Add(character, HasLower);
            }
        }

        int[] stripped = _strippedTable;
        for (int at = 0; at < stripped.Length; at += 2 + stripped[at + 1])
        {
            _stripped[stripped[at]] = at + 1;
            Add(stripped[at], HasStripped);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool Is(int character, int flag) => (Flags(character) & flag) != 0 || (flag == Removed && IsPrivateUse(character));

    public int CombiningClass(int character) => Flags(character) >> ClassShift;

    public int ToLower(int character) => (Flags(character) & HasLower) != 0 ? _lower[character] : character;

    /// <summary>What remains of a character that decomposes.</summary>
    public bool TryGetStripped(int character, out ReadOnlySpan<int> parts)
    {
        if ((Flags(character) & HasStripped) == 0)
        {
            parts = [];
            return false;
        }

        int at = _stripped[character];
        parts = _strippedTable.AsSpan(at + 1, _strippedTable[at]);
        return true;
    }

    /// <summary>The blocks that BERT's own code takes for Chinese, a slip of the pen (0x2B920) included.</summary>
    public static bool IsChinese(int character) => character is
        (>= 0x4E00 and <= 0x9FFF) or (>= 0x3400 and <= 0x4DBF) or (>= 0x20000 and <= 0x2A6DF) or (>= 0x2A700 and <= 0x2B81F)
        or (>= 0x2B920 and <= 0x2CEAF) or (>= 0xF900 and <= 0xFAFF) or (>= 0x2F800 and <= 0x2FA1F);

    private static bool IsPrivateUse(int character) => character is (>= 0xE000 and <= 0xF8FF) or (>= 0xF0000 and <= 0xFFFFD) or (>= 0x100000 and <= 0x10FFFD);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private int Flags(int character) => Math.Max(0, _flags.Find(character));

    private void Add(int character, int flag) => _flags.Set(character, Flags(character) | flag);

    private void AddRanges(ReadOnlySpan<int> ranges, int flag)
    {
        for (int at = 0; at < ranges.Length; at += 2)
        {
            for (int character = ranges[at]; character <= ranges[at + 1] && !IsPrivateUse(character); character++)
            {
                Add(character, flag);
            }
        }
    }
}
