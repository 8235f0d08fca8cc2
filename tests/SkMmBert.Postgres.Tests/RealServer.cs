using System.Net;
using System.Net.Sockets;

namespace SkMmBert.Postgres.Tests;

/// <summary>A PostgreSQL server of this machine in a temporary folder, when its programs are installed: for pools, cancellation and restarts.</summary>
public class RealServer : TestServer
{
    private string? _bin;
    private string? _folder;
    private int _port;
    private bool _hasReplica;

    protected override string What => "PostgreSQL (needs initdb and pg_ctl, such as Debian's package postgresql)";

    /// <summary>Whether the server's pgvector is installed as well.</summary>
    public async Task<bool> HasVectorAsync() => await AskAsync<bool>("SELECT EXISTS (SELECT FROM pg_available_extensions WHERE name = 'vector')");

    /// <summary>Ends every session at once and starts the server again.</summary>
    public Task RestartAsync(string how = "immediate") => ControlAsync("restart", "data", _port, "-m", how);

    /// <summary>Starts a streaming replica beside the server and gives its port.</summary>
    public async Task<int> StartReplicaAsync()
    {
        string folder = Path.Combine(_folder!, "replica");
        int port = FreePort();
        await AsServerUserAsync(Path.Combine(_bin!, "pg_basebackup"), "-h", "127.0.0.1", "-p", $"{_port}", "-U", "postgres", "-D", folder, "-R", "-c", "fast", "--no-sync");
        _hasReplica = true;
        await ControlAsync("start", "replica", port);
        return port;
    }

    protected override async Task<string> StartAsync()
    {
        _bin = FindPrograms() ?? throw new IOException("initdb was not found");
        _folder = Directory.CreateTempSubdirectory("skmmbert-postgres-").FullName;
        if (IsRoot) await RunAsync("chown", ["postgres", _folder]);
        await AsServerUserAsync(Path.Combine(_bin, "initdb"), "-D", Path.Combine(_folder, "data"), "-U", "postgres", "--auth=trust", "--no-sync", "-E", "UTF8", "--locale=C");
        _port = FreePort();
        await ControlAsync("start", "data", _port);
        return $"Host=127.0.0.1;Port={_port};Database=postgres;Username=postgres;SSL Mode=Disable;Maximum Pool Size=16";
    }

    protected override async Task StopAsync()
    {
        if (_folder is null) return;
        if (_hasReplica) await ControlAsync("stop", "replica", 0, "-m", "immediate");
        if (Absence is null) await ControlAsync("stop", "data", _port, "-m", "immediate");
        Directory.Delete(_folder, recursive: true);
    }

    private static bool IsRoot => !OperatingSystem.IsWindows() && Environment.UserName == "root";

    private static int FreePort()
    {
        using TcpListener probe = new(IPAddress.Loopback, 0);
        probe.Start();
        return ((IPEndPoint)probe.LocalEndpoint).Port;
    }

    private Task ControlAsync(string verb, string data, int port, params string[] arguments) => AsServerUserAsync(
        Path.Combine(_bin!, "pg_ctl"), [verb, "-w", "-D", Path.Combine(_folder!, data), "-l", Path.Combine(_folder!, data + ".log"), "-o", $"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c max_connections=40 -c fsync=off", .. arguments]);

    // PostgreSQL refuses to run as root. Its output is not read to the end: the server it starts keeps it open.
    private async Task AsServerUserAsync(string program, params string[] arguments)
    {
        string line = string.Join(' ', new[] { program }.Concat(arguments).Select(a => $"'{a}'")) + $" >>'{_folder}/out' 2>&1 </dev/null";
        try
        {
            if (IsRoot) await RunAsync("runuser", ["-u", "postgres", "--", "sh", "-c", line]);
            else await RunAsync("sh", ["-c", line]);
        }
        catch (IOException e)
        {
            string output = Path.Combine(_folder!, "out");
            throw new IOException($"{e.Message} {(File.Exists(output) ? File.ReadAllText(output) : "")}", e);
        }
    }

    private static string? FindPrograms()
    {
        IEnumerable<string> folders = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator);
        if (Directory.Exists("/usr/lib/postgresql")) folders = Directory.EnumerateDirectories("/usr/lib/postgresql").OrderDescending(StringComparer.Ordinal).Select(f => Path.Combine(f, "bin")).Concat(folders);
        return OperatingSystem.IsWindows() ? null : folders.FirstOrDefault(f => f.Length > 0 && File.Exists(Path.Combine(f, "initdb")) && File.Exists(Path.Combine(f, "pg_ctl")));
    }
}
