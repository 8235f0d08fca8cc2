using Xunit;

namespace SkMmBert.Tests;

public sealed class PathsTests
{
    [Fact]
    public void Goldens_InTheRepository_AreThere() => Assert.True(File.Exists(Path.Combine(Paths.Goldens, "README.md")));
}
