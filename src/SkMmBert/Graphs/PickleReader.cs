using System.Buffers.Binary;
using System.Text;

namespace SkMmBert;

/// <summary>Reads a pickle that can only build numbers, texts, tuples, lists, dictionaries and tensors; every other thing a pickle may ask for is refused and never done.</summary>
internal sealed class PickleReader(string path, byte[] data)
{
    private const int MaxItems = 1 << 20;

    private static readonly object Mark = new();

    private readonly List<object?> _stack = [];
    private readonly Dictionary<long, object?> _memo = [];
    private int _at;

    public object? Read()
    {
        while (true)
        {
            byte code = Take(1)[0];
            switch (code)
            {
                case 0x80: // PROTO
                    if (Take(1)[0] is < 2 or > 5)
                    {
                        throw Broken($"is a pickle of protocol {data[_at - 1]}", "protocol 2 to 5");
                    }

                    break;
                case 0x95: // FRAME, only a hint for buffering
                    Take(8);
                    break;
                case (byte)'.':
                    object? result = Pop();
                    return _stack.Count == 0 ? result : throw Broken("ends its pickle with values left over", "one value");
                case (byte)'(':
                    Push(Mark);
                    break;
                case (byte)'N':
                    Push(null);
                    break;
                case 0x88:
                    Push(true);
                    break;
                case 0x89:
                    Push(false);
                    break;
                case (byte)'J':
                    Push((long)BinaryPrimitives.ReadInt32LittleEndian(Take(4)));
                    break;
                case (byte)'K':
                    Push((long)Take(1)[0]);
                    break;
                case (byte)'M':
                    Push((long)BinaryPrimitives.ReadUInt16LittleEndian(Take(2)));
                    break;
                case 0x8a: // LONG1
                    Push(ReadLong(Take(Take(1)[0])));
                    break;
                case (byte)'G':
                    Push(BinaryPrimitives.ReadDoubleBigEndian(Take(8)));
                    break;
                case (byte)'X':
                    Push(Text(Take(Length(4))));
                    break;
                case 0x8c: // SHORT_BINUNICODE
                    Push(Text(Take(Length(1))));
                    break;
                case (byte)'}':
                    Push(new PickleDictionary(false));
                    break;
                case (byte)']':
                    Push(new List<object?>());
                    break;
                case (byte)')':
                    Push(Array.Empty<object?>());
                    break;
                case 0x85 or 0x86 or 0x87: // TUPLE1 to TUPLE3
                    Push(PopMany(code - 0x84));
                    break;
                case (byte)'t':
                    Push(PopToMark());
                    break;
                case (byte)'a':
                    object? item = Pop();
                    Peek<List<object?>>("append").Add(item);
                    break;
                case (byte)'e':
                    object?[] items = PopToMark();
                    Peek<List<object?>>("append").AddRange(items);
                    break;
                case (byte)'s':
                    object?[] pair = PopMany(2);
                    SetItems(pair);
                    break;
                case (byte)'u':
                    SetItems(PopToMark());
                    break;
                case (byte)'q':
                    Remember(Take(1)[0]);
                    break;
                case (byte)'r':
                    Remember(BinaryPrimitives.ReadUInt32LittleEndian(Take(4)));
                    break;
                case 0x94: // MEMOIZE
                    Remember(_memo.Count);
                    break;
                case (byte)'h':
                    Push(Recall(Take(1)[0]));
                    break;
                case (byte)'j':
                    Push(Recall(BinaryPrimitives.ReadUInt32LittleEndian(Take(4))));
                    break;
                case (byte)'c':
                    Push(PickleGlobal.Find(path, Line(), Line()));
                    break;
                case 0x93: // STACK_GLOBAL
                    object?[] names = PopMany(2);
                    Push(PickleGlobal.Find(path, names[0] as string ?? "", names[1] as string ?? ""));
                    break;
                case (byte)'Q': // BINPERSID
                    Push(PickleGlobal.Storage(path, Pop()));
                    break;
                case (byte)'R':
                    object? arguments = Pop();
                    Push(PickleGlobal.Reduce(path, Pop(), arguments));
                    break;
                case (byte)'b': // BUILD, which an OrderedDict uses for its _metadata
                    object? state = Pop();
                    if (state is not PickleDictionary || _stack.Count == 0 || _stack[^1] is not PickleDictionary { Ordered: true })
                    {
                        throw Refused("asks to set the state of an object");
                    }

                    break;
                default:
                    throw Refused($"uses the pickle instruction 0x{code:x2}");
            }
        }
    }

