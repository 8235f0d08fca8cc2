using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace SkMmBert;

/// <summary>Opens the models of those registrations that ask for it, and runs a text through each.</summary>
internal sealed partial class ModelWarmUpService(IServiceProvider services) : IHostedService, IDisposable
{
    private readonly CancellationTokenSource _stopping = new();
    private readonly ILogger _logger = services.GetService<ILoggerFactory>()?.CreateLogger("SkMmBert.Hosting") ?? NullLogger.Instance;
    private Task _background = Task.CompletedTask;

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        List<MmBertRegistration> later = [];
        foreach (MmBertRegistration registration in services.GetServices<MmBertRegistration>())
        {
            switch (services.GetRequiredKeyedService<HostedModels>(registration.Key).Options.WarmUp)
            {
                case ModelWarmUp.BeforeStart:
                    await RunAsync(registration, cancellationToken).ConfigureAwait(false);
                    break;
                case ModelWarmUp.Background:
                    later.Add(registration);
                    break;
            }
        }

        _background = Task.Run(() => RunAsync(later), CancellationToken.None);
    }

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        await _stopping.CancelAsync().ConfigureAwait(false);
        await _background.WaitAsync(cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    public void Dispose()
    {
        _stopping.Cancel();
        _stopping.Dispose();
    }

    private async Task RunAsync(List<MmBertRegistration> registrations)
    {
        foreach (MmBertRegistration registration in registrations)
        {
            try
            {
                await RunAsync(registration, _stopping.Token).ConfigureAwait(false);
            }
            catch (Exception) when (_stopping.IsCancellationRequested)
            {
                return;
            }
            catch (Exception error)
            {
                Failed(_logger, error.Message);
            }
        }
    }

    // Opening is work of the processor: it does not belong on the thread that starts the host.
    private async Task RunAsync(MmBertRegistration registration, CancellationToken cancellationToken)
    {
        foreach (Func<IServiceProvider, CancellationToken, Task> step in registration.WarmUpSteps)
        {
            await Task.Run(() => step(services, cancellationToken), cancellationToken).ConfigureAwait(false);
        }
    }

    [LoggerMessage(3, LogLevel.Warning, "The warm-up did not end: {Reason} The next use tries again.")]
    private static partial void Failed(ILogger logger, string reason);
}
