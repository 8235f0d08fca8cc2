using SkMmBert;
using Xunit.Runner.InProc.SystemConsole;

// pull ENDPOINT CACHE NAME: what a second process does in the tests of two processes.
if (args is ["pull", var endpoint, var cache, var name])
{
    using ModelHub hub = new(new HubOptions { Endpoint = new Uri(endpoint), CacheFolder = cache, RangeBytes = 64 << 10, RetryDelay = TimeSpan.FromMilliseconds(20) });
    Console.WriteLine((await hub.PullAsync(name)).Folder);
    return 0;
}

return await ConsoleRunner.Run(args);
