using System.Diagnostics;
using System.Security.Cryptography;

namespace SkMmBert.Postgres.Tests;

/// <summary>PostgreSQL 18 with pgvector in a Node.js process, from npm packages of exact versions and hashes (pglite/package-lock.json).</summary>
/// <remarks>One backend serves all connections, one transaction after the other: sessions, cancellation and restarts are the real server's tests.</remarks>
public sealed class PgliteServer : TestServer
{
    private Process? _process;

    protected override string What => "PGlite (needs node, npm and a package registry)";

    protected override async Task<string> StartAsync()
    {
        string source = Path.Combine(AppContext.BaseDirectory, "pglite"), folder = await InstallAsync(source);
        ProcessStartInfo start = new("node", [Path.Combine(folder, "server.mjs")]) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        _process = Process.Start(start) ?? throw new IOException("node did not start");
        _process.ErrorDataReceived += (_, _) => { };
        _process.BeginErrorReadLine();
        string? line = await _process.StandardOutput.ReadLineAsync().WaitAsync(TimeSpan.FromSeconds(60));
        if (line is null || !line.StartsWith("port ", StringComparison.Ordinal)) throw new IOException($"the server said '{line}', not its port");
        // All connections share one session and its unnamed statement, so that there must be only one.
        return $"Host=127.0.0.1;Port={line[5..]};Database=postgres;Username=postgres;Password=postgres;No Reset On Close=true;Maximum Pool Size=1;Timeout=300;SSL Mode=Disable;Command Timeout=120";
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
