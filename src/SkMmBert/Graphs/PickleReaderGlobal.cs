namespace SkMmBert;

/// <summary>The few names a state dict may mention, and what they build.</summary>
internal static class PickleGlobal
{
    private enum Builder
    {
        OrderedDictionary,
        Tensor,
        Parameter,
    }

    /// <summary>What a name stands for; a name that is not on the list is refused, whatever it is.</summary>
    public static object Find(string path, string module, string name) => (module, name) switch
    {
        ("collections", "OrderedDict") => Builder.OrderedDictionary,
        ("torch._utils", "_rebuild_tensor_v2") => Builder.Tensor,
        ("torch._utils", "_rebuild_parameter") => Builder.Parameter,
        ("torch", "FloatStorage") => PickleStorageType.Float,
        ("torch", "HalfStorage") => PickleStorageType.Half,
        ("torch", "BFloat16Storage") => PickleStorageType.BFloat16,
        ("torch", "DoubleStorage") => PickleStorageType.Double,
        _ => throw Refused(path, $"mentions {Show(module)}.{Show(name)}"),
    };

    /// <summary>A persistent id: ('storage', type, key, location, elements).</summary>
    public static PickleStorage Storage(string path, object? id) => id is object?[] { Length: 5 } parts && parts[0] is "storage" && parts[1] is PickleStorageType type &&
        parts[2] is string key && parts[3] is string && parts[4] is long elements && elements >= 0 && key.Length is > 0 and <= 32 && key.All(char.IsAsciiDigit)
        ? new PickleStorage(type, key, elements)
        : throw Refused(path, "has a persistent id that is no float storage");

    /// <summary>Builds what a REDUCE asks for.</summary>
    public static object Reduce(string path, object? callable, object? arguments)
    {
        switch (callable, arguments as object?[])
        {
            case (Builder.OrderedDictionary, { Length: 0 }):
                return new PickleDictionary(true);
            case (Builder.Parameter, { Length: 3 } parts) when parts[0] is PickleTensor tensor:
                return tensor;
            case (Builder.Tensor, { Length: 6 or 7 } parts) when parts[0] is PickleStorage storage && parts[1] is long offset && Longs(parts[2]) is long[] shape && Longs(parts[3]) is long[] strides && shape.Length == strides.Length && shape.Length <= 16:
                return new PickleTensor(storage, offset, shape, strides);
            default:
                throw Refused(path, $"asks to call {(callable is Builder builder ? $"the builder of {builder} with other arguments than torch.save writes" : "something that is no builder of tensors")}");
        }
    }

    private static long[]? Longs(object? value) => value is object?[] parts && Array.TrueForAll(parts, part => part is long) ? Array.ConvertAll(parts, part => (long)part!) : null;

    private static string Show(string name) => new([.. name.Take(64).Select(c => char.IsControl(c) ? '?' : c)]);

    private static InvalidDataException Refused(string path, string found) => new($"'{path}' {found}. Expected: tensors in dictionaries and nothing else; nothing was run, do not use this file.");
}

/// <summary>Number types of torch storages that can be weights.</summary>
internal enum PickleStorageType
{
    Float,
    Half,
    BFloat16,
    Double,
}

/// <summary>A named block of numbers beside the pickle.</summary>
internal sealed record PickleStorage(PickleStorageType Type, string Key, long Elements);

/// <summary>A strided view of a storage, not yet checked against it.</summary>
internal sealed record PickleTensor(PickleStorage Storage, long Offset, long[] Shape, long[] Strides);
