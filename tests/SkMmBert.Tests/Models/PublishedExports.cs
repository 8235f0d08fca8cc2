using System.Formats.Tar;
using System.IO.Compression;

namespace SkMmBert.Tests;

/// <summary>The golden ONNX exports, unpacked for the tests of one class.</summary>
public sealed class PublishedExports : IDisposable
{
    private readonly TemporaryFolder _unpacked = new();

    public PublishedExports()
    {
        using FileStream file = File.OpenRead(Path.Combine(Paths.Goldens, "onnx-published-layout", "onnx.tar.br"));
        using BrotliStream tar = new(file, CompressionMode.Decompress);
        TarFile.ExtractToDirectory(tar, _unpacked.Path, overwriteFiles: false);
    }

    /// <summary>A model folder with one of the exports as its <c>onnx</c>; what an export lacks is taken from the first.</summary>
    internal TemporaryFolder Folder(string export = "onnx")
    {
        TemporaryFolder folder = new();
        Copy(Path.Combine(_unpacked.Path, export), folder.File("onnx"));
        foreach (string name in new[] { "config.json", "tokenizer.json" })
        {
            if (!File.Exists(folder.File(Path.Combine("onnx", name))))
            {
                File.Copy(Path.Combine(_unpacked.Path, "onnx", name), folder.File(name));
            }
        }

        return folder;
    }

    /// <summary>Puts one layer of an export into a folder, over what is there.</summary>
    internal void Add(TemporaryFolder folder, string export, int layer)
    {
        string to = folder.File(Path.Combine("onnx", $"layer-{layer}"));
        if (Directory.Exists(to))
        {
            Directory.Delete(to, true);
        }

        Copy(Path.Combine(_unpacked.Path, export, $"layer-{layer}"), to);
    }

    public void Dispose() => _unpacked.Dispose();

    private static void Copy(string from, string to)
    {
        foreach (string file in Directory.EnumerateFiles(from, "*", SearchOption.AllDirectories))
        {
            string target = Path.Combine(to, Path.GetRelativePath(from, file));
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            File.Copy(file, target);
        }
    }
}
