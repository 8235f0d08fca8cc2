namespace SkMmBert;

/// <summary>What is downloaded of a model.</summary>
public sealed record PullOptions
{
    /// <summary>Which weights to take; never both.</summary>
    /// <value>The default is <see cref="WeightFormat.Safetensors"/>.</value>
    public WeightFormat Weights { get; init; } = WeightFormat.Safetensors;
}

/// <summary>In which form a model's weights are stored.</summary>
public enum WeightFormat
{
    /// <summary>One or more safetensors files: every layer, from which graphs are written on first use.</summary>
    Safetensors,

    /// <summary>The ONNX files the publisher made, one for each published exit, with their external data.</summary>
    Onnx,
}
