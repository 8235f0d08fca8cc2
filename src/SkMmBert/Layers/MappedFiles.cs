using System.Globalization;
using System.Runtime.InteropServices;

namespace SkMmBert;

/// <summary>Pages of mapped files: a process is charged for a page once for each mapping of it, although it is there once.</summary>
/// <remarks>The sessions of one thread and those of several map the same weights.</remarks>
internal static partial class MappedFiles
{
    private const string Mappings = "/proc/self/smaps";
    private const int DontNeed = 4;   // MADV_DONTNEED of Linux: the pages leave the mapping and come back from the file's cache when they are read

    private static readonly Lock Changing = new();
    private static readonly Dictionary<string, int> Owners = new(StringComparer.Ordinal);

    /// <summary>One more object that maps files of a folder, until it calls <see cref="Leave"/>.</summary>
    public static void Enter(string folder)
    {
        lock (Changing)
        {
            Owners[Path.GetFileName(folder)] = Owners.GetValueOrDefault(Path.GetFileName(folder)) + 1;
        }
    }

    /// <summary>An object has closed its mappings.</summary>
    public static void Leave(string folder)
    {
        lock (Changing)
        {
            Owners[Path.GetFileName(folder)]--;
        }
    }

    /// <summary>Lets go of all pages mapped from the files of a folder, where the system can; whoever still reads them gets them again.</summary>
    /// <remarks>
    /// Only for the folder's single owner, while it opens and closes nothing. Another owner might close a mapping between the look at the list and the call, and the place could by then hold somebody's data.
    /// An owner that was never disposed counts for ever.
    /// </remarks>
    /// <returns>Bytes of the mappings; 0 where there is another owner.</returns>
    public static long LetGo(string folder)
    {
        lock (Changing)
        {
            return OperatingSystem.IsLinux() && File.Exists(Mappings) && Owners.GetValueOrDefault(Path.GetFileName(folder)) == 1 ? Advise(folder) : 0;
        }
    }

    private static long Advise(string folder)
    {
        string part = $"/{Path.GetFileName(folder)}/";
        string? range = null;
        long bytes = 0;
        foreach (string line in File.ReadAllLines(Mappings))
        {
            // "7f90aceea000-7f90ad12a000 rw-p 060c5000 fe:00 53264   /path/file.data", then lines such as "Anonymous:   0 kB": pages that were written to.
            if (line.Contains('/', StringComparison.Ordinal))
            {
                range = line.Contains(part, StringComparison.Ordinal) ? line[..line.IndexOf(' ', StringComparison.Ordinal)] : null;
            }
            else if (range is not null && line.StartsWith("Anonymous:", StringComparison.Ordinal) && line.EndsWith(" 0 kB", StringComparison.Ordinal))
            {
                int dash = range.IndexOf('-', StringComparison.Ordinal);
                nint start = nint.Parse(range.AsSpan(0, dash), NumberStyles.HexNumber, CultureInfo.InvariantCulture), end = nint.Parse(range.AsSpan(dash + 1), NumberStyles.HexNumber, CultureInfo.InvariantCulture);
                bytes += Advise(start, end - start, DontNeed) == 0 ? end - start : 0;
                range = null;
            }
        }

        return bytes;
    }

    [LibraryImport("libc", EntryPoint = "madvise")]
    private static partial int Advise(nint start, nint length, int advice);
}
