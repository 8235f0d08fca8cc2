using System.Diagnostics;
using Npgsql;
using Xunit;

namespace SkMmBert.Postgres.Tests;

/// <summary>A PostgreSQL server that lives as long as the test run; tests that need one that is absent are skipped with the reason.</summary>
public abstract class TestServer : IAsyncLifetime
{
    private static int _stores;

    private string? _connectionString;

    /// <summary>Why there is no server; null when there is one.</summary>
    public string? Absence { get; private set; }

    public string ConnectionString => Required(_connectionString);

    public NpgsqlDataSource Source { get => Required(field); private set; }

    protected abstract string What { get; }

    public async ValueTask InitializeAsync()
    {
        try
        {
            _connectionString = await StartAsync();
            Source = NpgsqlDataSource.Create(_connectionString);
            using NpgsqlCommand ask = Source.CreateCommand("SELECT 1");
            await ask.ExecuteScalarAsync();
        }
        catch (Exception e)
        {
            Absence = $"{What} did not start: {e.Message}";
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_connectionString is not null && Absence is null) await Source.DisposeAsync();
        await StopAsync();
        GC.SuppressFinalize(this);
    }

    /// <summary>A schema no other test has.</summary>
    public static string NewSchema() => $"test_{Environment.ProcessId}_{Interlocked.Increment(ref _stores)}";

    public PostgresMemoryStore NewStore(PostgresMemoryOptions? options = null) =>
        new(Source, (options ?? new PostgresMemoryOptions()) is { Schema: "skmmbert" } given ? given with { Schema = NewSchema() } : options);

    public async Task<T> AskAsync<T>(string sql)
    {
        using NpgsqlCommand command = Source.CreateCommand(sql);
        return (T)(await command.ExecuteScalarAsync())!;
    }

    protected abstract Task<string> StartAsync();

    protected abstract Task StopAsync();

    protected static async Task<string> RunAsync(string file, string[] arguments, string? folder = null)
    {
        ProcessStartInfo start = new(file, arguments) { RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = folder ?? Path.GetTempPath() };
        using Process process = Process.Start(start) ?? throw new IOException($"{file} did not start");
        Task<string> output = process.StandardOutput.ReadToEndAsync(), errors = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync().WaitAsync(TimeSpan.FromMinutes(3));
        if (process.ExitCode != 0) throw new IOException($"{Path.GetFileName(file)} {string.Join(' ', arguments)} ended with {process.ExitCode}: {(await errors).Trim()} {(await output).Trim()}");
        return await output;
    }

    private T Required<T>(T? value) where T : class
    {
        Assert.SkipWhen(Absence is not null, Absence ?? "");
        return value!;
    }
}
