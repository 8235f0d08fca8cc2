namespace SkMmBert.Cli;

/// <summary>Wrong usage or bad input: exit code 2. Anything else that goes wrong is exit code 1.</summary>
internal sealed class InputException(string message) : Exception(message);
