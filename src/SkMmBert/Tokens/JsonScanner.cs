using System.Text;

namespace SkMmBert;

/// <summary>Walks JSON bytes without building anything, for arrays of a million entries.</summary>
/// <remarks>The bytes must be valid UTF-8. Every fault is one line that names the file and the position.</remarks>
internal ref struct JsonScanner(ReadOnlySpan<byte> json, string path)
{
    private const int DeepestNesting = 64;

    private readonly ReadOnlySpan<byte> _json = json;
    private byte[] _unescaped = [];

    public int Position { get; set; }

    public readonly InvalidDataException Fault(string fault) =>
        new($"'{path}' is not a tokenizer.json that SkMmBert can read: {fault}, at byte {Position}.");

    /// <summary>The next byte that is not white space; 0 at the end.</summary>
    public byte Peek()
    {
        int at = Position;
        while (at < _json.Length)
        {
            byte next = _json[at];
            if (next is not ((byte)' ' or (byte)'\n' or (byte)'\r' or (byte)'\t'))
            {
                Position = at;
                return next;
            }

            at++;
        }

        Position = at;
        return 0;
    }

    public bool TryTake(byte expected)
    {
        if (Peek() != expected || Position == _json.Length)
        {
            return false;
        }

        Position++;
        return true;
    }

    public void Take(byte expected)
    {
        if (!TryTake(expected))
        {
            throw Fault(Position == _json.Length
                ? $"the file ends where '{(char)expected}' is expected"
                : $"found '{Encoding.UTF8.GetString(_json.Slice(Position, 1))}' where '{(char)expected}' is expected");
        }
    }

    /// <summary>After an element: true if a comma follows, false if the closing bracket does.</summary>
    public bool Next(byte closing)
    {
        if (TryTake((byte)','))
        {
            return true;
        }

        Take(closing);
        return false;
    }

    /// <summary>Reads a string; the span is valid until the next string is read.</summary>
    public ReadOnlySpan<byte> ReadString()
    {
        Take((byte)'"');
        int start = Position;
        for (int at = start; at < _json.Length; at++)
        {
            byte next = _json[at];
            if (next == (byte)'"')
            {
                Position = at + 1;
                return _json[start..at];
            }

            if (next == (byte)'\\')
            {
                return ReadEscaped(start, at);
            }

            if (next < 0x20)
            {
                Position = at;
                throw Fault("a control character stands inside a string");
            }
        }

        Position = _json.Length;
        throw Fault("a string is not closed");
    }

    public int ReadInt()
    {
        Peek();
        int start = Position;
        long value = 0;
        while (Position < _json.Length && _json[Position] is >= (byte)'0' and <= (byte)'9' && value <= int.MaxValue)
        {
            value = (value * 10) + _json[Position++] - '0';
        }

        if (Position == start || value > int.MaxValue || (Position < _json.Length && _json[Position] is (byte)'.' or (byte)'e' or (byte)'E'))
        {
            Position = start;
            throw Fault($"a whole number from 0 to {int.MaxValue} is expected");
        }

        return (int)value;
    }

    /// <summary>Steps over one value and returns its bytes.</summary>
    public ReadOnlySpan<byte> SkipValue()
    {
        Peek();
        int start = Position;
        Skip(0);
        return _json[start..Position];
    }

    private void Skip(int depth)
    {
        if (depth > DeepestNesting)
        {
            throw Fault($"values are nested more than {DeepestNesting} deep");
        }

        switch (Peek())
        {
            case (byte)'"':
                ReadString();
                break;
            case (byte)'{':
                Position++;
                if (!TryTake((byte)'}'))
                {
                    do
                    {
                        ReadString();
                        Take((byte)':');
                        Skip(depth + 1);
                    }
                    while (Next((byte)'}'));
                }

                break;
            case (byte)'[':
                Position++;
                if (!TryTake((byte)']'))
                {
                    do
                    {
                        Skip(depth + 1);
                    }
                    while (Next((byte)']'));
                }

                break;
            default:
                SkipLiteral();
                break;
        }
    }

    private void SkipLiteral()
    {
        int start = Position;
        while (Position < _json.Length && _json[Position] is not ((byte)',' or (byte)'}' or (byte)']' or (byte)':' or (byte)'"' or <= 0x20))
        {
            Position++;
        }

        if (Position == start)
        {
            throw Fault(Position == _json.Length ? "the file ends where a value is expected" : "a value is expected");
        }
    }

    private ReadOnlySpan<byte> ReadEscaped(int start, int escape)
    {
        int end = escape;
        while (end < _json.Length && _json[end] != (byte)'"')
        {
            end += _json[end] == (byte)'\\' ? 2 : 1;
        }

        if (end >= _json.Length)
        {
            Position = _json.Length;
            throw Fault("a string is not closed");
        }

        if (_unescaped.Length < end - start)
        {
            _unescaped = new byte[Math.Max(256, 2 * (end - start))];
        }

        int written = escape - start;
        _json[start..escape].CopyTo(_unescaped);
        for (Position = escape; Position < end;)
        {
            byte next = _json[Position++];
            if (next == (byte)'\\')
            {
                written += ReadEscape(_unescaped.AsSpan(written));
            }
            else if (next < 0x20)
            {
                throw Fault("a control character stands inside a string");
            }
            else
            {
                _unescaped[written++] = next;
            }
        }

        Position = end + 1;
        return _unescaped.AsSpan(0, written);
    }

    private int ReadEscape(Span<byte> destination)
    {
        byte kind = _json[Position++];
        if (kind != (byte)'u')
        {
            destination[0] = kind switch
            {
                (byte)'n' => (byte)'\n',
                (byte)'t' => (byte)'\t',
                (byte)'r' => (byte)'\r',
                (byte)'b' => (byte)'\b',
                (byte)'f' => (byte)'\f',
                (byte)'"' or (byte)'\\' or (byte)'/' => kind,
                _ => throw Fault($"'\\{(char)kind}' is not an escape"),
            };
            return 1;
        }

        char unit = ReadHex();
        if (!char.IsSurrogate(unit))
        {
            return new Rune(unit).EncodeToUtf8(destination);
        }

        if (Position + 1 < _json.Length && _json[Position] == (byte)'\\' && _json[Position + 1] == (byte)'u')
        {
            Position += 2;
            if (Rune.TryCreate(unit, ReadHex(), out Rune pair))
            {
                return pair.EncodeToUtf8(destination);
            }
        }

        throw Fault("a surrogate is escaped without its partner");
    }

    private char ReadHex()
    {
        if (Position + 4 > _json.Length)
        {
            throw Fault("four hexadecimal digits are expected");
        }

        int value = 0;
        for (int digit = 0; digit < 4; digit++)
        {
            byte next = _json[Position++];
            value = (value << 4) | (char.IsAsciiHexDigit((char)next) ? Convert.ToInt32(((char)next).ToString(), 16) : throw Fault("four hexadecimal digits are expected"));
        }

        return (char)value;
    }
}
