using System.Globalization;

namespace SkMmBert;

/// <summary>What a model's layers run on.</summary>
/// <remarks>The native runtime is the application's choice: <see cref="Cuda"/> needs the package Microsoft.ML.OnnxRuntime.Gpu in place of Microsoft.ML.OnnxRuntime.</remarks>
/// <example><code>
/// using MmBertModel model = MmBertModel.Open("models/mini-embed", new() { Device = ModelDevice.Auto });
/// Console.WriteLine(model.Device);   // cpu
/// </code></example>
public readonly record struct ModelDevice
{
    private const int AutoIndex = -1;

    // 0 the processor, n + 1 the graphics card n: the default value is the processor.
    private readonly int _place;

    private ModelDevice(int place) => _place = place;

    /// <summary>The processor.</summary>
    public static ModelDevice Cpu => default;

    /// <summary>The first graphics card if its runtime is there and starts, else the processor; <see cref="MmBertModel.Device"/> says which.</summary>
    public static ModelDevice Auto => new(AutoIndex);

    /// <summary>The number of the graphics card; <see langword="null"/> for the processor and for <see cref="Auto"/>.</summary>
    public int? CudaIndex => _place > 0 ? _place - 1 : null;

    /// <summary>A graphics card; where it cannot be used, opening a model is an error that says why.</summary>
    /// <param name="index">Its number, from 0.</param>
    public static ModelDevice Cuda(int index = 0)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        return new ModelDevice(index + 1);
    }

    /// <summary>Reads <c>cpu</c>, <c>auto</c>, <c>cuda</c> or <c>cuda:N</c>.</summary>
    /// <param name="text">The text.</param>
    /// <exception cref="FormatException">It is none of them.</exception>
    public static ModelDevice Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        string name = text.Trim().ToLowerInvariant();
        return name switch
        {
            "cpu" => Cpu,
            "auto" => Auto,
            "cuda" => Cuda(),
            _ when name.StartsWith("cuda:", StringComparison.Ordinal) && int.TryParse(name.AsSpan(5), NumberStyles.None, CultureInfo.InvariantCulture, out int index) && index < 1_024 => Cuda(index),
            _ => throw new FormatException($"The device is '{text}'. Expected: cpu, auto, cuda or cuda:N."),
        };
    }

    /// <summary><c>cpu</c>, <c>auto</c> or <c>cuda:N</c>.</summary>
    public override string ToString() => _place == AutoIndex ? "auto" : CudaIndex is int index ? $"cuda:{index}" : "cpu";
}
