namespace SkMmBert;

/// <summary>How attention is written into the graphs.</summary>
internal enum AttentionForm
{
    /// <summary>With the runtime's own operators (<see cref="AttentionGraph"/>): any processor, any device.</summary>
    Standard,

    /// <summary>As one operator of our own: processors with 512-bit instructions.</summary>
    Own,
}
