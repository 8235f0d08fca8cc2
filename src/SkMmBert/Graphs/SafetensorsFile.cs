using System.Buffers;
using System.Buffers.Binary;
using System.IO.MemoryMappedFiles;
using System.Numerics;
using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace SkMmBert;

/// <summary>A safetensors file mapped into memory: tensors are read where they lie. Thread-safe until disposed.</summary>
internal sealed unsafe class SafetensorsFile : IDisposable
{
    private const long MaxHeaderBytes = 100_000_000;

    private readonly MemoryMappedFile _mapping;
    private readonly MemoryMappedViewAccessor _view;
    private readonly long _dataBytes;
    private readonly SafeFileHandle _file;
    private byte* _start;
    private byte* _data;

    private SafetensorsFile(string path, FileStream stream)
    {
        Path = path;
        long length = stream.Length;
        if (length < 8)
        {
            throw Broken($"has {length} bytes", "at least 8 for the length of the header");
        }

        Span<byte> prefix = stackalloc byte[8];
        stream.ReadExactly(prefix);
        ulong header = BinaryPrimitives.ReadUInt64LittleEndian(prefix);
        if (header is < 2 or > MaxHeaderBytes || (long)header > length - 8)
        {
            throw Broken($"gives its header a length of {header:N0} bytes", $"2 to {Math.Min(MaxHeaderBytes, length - 8):N0}");
        }

        _mapping = MemoryMappedFile.CreateFromFile(stream, null, 0, MemoryMappedFileAccess.Read, HandleInheritability.None, leaveOpen: true);
        _view = _mapping.CreateViewAccessor(0, length, MemoryMappedFileAccess.Read);
        _view.SafeMemoryMappedViewHandle.AcquirePointer(ref _start);
        byte* first = _start + _view.PointerOffset;
        _data = first + 8 + (long)header;
        _dataBytes = length - 8 - (long)header;
        _file = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.Read, FileOptions.RandomAccess);
        try
        {
            Tensors = SafetensorsFileHeader.Read(path, new ReadOnlySpan<byte>(first + 8, (int)header), _dataBytes);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public string Path { get; }

    /// <summary>The tensors by name; offsets lie within the file and do not overlap.</summary>
    public IReadOnlyDictionary<string, SafetensorsTensor> Tensors { get; } = null!;

    /// <summary>Maps a file and checks its whole header; no tensor is read.</summary>
    public static SafetensorsFile Open(string path)
    {
        using FileStream stream = new(path, FileMode.Open, FileAccess.Read, FileShare.Read, 1);
        return new SafetensorsFile(path, stream);
    }

    /// <summary>A tensor by name; a missing one is an error that names it.</summary>
    public SafetensorsTensor Find(string name) => Tensors.TryGetValue(name, out SafetensorsTensor? tensor)
        ? tensor
        : throw new InvalidDataException($"'{Path}' has no tensor \"{name}\". Expected: all tensors the configuration asks for; config.json and weights do not belong together, download both again.");

    /// <summary>Where a tensor's bytes begin; valid until this file is disposed.</summary>
    public byte* Pointer(SafetensorsTensor tensor)
    {
        ObjectDisposedException.ThrowIf(_data is null, this);
        return tensor.Offset >= 0 && tensor.Bytes >= 0 && tensor.Offset <= _dataBytes - tensor.Bytes
            ? _data + tensor.Offset
            : throw new ArgumentException($"Tensor \"{tensor.Name}\" is not of '{Path}'.", nameof(tensor));
    }

    /// <summary>A tensor's bytes as they are in the file; valid until this file is disposed.</summary>
    public ReadOnlySpan<byte> Bytes(SafetensorsTensor tensor) => new(Pointer(tensor), checked((int)tensor.Bytes));

    /// <summary>Widens a whole tensor to single precision.</summary>
    public void ToFloat32(string name, Span<float> destination) => ToFloat32(Find(name), 0, destination);

    /// <summary>Widens as many values as fit the destination, from the given one on.</summary>
    public void ToFloat32(SafetensorsTensor tensor, long first, Span<float> destination)
    {
        if (first < 0 || first > tensor.Elements - destination.Length)
        {
            throw new ArgumentOutOfRangeException(nameof(destination), $"Tensor \"{tensor.Name}\" has {tensor.Elements:N0} values; {destination.Length:N0} from {first:N0} on were asked for.");
        }

        Widen(tensor, Pointer(tensor) + (first * BytesPerValue(tensor)), destination);
    }

    /// <summary>The same by reading the file instead of the mapping: for scattered rows of a large table, whose mapped pages would stay resident with all their neighbours.</summary>
    public void ReadFloat32(SafetensorsTensor tensor, long first, Span<float> destination)
    {
        int length = destination.Length * BytesPerValue(tensor);
        byte[] bytes = ArrayPool<byte>.Shared.Rent(length);
        try
        {
            long offset = _data - _start - _view.PointerOffset + tensor.Offset + (first * BytesPerValue(tensor));
            if (RandomAccess.Read(_file, bytes.AsSpan(0, length), offset) != length)
            {
                throw new InvalidDataException($"'{Path}' ends within tensor \"{tensor.Name}\". Expected: the file as it was opened; it was cut while in use.");
            }

            fixed (byte* source = bytes)
            {
                Widen(tensor, source, destination);
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(bytes);
        }
    }

    private static int BytesPerValue(SafetensorsTensor tensor) => tensor.Type == SafetensorsType.F32 ? 4 : 2;

    private void Widen(SafetensorsTensor tensor, byte* source, Span<float> destination)
    {
        switch (tensor.Type)
        {
            case SafetensorsType.F32:
                new ReadOnlySpan<byte>(source, checked(destination.Length * 4)).CopyTo(MemoryMarshal.AsBytes(destination));
                break;
            case SafetensorsType.F16:
                TensorPrimitives.ConvertToSingle(new ReadOnlySpan<Half>(source, destination.Length), destination);
                break;
            case SafetensorsType.BF16:
                WidenBFloat16(new ReadOnlySpan<ushort>(source, destination.Length), MemoryMarshal.Cast<float, uint>(destination));
                break;
            default:
                throw new InvalidDataException($"'{Path}' stores tensor \"{tensor.Name}\" as {tensor.Type}. Expected: F32, F16 or BF16; convert the checkpoint to one of them.");
        }
    }

    public void Dispose()
    {
        if (_start is not null)
        {
            _start = _data = null;
            _view.SafeMemoryMappedViewHandle.ReleasePointer();
            _view.Dispose();
            _mapping.Dispose();
            _file.Dispose();
        }
    }

    /// <summary>A bfloat16 is the upper half of a single.</summary>
    private static void WidenBFloat16(ReadOnlySpan<ushort> source, Span<uint> destination)
    {
        int i = 0;
        for (; i <= source.Length - Vector<ushort>.Count; i += Vector<ushort>.Count)
        {
            Vector.Widen(new Vector<ushort>(source[i..]), out Vector<uint> low, out Vector<uint> high);
            (low << 16).CopyTo(destination[i..]);
            (high << 16).CopyTo(destination[(i + Vector<uint>.Count)..]);
        }

        for (; i < source.Length; i++)
        {
            destination[i] = (uint)source[i] << 16;
        }
    }

    private InvalidDataException Broken(string found, string expected) => new($"'{Path}' {found}. Expected: {expected}; the file is damaged or no safetensors file, download it again.");
}
