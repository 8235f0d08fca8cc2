using System.Diagnostics;
using System.Text.Json;

namespace SkMmBert.Benchmarks.Layers;

/// <summary>Runs the JavaScript peer (<c>@huggingface/transformers</c> on <c>onnxruntime-node</c>) on the plain export, one thread, in a process of its own.</summary>
internal static class EncoderPeer
{
    private const string Package = "@huggingface/transformers@4.3.1";

    public static int Run(string[] args)
    {
        string work = Path.Combine(Path.GetTempPath(), "skmmbert-peers");
        Directory.CreateDirectory(work);
        if (!Directory.Exists(Path.Combine(work, "node_modules", "@huggingface", "transformers")))
        {
            Start("npm", work, "install", "--ignore-scripts", Package);
        }

        string model = NaiveModel.Folder(BenchmarkPaths.Goldens, BenchmarkPaths.Artifacts), texts = Path.Combine(work, "texts.json");
        File.WriteAllText(texts, JsonSerializer.Serialize(SpeedBenchmark.MixedTexts(args.Length > 0 ? int.Parse(args[0], System.Globalization.CultureInfo.InvariantCulture) : 1_000)));
        File.Copy(Path.Combine(BenchmarkPaths.Root, "tests", "SkMmBert.Benchmarks", "peers", "encoder.mjs"), Path.Combine(work, "encoder.mjs"), overwrite: true);
        Start("node", work, "encoder.mjs", model, texts);
        Console.WriteLine($"load {Cpu.Load()}");
        return 0;
    }

    private static void Start(string program, string folder, params string[] arguments)
    {
        using Process process = Process.Start(new ProcessStartInfo(program, arguments) { WorkingDirectory = folder })!;
        process.WaitForExit();
        if (process.ExitCode != 0)
        {
            throw new InvalidOperationException($"{program} {string.Join(' ', arguments)} ended with {process.ExitCode}.");
        }
    }
}
