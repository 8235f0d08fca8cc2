namespace SkMmBert.Tests;

/// <summary>A new folder that is removed when done.</summary>
internal sealed class TemporaryFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("skmmbert-test-").FullName;

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
