using System.Buffers;
using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using Microsoft.Win32.SafeHandles;

namespace SkMmBert;

/// <summary>Brings one file into the store of blobs: in ranges, going on where an earlier attempt stopped, published only when its hash is right.</summary>
internal sealed class BlobDownload(HubClient client, HubOptions options, SemaphoreSlim connections, ModelListing listing, RemoteFile file, string blob, PullMeter meter)
{
    private const int BufferBytes = 128 << 10;

    // Other tools resume a plain '.incomplete' from its length; this one has holes, so it has a name of its own.
    private readonly string _partial = blob + ".ranges.incomplete";
    private readonly string _journal = blob + ".ranges";

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        for (bool secondTry = false; ; secondTry = true)
        {
            await FetchAsync(cancellationToken).ConfigureAwait(false);
            meter.Tell(file.Path, PullState.Verifying);
            string hash = await HashAsync(_partial, file, cancellationToken).ConfigureAwait(false);
            if (hash == file.CheckedHash) break;
            File.Delete(_partial);
            File.Delete(_journal);
            meter.Found(file.Path, -file.Size);
            if (secondTry)
                throw new InvalidDataException(
                    $"'{file.Path}' of '{listing.Repository}' arrived twice with wrong bytes: hash {hash}, expected {file.CheckedHash}. Nothing was kept of it; check the mirror or proxy and run the pull again.");
        }

        File.Move(_partial, blob, overwrite: true);
        File.Delete(_journal);
    }

    /// <summary>SHA-256 of a large file, git blob SHA-1 of a small one, in lower-case hex.</summary>
    public static async Task<string> HashAsync(string path, RemoteFile file, CancellationToken cancellationToken)
    {
        bool git = file.CheckedHash.Length == 40;
        using IncrementalHash hash = IncrementalHash.CreateHash(git ? HashAlgorithmName.SHA1 : HashAlgorithmName.SHA256);
        if (git) hash.AppendData(System.Text.Encoding.ASCII.GetBytes($"blob {new FileInfo(path).Length}\0"));
        byte[] buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
        try
        {
            using FileStream stream = new(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite, 0, FileOptions.Asynchronous | FileOptions.SequentialScan);
            for (int read; (read = await stream.ReadAsync(buffer, cancellationToken).ConfigureAwait(false)) > 0;) hash.AppendData(buffer.AsSpan(0, read));
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    /// <summary>Bytes an earlier attempt left.</summary>
    public long Kept() => File.Exists(_partial) ? ByteRanges.Read(_journal, file.Size).Total : 0;

    private async Task FetchAsync(CancellationToken cancellationToken)
    {
        if (!File.Exists(_partial)) File.Delete(_journal);
        ByteRanges done = ByteRanges.Read(_journal, file.Size);
        meter.Found(file.Path, done.Total);
        try
        {
            using SafeFileHandle target = File.OpenHandle(_partial, FileMode.OpenOrCreate, FileAccess.Write, FileShare.Read);
            ParallelOptions parallel = new() { MaxDegreeOfParallelism = options.Parallelism, CancellationToken = cancellationToken };
            try
            {
                await Parallel.ForEachAsync(done.Missing(file.Size, options.RangeBytes), parallel,
                    async (range, stop) => await FetchRangeAsync(target, done, range.Start, range.End, stop).ConfigureAwait(false)).ConfigureAwait(false);
            }
            catch (NotSupportedException)
            {
                // The server sends whole files only: one stream from the start.
                meter.Found(file.Path, -done.Total);
                done.Clear();
                await FetchRangeAsync(target, done, 0, file.Size, cancellationToken).ConfigureAwait(false);
            }

            RandomAccess.SetLength(target, file.Size);
        }
        catch (IOException e) when ((e.HResult & 0xFFFF) is 28 or 112)
        {
            throw DiskFull(blob, file.Size - done.Total, null, e);
        }
    }

    public static IOException DiskFull(string path, long needed, long? free, Exception? inner) => new(
        $"The disk of '{Path.GetDirectoryName(path)}' is full: {needed / 1e6:0.0} MB more are needed{(free is { } bytes ? $", {bytes / 1e6:0.0} MB are free" : "")}. "
        + "Free some space, or set HF_HUB_CACHE to a folder on another disk, and run the pull again; what has arrived is kept.", inner);

    private async Task FetchRangeAsync(SafeFileHandle target, ByteRanges done, long start, long end, CancellationToken cancellationToken)
    {
        long position = start;
        byte[] buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
        await connections.WaitAsync(cancellationToken).ConfigureAwait(false);
        try
        {
            await client.RepeatAsync(async stall =>
            {
                bool whole = start == 0 && end == file.Size;
                RangeHeaderValue? range = whole && position == 0 ? null : new RangeHeaderValue(position, end - 1);
                using HttpResponseMessage response = await client.OpenAsync(listing, file, range, stall.Token).ConfigureAwait(false);
                if (response.StatusCode == HttpStatusCode.OK && range is not null)
                {
                    if (!whole) throw new NotSupportedException("ranges");
                    meter.Moved(file.Path, -position);
                    position = 0;
                }
                else if (range is not null && (response.Content.Headers.ContentRange is not { } sent || sent.From != position || (sent.Length ?? file.Size) != file.Size))
                {
                    throw new InvalidDataException(
                        $"The server sent the range '{response.Content.Headers.ContentRange}' of '{file.Path}'. Expected bytes {position}-{end - 1} of {file.Size}; check the mirror or proxy.");
                }

                Uri address = response.RequestMessage!.RequestUri!;
                using Stream body = await response.Content.ReadAsStreamAsync(stall.Token).ConfigureAwait(false);
                while (position < end)
                {
                    int room = (int)Math.Min(buffer.Length, end - position);
                    int read = await HubClient.ReadAsync(() => body.ReadAsync(buffer.AsMemory(0, room), stall.Token).AsTask(), address).ConfigureAwait(false);
                    if (read == 0) throw new HttpRequestException($"The connection to {address.Host} ended {end - position} bytes early");
                    stall.Restart();
                    RandomAccess.Write(target, buffer.AsSpan(0, read), position);
                    position += read;
                    meter.Moved(file.Path, read);
                }

                return true;
            }, () => position, () => meter.Tell(file.Path, PullState.Retrying), cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            connections.Release();
            ArrayPool<byte>.Shared.Return(buffer);
            done.Add(start, position);
        }
    }
}
