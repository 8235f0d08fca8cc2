namespace SkMmBert;

/// <summary>Where and how one tensor is stored.</summary>
/// <param name="Name">Its name in the file.</param>
/// <param name="Type">Number type.</param>
/// <param name="Shape">Sizes, outermost first; empty for a single number.</param>
/// <param name="Offset">First byte within the data part of the file.</param>
/// <param name="Bytes">Number of bytes.</param>
internal sealed record SafetensorsTensor(string Name, SafetensorsType Type, IReadOnlyList<long> Shape, long Offset, long Bytes)
{
    public long Elements => Bytes * 8 / Bits(Type);

    public static SafetensorsType? Parse(string text) => text switch
    {
        "F32" => SafetensorsType.F32,
        "F16" => SafetensorsType.F16,
        "BF16" => SafetensorsType.BF16,
        "F64" => SafetensorsType.F64,
        "I64" => SafetensorsType.I64,
        "U64" => SafetensorsType.U64,
        "C64" => SafetensorsType.C64,
        "I32" => SafetensorsType.I32,
        "U32" => SafetensorsType.U32,
        "I16" => SafetensorsType.I16,
        "U16" => SafetensorsType.U16,
        "I8" => SafetensorsType.I8,
        "U8" => SafetensorsType.U8,
        "BOOL" => SafetensorsType.Bool,
        "F8_E4M3" or "F8_E5M2" or "F8_E8M0" => SafetensorsType.F8,
        "F6_E2M3" or "F6_E3M2" => SafetensorsType.F6,
        "F4" => SafetensorsType.F4,
        _ => null,
    };

    public static int Bits(SafetensorsType type) => type switch
    {
        SafetensorsType.F64 or SafetensorsType.I64 or SafetensorsType.U64 or SafetensorsType.C64 => 64,
        SafetensorsType.F32 or SafetensorsType.I32 or SafetensorsType.U32 => 32,
        SafetensorsType.F16 or SafetensorsType.BF16 or SafetensorsType.I16 or SafetensorsType.U16 => 16,
        SafetensorsType.F6 => 6,
        SafetensorsType.F4 => 4,
        _ => 8,
    };
}

/// <summary>Number types of the format; only the first three can be weights.</summary>
internal enum SafetensorsType
{
    F32,
    F16,
    BF16,
    F64,
    I64,
    U64,
    C64,
    I32,
    U32,
    I16,
    U16,
    I8,
    U8,
    Bool,
    F8,
    F6,
    F4,
}
