namespace SkMmBert;

/// <summary>Opens each model once, however many services and keys want it, and closes all of them with the container.</summary>
/// <remarks>Made before everything that stands on a model, so the container, which disposes in reverse, disposes it after all of that.</remarks>
internal sealed class ModelPool : IDisposable
{
    private readonly Lock _lock = new();
    private readonly Dictionary<(string Folder, ModelOptions Options), PooledModel> _models = [];
    private bool _disposed;

    /// <summary>The place of a model; nothing is opened yet.</summary>
    public PooledModel At(string folder, ModelOptions options)
    {
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_disposed, typeof(MmBertModel));
            if (!_models.TryGetValue((folder, options), out PooledModel? model))
            {
                _models.Add((folder, options), model = new PooledModel(folder, options));
            }

            return model;
        }
    }

    public void Dispose()
    {
        lock (_lock)
        {
            _disposed = true;
        }

        foreach (PooledModel model in _models.Values)
        {
            model.Dispose();
        }
    }
}

/// <summary>A model that is opened by the first who needs it; a failure is remembered, and the next one tries again.</summary>
internal sealed class PooledModel(string folder, ModelOptions options) : IDisposable
{
    private readonly Lock _opening = new();
    private volatile MmBertModel? _model;
    private volatile Exception? _error;
    private bool _disposed;

    public bool IsOpen => _model is not null;

    /// <summary>Why the last try to open it failed; null when it did not.</summary>
    public Exception? Error => _error;

    /// <summary>The model, and whether this call opened it.</summary>
    public MmBertModel Open(out bool opened)
    {
        opened = false;
        if (_model is { } ready)
        {
            return ready;
        }

        lock (_opening)
        {
            ObjectDisposedException.ThrowIf(_disposed, typeof(MmBertModel));
            if (_model is { } model)
            {
                return model;
            }

            try
            {
                model = MmBertModel.Open(folder, options);
                (_error, _model, opened) = (null, model, true);
                return model;
            }
            catch (Exception error)
            {
                _error = error;
                throw;
            }
        }
    }

    public void Dispose()
    {
        lock (_opening)
        {
            _disposed = true;
            _model?.Dispose();
        }
    }
}
