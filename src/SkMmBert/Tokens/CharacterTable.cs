using System.Runtime.CompilerServices;

namespace SkMmBert;

/// <summary>Unicode code point to the id of the piece that is this one character; -1 where there is none.</summary>
internal sealed class CharacterTable
{
    private const int PageSize = 256;

    private readonly ushort[] _pages = new ushort[0x110000 / PageSize]; // page 0 holds -1 only
    private int[] _ids = new int[16 * PageSize];
    private int _used = 1;

    public CharacterTable() => Array.Fill(_ids, -1);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int Find(int codePoint) => _ids[(_pages[codePoint >> 8] * PageSize) + (codePoint & 0xFF)];

    public void Set(int codePoint, int id)
    {
        ref ushort page = ref _pages[codePoint >> 8];
        if (page == 0)
        {
            page = (ushort)_used++;
            if (_used * PageSize > _ids.Length)
            {
                int length = _ids.Length;
                Array.Resize(ref _ids, 2 * length);
                Array.Fill(_ids, -1, length, length);
            }
        }

        _ids[(page * PageSize) + (codePoint & 0xFF)] = id;
    }
}
