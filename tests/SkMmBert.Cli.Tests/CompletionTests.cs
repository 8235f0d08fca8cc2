using System.Diagnostics;
using Xunit;

namespace SkMmBert.Cli.Tests;

public sealed class CompletionTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("skmmbert ro", "route")]
    [InlineData("skmmbert memory ", "add|calibrate|check|export|forget|import|list|recall|reembed")]
    [InlineData("skmmbert embed --prec", "--precision")]
    [InlineData("skmmbert embed --precision ", "fp32|int8")]
    [InlineData("skmmbert completion ", "bash|fish|pwsh|zsh")]
    [InlineData("skmmbert embed ", "")]   // files are the shell's
    [InlineData("skmmbert nothing ", "")]
    public async Task Complete_ALine_IsWhatMayFollow(string line, string words)
    {
        CommandLine run = await CommandLine.RunAsync(["complete", "--", line], Stream.Null);
        Assert.Equal(0, run.ExitCode);
        Assert.Equal(words.Split('|', StringSplitOptions.RemoveEmptyEntries), run.Lines.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Complete_AModel_IsAKnownName()
    {
        CommandLine run = await CommandLine.RunAsync(["complete", "--", "skmmbert embed --model mm"], Stream.Null);
        Assert.Contains("mmbert-embed", run.Lines);
    }

    [Fact]
    public async Task Complete_Described_SaysWhatAWordMeans()
    {
        CommandLine run = await CommandLine.RunAsync(["complete", "--describe", "--", "skmmbert rou"], Stream.Null);
        Assert.Equal(["route\tChooses the tools a query needs, or none."], run.Lines);
    }

    [Fact]
    public async Task Completion_Bash_CompletesInARealShell()
    {
        Assert.SkipUnless(File.Exists("/bin/bash"), "There is no /bin/bash.");
        if (OperatingSystem.IsWindows())
        {
            return;
        }

        string program = Path.Combine(AppContext.BaseDirectory, "SkMmBert.Cli");
        File.WriteAllText(_folder.Write("skmmbert", ""), $"#!/bin/bash\nexec '{program}' \"$@\"\n");
        File.SetUnixFileMode(Path.Combine(_folder.Root, "skmmbert"), UnixFileMode.UserRead | UnixFileMode.UserExecute);
        string script = """
            eval "$(skmmbert completion bash)"
            ask() {
              COMP_LINE="$1" COMP_POINT=${#1}
              read -ra COMP_WORDS <<< "$1"
              [[ $1 == *' ' ]] && COMP_WORDS+=('')
              COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
              _skmmbert
              echo "${COMPREPLY[*]}" | tr '\n' ' '
              echo
            }
            ask 'skmmbert tok'
            ask 'skmmbert embed --precision '
            ask 'skmmbert plot --what sp'
            ask 'skmmbert embed '
            complete -p skmmbert
            """;
        using Process bash = Process.Start(new ProcessStartInfo("/bin/bash", ["--norc", "-c", script]) { RedirectStandardOutput = true, RedirectStandardError = true, Environment = { ["PATH"] = $"{_folder.Root}:{Environment.GetEnvironmentVariable("PATH")}" } })!;
        Task<string> error = bash.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        string[] lines = [.. (await bash.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken)).Split('\n').Select(line => line.Trim())];
        Assert.Equal("", await error);
        Assert.Equal(["tokenize", "fp32 int8", "speed", "", "complete -o default -F _skmmbert skmmbert"], lines[..5]);
    }
}
