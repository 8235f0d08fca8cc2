using Xunit;

namespace SkMmBert.Tests;

/// <summary>Tests that measure the whole process: they run one after the other, when no others do.</summary>
[CollectionDefinition("Alone", DisableParallelization = true)]
public sealed class AloneCollection;
