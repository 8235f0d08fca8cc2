using System.Diagnostics;
using System.Security.Cryptography;

namespace SkMmBert.Postgres.Tests;

/// <summary>PostgreSQL 18 with pgvector in a Node.js process, from npm packages of exact versions and hashes (pglite/package-lock.json).</summary>
/// <remarks>One backend serves all connections, one transaction after the other: sessions, cancellation and restarts are the real server's tests.</remarks>
public class PgliteServer : TestServer
{
    private Process? _process;
    private string? _folder;
    private string _port = "0";

    protected override string What => "PGlite (needs node, npm and a package registry)";

    /// <summary>Where the data lies; null keeps it in memory.</summary>
    protected virtual string? DataFolder => null;

    protected override async Task<string> StartAsync()
    {
        _folder = await InstallAsync(Path.Combine(AppContext.BaseDirectory, "pglite"));
        await LaunchAsync();
        // All connections share one session and its unnamed statement, so that there must be only one.
        return $"Host=127.0.0.1;Port={_port};Database=postgres;Username=postgres;Password=postgres;No Reset On Close=true;Maximum Pool Size=1;Timeout=300;SSL Mode=Disable;Command Timeout=120";
    }

    protected override Task StopAsync()
    {
        if (_process is { HasExited: false })
        {
            _process.Kill();
            _process.WaitForExit();
        }

        _process?.Dispose();
        return Task.CompletedTask;
    }

    /// <summary>Starts the server on the port it had before, if it had one.</summary>
    protected async Task LaunchAsync()
    {
        ProcessStartInfo start = new("node", [Path.Combine(_folder!, "server.mjs"), _port, .. DataFolder is { } folder ? [folder] : Array.Empty<string>()])
        {
            RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true,
        };
        _process = Process.Start(start) ?? throw new IOException("node did not start");
        _process.ErrorDataReceived += (_, _) => { };
        _process.BeginErrorReadLine();
        string? line = await _process.StandardOutput.ReadLineAsync().WaitAsync(TimeSpan.FromSeconds(60));
        if (line is null || !line.StartsWith("port ", StringComparison.Ordinal)) throw new IOException($"the server said '{line}', not its port");
        _port = line[5..];
    }

    // Installed once a version, in a folder of the user's temporary files; several runs at once do not disturb each other.
    private static async Task<string> InstallAsync(string source)
    {
        string key = Convert.ToHexStringLower(SHA256.HashData([.. File.ReadAllBytes(Path.Combine(source, "package-lock.json")), .. File.ReadAllBytes(Path.Combine(source, "server.mjs"))]))[..16];
        string folder = Path.Combine(Path.GetTempPath(), $"skmmbert-pglite-{key}");
        if (Directory.Exists(folder)) return folder;
        string draft = Directory.CreateTempSubdirectory("skmmbert-pglite-").FullName;
        foreach (string file in Directory.EnumerateFiles(source)) File.Copy(file, Path.Combine(draft, Path.GetFileName(file)));
        await RunAsync(OperatingSystem.IsWindows() ? "npm.cmd" : "npm", ["ci", "--no-audit", "--no-fund", "--ignore-scripts"], draft);
        try
        {
            Directory.Move(draft, folder);
        }
        catch (IOException) when (Directory.Exists(folder))
        {
            Directory.Delete(draft, recursive: true);
        }

        return folder;
    }
}

/// <summary>A PGlite of its own, with its data on disk, that can be killed and started again.</summary>
public sealed class KilledPgliteServer : PgliteServer
{
    protected override string? DataFolder { get; } = Path.Combine(Path.GetTempPath(), $"skmmbert-pglite-data-{Guid.NewGuid():N}");

    /// <summary>Kills the server as it stands and starts it on the same data and port.</summary>
    public async Task KillAsync()
    {
        await base.StopAsync();
        await LaunchAsync();
    }

    protected override async Task StopAsync()
    {
        await base.StopAsync();
        if (Directory.Exists(DataFolder)) Directory.Delete(DataFolder, recursive: true);
    }
}