    private void SetItems(object?[] items)
    {
        PickleDictionary dictionary = Peek<PickleDictionary>("set a key of");
        for (int i = 0; i < items.Length; i += 2)
        {
            if (i + 1 == items.Length || items[i] is not (string or long) || !dictionary.Items.TryAdd(items[i]!, items[i + 1]))
            {
                throw Broken($"has a dictionary with a key that is no text or number, or is there twice ({items[i]})", "each name once");
            }
        }
    }

    private void Remember(long slot)
    {
        if (_stack.Count == 0 || _stack[^1] == Mark || _memo.Count >= MaxItems)
        {
            throw Broken("remembers nothing, or too many values, in its pickle", $"at most {MaxItems:N0} values");
        }

        _memo[slot] = _stack[^1];
    }

    private object? Recall(long slot) => _memo.TryGetValue(slot, out object? value) ? value : throw Broken($"recalls value {slot} that its pickle never remembered", "values remembered before");

    private void Push(object? value)
    {
        if (_stack.Count >= MaxItems)
        {
            throw Broken("has a pickle with too many values", $"at most {MaxItems:N0}");
        }

        _stack.Add(value);
    }

    private object? Pop() => PopMany(1)[0];

    private object?[] PopMany(int count)
    {
        if (_stack.Count < count || _stack[^count..].Contains(Mark))
        {
            throw Broken("has a pickle that takes values it never made", "a pickle of torch.save");
        }

        object?[] values = [.. _stack[^count..]];
        _stack.RemoveRange(_stack.Count - count, count);
        return values;
    }

    private object?[] PopToMark()
    {
        int mark = _stack.LastIndexOf(Mark);
        if (mark < 0)
        {
            throw Broken("has a pickle that ends a list it never began", "a pickle of torch.save");
        }

        object?[] values = [.. _stack[(mark + 1)..]];
        _stack.RemoveRange(mark, _stack.Count - mark);
        return values;
    }

    private T Peek<T>(string verb)
        where T : class => (_stack.Count == 0 ? null : _stack[^1]) as T ?? throw Refused($"asks to {verb} something else than a list or dictionary");

    private ReadOnlySpan<byte> Take(int count)
    {
        if (count < 0 || count > data.Length - _at)
        {
            throw Broken($"has a pickle that ends after {data.Length:N0} bytes in the middle of a value", "a complete one");
        }

        _at += count;
        return data.AsSpan(_at - count, count);
    }

    private int Length(int bytes)
    {
        uint length = bytes == 1 ? Take(1)[0] : BinaryPrimitives.ReadUInt32LittleEndian(Take(4));
        return length <= data.Length ? (int)length : data.Length + 1;
    }

    private string Line()
    {
        int end = data.AsSpan(_at).IndexOf((byte)'\n');
        string text = Text(Take(end < 0 ? data.Length + 1 : end));
        _at++;
        return text;
    }

    private string Text(ReadOnlySpan<byte> bytes) => System.Text.Unicode.Utf8.IsValid(bytes) ? Encoding.UTF8.GetString(bytes) : throw Broken("has a text that is not UTF-8", "UTF-8");

    // A two's complement integer of any length; those over 64 bits can only be a lie about a size.
    private long ReadLong(ReadOnlySpan<byte> bytes)
    {
        System.Numerics.BigInteger value = new(bytes);
        return value >= long.MinValue && value <= long.MaxValue ? (long)value : throw Broken($"has the number {value}", "numbers of at most 64 bits");
    }

    private InvalidDataException Broken(string found, string expected) => new($"'{path}' {found}. Expected: {expected}; the file is damaged or not to be trusted, download it again.");

    private InvalidDataException Refused(string found) => new($"'{path}' {found}. Expected: tensors in dictionaries and nothing else; nothing was run, do not use this file.");
}

/// <summary>A dictionary of a pickle, in file order.</summary>
internal sealed record PickleDictionary(bool Ordered)
{
    public OrderedDictionary<object, object?> Items { get; } = [];
}
