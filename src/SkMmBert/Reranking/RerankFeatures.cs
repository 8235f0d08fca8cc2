namespace SkMmBert;

/// <summary>What a probe reads of a hidden state: the text pooled as the model's heads read it, then pooled the other way (mean beside first token).</summary>
internal static class RerankFeatures
{
    /// <summary>Numbers a text.</summary>
    public static int Width(MmBertModel model) => model.Manifest.HiddenSize * (model.Manifest.IsPublishedOnnx ? 1 : 2);

    /// <summary>The features of each row of a state, [rows, width]; a published graph may have pooled already, so there is only the one way.</summary>
    public static float[] Of(MmBertModel model, LayerState state, bool finalNorm)
    {
        int hidden = model.Manifest.HiddenSize, width = Width(model), rows = state.Lengths.Length;
        float[] features = new float[rows * width], pooled = new float[rows * hidden];
        foreach (int part in Enumerable.Range(0, width / hidden))
        {
            ModelPooling own = model.Manifest.Pooling, pooling = part == 0 ? own : own == ModelPooling.Cls ? ModelPooling.Mean : ModelPooling.Cls;
            model.Pool(state, finalNorm, pooling, pooled);
            for (int row = 0; row < rows; row++)
            {
                pooled.AsSpan(row * hidden, hidden).CopyTo(features.AsSpan((row * width) + (part * hidden)));
            }
        }

        return features;
    }
}
