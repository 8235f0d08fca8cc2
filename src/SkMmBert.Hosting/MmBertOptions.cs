namespace SkMmBert;

/// <summary>Which models a host runs, and how: what <c>AddMmBert</c> configures.</summary>
/// <remarks>
/// <para>Read from code, from a configuration section with the same names, or both: what is configured later wins. Checked when the host starts,
/// else when the first service is resolved; what cannot be right is one line that names the value.</para>
/// <para>Not thread-safe while it is being configured; unchanged afterwards.</para>
/// </remarks>
/// <example><code>
/// builder.Services.AddMmBert(o => (o.EmbeddingModel, o.Precision) = ("mmbert-embed", ModelPrecision.Int8));
/// // or, in appsettings.json: "SkMmBert": { "EmbeddingModel": "mmbert-embed", "Precision": "int8" }
/// builder.Services.AddMmBert(builder.Configuration.GetSection("SkMmBert"));
/// </code></example>
public sealed class MmBertOptions
{
    /// <summary>The model that makes vectors: the path of a model folder, <c>mini</c>, or the name of a folder in <see cref="ModelsFolder"/>.</summary>
    /// <value>The default is <c>mini</c>. A relative path starts at the host's content root, without a host at the working directory.</value>
    public string EmbeddingModel { get; set; } = "mini";

    /// <summary>The model that scores pairs, named as <see cref="EmbeddingModel"/> is. Opened only where a reranker is added.</summary>
    /// <value>The default is <c>mini</c>, which shows the interface; <c>mmbert-rerank</c> improves results.</value>
    public string RerankModel { get; set; } = "mini";

    /// <summary>The folder in which models are looked up by name.</summary>
    /// <value>The default is <see langword="null"/>: <c>models</c> in the content root (without a host: in the working directory), then beside the program.</value>
    public string? ModelsFolder { get; set; }

    /// <summary>Arithmetic of the linear layers of both models.</summary>
    /// <value>The default is <see cref="ModelPrecision.Fp32"/>.</value>
    public ModelPrecision Precision { get; set; } = ModelPrecision.Fp32;

    /// <summary>What the layers of both models run on.</summary>
    /// <value>The default is <see cref="ModelDevice.Cpu"/>.</value>
    public ModelDevice Device { get; set; }

    /// <summary>The layer where texts leave the embedding model.</summary>
    /// <value>The default is <see langword="null"/>: the last exit.</value>
    public int? Exit { get; set; }

    /// <summary>Leading dimensions of the vectors that are kept.</summary>
    /// <value>The default is <see langword="null"/>: all dimensions of the model.</value>
    public int? Dimensions { get; set; }

    /// <summary>How much work a reranking may cost.</summary>
    /// <value>The default is <see cref="RerankEffort.Full"/>. In a configuration: <c>full</c>, <c>exit:LAYER</c>, <c>progressive</c> or <c>deadline:MILLISECONDS</c>.</value>
    public RerankEffort RerankEffort { get; set; } = RerankEffort.Full;

    /// <summary>Processor threads one run may use.</summary>
    /// <value>The default is <see langword="null"/>: one thread a run for short texts in parallel streams, more only for a long one.</value>
    public int? Threads { get; set; }

    /// <summary>Where the graphs written from model folders are kept.</summary>
    /// <value>The default is <see langword="null"/>: <c>skmmbert/graphs</c> in the user's local application data folder.</value>
    public string? CacheFolder { get; set; }

    /// <summary>When the models are opened.</summary>
    /// <value>The default is <see cref="ModelWarmUp.None"/>: with the first service that needs them.</value>
    public ModelWarmUp WarmUp { get; set; }
}

/// <summary>When a host opens its models.</summary>
public enum ModelWarmUp
{
    /// <summary>With the first service that needs them.</summary>
    None,

    /// <summary>While the host starts to take work; the health check says when they are open. A failure is logged and tried again at the next use.</summary>
    Background,

    /// <summary>Before the host says that it has started. A failure ends the start.</summary>
    BeforeStart,
}
