using System.Globalization;

namespace SkMmBert;

/// <summary>Which bytes of a file have arrived, kept in a journal beside it so that a later attempt goes on from there.</summary>
/// <remarks>A line is written after its bytes; what a power failure may still reorder is caught by the hash.</remarks>
internal sealed class ByteRanges(string journal)
{
    private readonly Lock _lock = new();
    private readonly List<(long Start, long End)> _done = [];

    public long Total { get; private set; }

    public static ByteRanges Read(string journal, long size)
    {
        ByteRanges ranges = new(journal);
        if (!File.Exists(journal)) return ranges;
        string text = File.ReadAllText(journal);
        // A line without its end was being written when the process died.
        string[] lines = text[..(text.LastIndexOf('\n') + 1)].Split('\n', StringSplitOptions.RemoveEmptyEntries);
        foreach (string line in lines)
        {
            string[] parts = line.Split(' ');
            if (parts.Length == 2 && long.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out long start)
                && long.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out long end) && start < end && end <= size)
                ranges.Insert(start, end);
        }

        return ranges;
    }

    public void Add(long start, long end)
    {
        if (start >= end) return;
        lock (_lock)
        {
            Insert(start, end);
            File.AppendAllText(journal, string.Create(CultureInfo.InvariantCulture, $"{start} {end}\n"));
        }
    }

    public void Clear()
    {
        lock (_lock)
        {
            _done.Clear();
            Total = 0;
            File.Delete(journal);
        }
    }

    /// <summary>The gaps, cut to at most <paramref name="step"/> bytes each.</summary>
    public List<(long Start, long End)> Missing(long size, int step)
    {
        List<(long Start, long End)> missing = [];
        long position = 0;
        foreach ((long start, long end) in (IEnumerable<(long, long)>)[.. _done, (size, size)])
        {
            for (; position < start; position += step) missing.Add((position, Math.Min(start, position + step)));
            position = Math.Max(end, start);
        }

        return missing;
    }

    private void Insert(long start, long end)
    {
        for (int i = _done.Count - 1; i >= 0; i--)
        {
            if (_done[i].End < start || end < _done[i].Start) continue;
            start = Math.Min(start, _done[i].Start);
            end = Math.Max(end, _done[i].End);
            _done.RemoveAt(i);
        }

        int at = _done.FindIndex(r => r.Start > start);
        _done.Insert(at < 0 ? _done.Count : at, (start, end));
        Total = _done.Sum(r => r.End - r.Start);
    }
}
