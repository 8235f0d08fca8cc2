using Microsoft.Extensions.Hosting;
using SkMmBert;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Keeps the memory of a host in a SQLite file.</summary>
public static class SqliteMemoryBuilderExtensions
{
    /// <summary>Keeps items in one SQLite file; the container closes it.</summary>
    /// <param name="memory">The memory that is being added.</param>
    /// <param name="path">The file; it is created at first use if it is not there. Its folder must exist. A relative path starts at the host's content root, without a host at the working directory.</param>
    /// <param name="busyTimeout">How long to wait for another process that writes; <see langword="null"/> for 30 seconds.</param>
    /// <example><code>
    /// services.AddMmBert().AddMemory(m => m.UseSqlite("memory.db"));
    /// </code></example>
    public static MmBertMemoryBuilder UseSqlite(this MmBertMemoryBuilder memory, string path, TimeSpan? busyTimeout = null)
    {
        ArgumentNullException.ThrowIfNull(memory);
        ArgumentException.ThrowIfNullOrEmpty(path);
        return memory.UseStore(services => new SqliteMemoryStore(Path.GetFullPath(path, Path.GetFullPath(services.GetService<IHostEnvironment>()?.ContentRootPath ?? ".")), busyTimeout));
    }
}
