using System.Numerics.Tensors;

namespace SkMmBert;

/// <summary>Hidden state 0: the token table's rows (plus position and type rows in BERT) after their layer norm.</summary>
/// <remarks>The table is read from the weights file row by row in its own precision, so the largest tensor of the model is neither copied nor made resident.</remarks>
internal sealed class TokenEmbedding
{
    private readonly EncoderConfig _config;
    private readonly SafetensorsFolder _weights;
    private readonly string _table;
    private readonly float[] _normWeight;
    private readonly float[]? _normBias;
    private readonly float[]? _positions; // [positions, hidden], the type row added

    public TokenEmbedding(EncoderConfig config, SafetensorsFolder weights)
    {
        _config = config;
        _weights = weights;
        bool bert = config.Architecture == EncoderConfig.Bert;
        _table = bert ? "embeddings.word_embeddings.weight" : "embeddings.tok_embeddings.weight";
        _normWeight = Read(bert ? "embeddings.LayerNorm.weight" : "embeddings.norm.weight", config.HiddenSize);
        if (bert)
        {
            _normBias = Read("embeddings.LayerNorm.bias", config.HiddenSize);
            _positions = Read("embeddings.position_embeddings.weight", config.MaxPositions * config.HiddenSize);
            float[] type = new float[config.HiddenSize];
            weights.ToFloat32("embeddings.token_type_embeddings.weight", type);
            for (int i = 0; i < config.MaxPositions; i++)
            {
                Span<float> row = _positions.AsSpan(i * config.HiddenSize, config.HiddenSize);
                TensorPrimitives.Add(row, type, row);
            }
        }
    }

    /// <summary>Writes the state of every token, [tokens, hidden].</summary>
    public void Write(TokenBatch batch, Span<float> hidden)
    {
        int width = _config.HiddenSize, at = 0;
        foreach (int length in batch.Lengths)
        {
            for (int position = 0; position < length; position++, at++)
            {
                int id = batch.Ids[at];
                if ((uint)id >= (uint)_config.VocabSize)
                {
                    throw new ArgumentOutOfRangeException(nameof(batch), id, $"Token id {id} is outside the model's vocabulary of {_config.VocabSize}; the tokenizer does not belong to this model.");
                }

                Span<float> row = hidden.Slice(at * width, width);
                _weights.ReadFloat32(_table, row, (long)id * width);
                if (_positions is not null)
                {
                    TensorPrimitives.Add(row, _positions.AsSpan(position * width, width), row);
                }

                LayerNorm.Apply(row, _normWeight, _normBias, _config.NormEps, row);
            }
        }
    }

    private float[] Read(string name, int length)
    {
        float[] values = new float[length];
        _weights.ToFloat32(name, values);
        return values;
    }
}
