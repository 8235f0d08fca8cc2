using System.Text;

namespace SkMmBert.Cli;

/// <summary>Reads lines that end in LF or CR LF, and nothing else: a lone CR stays in its line.</summary>
internal sealed class TextLines(Stream stream) : IDisposable
{
    private readonly StreamReader _reader = new(stream, Encoding.UTF8, detectEncodingFromByteOrderMarks: true, bufferSize: 1 << 16);
    private readonly char[] _buffer = new char[1 << 16];
    private int _at, _end;

    /// <summary>The number of the line read last, from 1.</summary>
    public int Number { get; private set; }

    /// <summary>Which part of the stream is read, from 0 to 1; null where its length is not known.</summary>
    public double? Part => stream.CanSeek && stream.Length > 0 ? (double)stream.Position / stream.Length : null;

    /// <summary>The next line without its end; null after the last.</summary>
    public string? Next()
    {
        StringBuilder? begun = null;
        while (true)
        {
            if (_at == _end)
            {
                (_at, _end) = (0, _reader.Read(_buffer));
                if (_end == 0)
                {
                    return begun is null ? null : Line(begun.ToString());
                }
            }

            int length = _buffer.AsSpan(_at, _end - _at).IndexOf('\n');
            if (length >= 0)
            {
                ReadOnlySpan<char> rest = _buffer.AsSpan(_at, length);
                _at += length + 1;
                string line = begun is null ? new(rest) : begun.Append(rest).ToString();
                return Line(line.EndsWith('\r') ? line[..^1] : line);
            }

            (begun ??= new()).Append(_buffer, _at, _end - _at);
            _at = _end;
        }
    }

    public void Dispose() => _reader.Dispose();

    private string Line(string line)
    {
        Number++;
        return line;
    }
}
