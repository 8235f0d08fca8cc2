using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;

namespace SkMmBert.Cli;

/// <summary>Writes rows of floats as a NumPy array, [rows, dimensions]; the number of rows is filled in at the end.</summary>
internal sealed class NpyWriter(Stream to, int? dimensions) : IDisposable
{
    private const int HeaderLength = 128;
    private readonly Stream _rows = to.CanSeek ? to : new FileStream(Path.GetTempFileName(), FileMode.Open, FileAccess.ReadWrite, FileShare.None, 1 << 16, FileOptions.DeleteOnClose);
    private int? _dimensions = dimensions;
    private int _count;

    public void Write(ReadOnlySpan<float> vector)
    {
        if (_count++ == 0)
        {
            _dimensions = vector.Length;
            _rows.Write(new byte[HeaderLength]);
        }

        if (!BitConverter.IsLittleEndian)
        {
            throw new PlatformNotSupportedException("npy output needs a little-endian processor. Use --format jsonl.");
        }

        _rows.Write(MemoryMarshal.AsBytes(vector));
    }

    public void Complete()
    {
        byte[] header = new byte[HeaderLength];
        header.AsSpan().Fill((byte)' ');
        header[0] = 0x93;
        "NUMPY"u8.CopyTo(header.AsSpan(1));
        (header[6], header[7]) = (1, 0);
        BinaryPrimitives.WriteUInt16LittleEndian(header.AsSpan(8), HeaderLength - 10);
        Encoding.ASCII.GetBytes($"{{'descr': '<f4', 'fortran_order': False, 'shape': ({_count}, {_dimensions ?? 0}), }}").CopyTo(header, 10);
        header[^1] = (byte)'\n';
        _rows.Position = 0;
        _rows.Write(header);
        _rows.Position = _rows.Length;
        if (_rows != to)
        {
            _rows.Position = 0;
            _rows.CopyTo(to);
        }
    }

    public void Dispose()
    {
        if (_rows != to)
        {
            _rows.Dispose();
        }
    }
}
