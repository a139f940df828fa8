using System.Collections.Immutable;
using System.Runtime.InteropServices;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json.Nodes;
using MeshProxy.Injection.Documents;

namespace MeshProxy.Injection.Webhook;

/// <summary>The running webhook: configuration, certificate, cluster, listeners.</summary>
public sealed class WebhookService : IDisposable
{
    private static readonly TimeSpan RenewalPeriod = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan RetryPeriod = TimeSpan.FromSeconds(5);

    // Endpoints of a Service lag behind a pod's end by seconds: until then requests still come and must be answered.
    private static readonly TimeSpan Drain = TimeSpan.FromSeconds(5);

    private readonly WebhookOptions _options;
    private readonly Action<string> _log;
    private readonly WebhookMetrics _metrics = new();
    private readonly ConfigurationFiles _files;
    private readonly KubernetesApi? _api;
    private readonly CertificateFiles? _certificateFiles;
    private readonly ServingCertificates? _certificates;
    private readonly WebhookConfigurationPatcher? _patcher;
    private readonly CancellationTokenSource _stop = new();
    private volatile bool _draining;

    /// <param name="options">How it is run.</param>
    /// <param name="log">Gets one line an event.</param>
    /// <exception cref="ManifestException">A file cannot be used.</exception>
    public WebhookService(WebhookOptions options, Action<string> log)
    {
        (_options, _log) = (options, log);
        _files = new ConfigurationFiles(options.ValuesFile, options.MeshConfigFile, log);
        _api = KubernetesApi.InCluster();
        if (_api is not null && options.Configurations.Count > 0 && options.CertificateFile is null)
            _patcher = new WebhookConfigurationPatcher(_api, options.Configurations, options.Revision, _metrics, log);
        if (options.PlainHttp)
            return;
        if (options.CertificateFile is not null)
            _certificateFiles = new CertificateFiles(options.CertificateFile, options.KeyFile ?? options.CertificateFile, log);
        else
            _certificates = new ServingCertificates(Store(), PublishAsync, Names(), TimeProvider.System);
    }

    /// <summary>Serves until SIGTERM or SIGINT.</summary>
    /// <returns>The process's exit status.</returns>
    public async Task<int> RunUntilSignalAsync()
    {
        using var terminated = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
        using var interrupted = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
        var background = new List<Task>();
        var settings = await SettingsAsync(background).ConfigureAwait(false);
        // Without a certificate that the API server trusts there is nothing to serve: not listening keeps the pod unready.
        if (_certificates is not null)
            await UntilDoneAsync(RenewOnceAsync, "the certificate could not be made").ConfigureAwait(false);
        if (_stop.IsCancellationRequested)
            return 0;
        var reviewer = new AdmissionReviewer(() => _files.Current, settings, _metrics, _log);
        await using var server = new WebhookServer(
            _options.Listen, Certificate(), _options.Monitoring, reviewer, _metrics, () => !_draining);
        await server.StartAsync(_stop.Token).ConfigureAwait(false);
        _log($"serving {(_options.PlainHttp ? "HTTP" : "HTTPS")} on {_options.Listen}");
        if (_certificates is not null)
            background.Add(RenewAsync());
        if (_patcher is not null)
            background.Add(_patcher.RunAsync(_stop.Token));
        await Task.Delay(Timeout.Infinite, _stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _draining = true;
        if (_options.Monitoring is not null)
            await Task.Delay(Drain).ConfigureAwait(false);
        await server.StopAsync(CancellationToken.None).ConfigureAwait(false);
        await Task.WhenAll(background).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return 0;
    }

    public void Dispose()
    {
        _files.Dispose();
        _certificateFiles?.Dispose();
        _api?.Dispose();
        _stop.Dispose();
    }

    private void Stop(PosixSignalContext signal)
    {
        signal.Cancel = true;
        _stop.Cancel();
    }

    private IAuthorityStore Store() => _api is null
        ? new MemoryAuthorityStore()
        : new SecretAuthorityStore(_api, _options.Namespace, _options.Service + "-authority");

    private ImmutableArray<string> Names()
    {
        var name = $"{_options.Service}.{_options.Namespace}.svc";
        return [name, name + ".cluster.local", $"{_options.Service}.{_options.Namespace}"];
    }

    private Task PublishAsync(string bundle, CancellationToken stop) =>
        _patcher?.PublishAsync(bundle, stop) ?? Task.CompletedTask;

    private Func<X509Certificate2>? Certificate()
    {
        if (_options.PlainHttp)
            return null;
        return _certificateFiles is { } files ? () => files.Current : () => _certificates!.Current!;
    }

    private async Task RenewAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            await Task.Delay(RenewalPeriod, _stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await UntilDoneAsync(RenewOnceAsync, "the certificate could not be renewed").ConfigureAwait(false);
        }
    }

    private async Task RenewOnceAsync(CancellationToken stop)
    {
        await _certificates!.RenewAsync(stop).ConfigureAwait(false);
        _metrics.SetCertificateExpiry(new DateTimeOffset(_certificates.Current!.NotAfter.ToUniversalTime()));
    }

    private async Task UntilDoneAsync(Func<CancellationToken, Task> attempt, string failure)
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                await attempt(_stop.Token).ConfigureAwait(false);
                return;
            }
            catch (Exception e) when (e is KubernetesException or HttpRequestException or IOException or FormatException
                or System.Text.Json.JsonException or OperationCanceledException)
            {
                if (!_stop.IsCancellationRequested)
                    _log($"{failure}: {e.Message}; again in {RetryPeriod.TotalSeconds} s");
                await Task.Delay(RetryPeriod, _stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    private async Task<ReviewerSettings> SettingsAsync(List<Task> background)
    {
        var settings = new ReviewerSettings
        {
            Revision = _options.Revision,
            NativeSidecars = _options.NativeSidecars,
            Nodes = await NodesAsync(background).ConfigureAwait(false),
            CompliancePolicy = _options.CompliancePolicy,
        };
        if (_api is null)
            return settings;
        await UntilDoneAsync(
            async stop =>
            {
                if (await NamespaceIdentities.AreNeededAsync(_api, stop).ConfigureAwait(false))
                    settings = settings with { Identity = new NamespaceIdentities(_api, TimeProvider.System).OfAsync };
            },
            "the kind of cluster is unknown").ConfigureAwait(false);
        return settings;
    }

    private async Task<NodeVersions?> NodesAsync(List<Task> background)
    {
        if (_options.Kubelets is { } given)
            return NodeVersions.Of(given);
        if (_api is null)
            return null;
        var nodes = new NodeVersions();
        var complete = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        background.Add(new ObjectWatch(_api, "/api/v1/nodes", "", _log)
        {
            Listed = (objects, _) =>
            {
                nodes.Clear();
                foreach (var node in objects)
                    Set(node);
                complete.TrySetResult();
                return Task.CompletedTask;
            },
            Changed = (node, gone, _) =>
            {
                if (gone)
                    nodes.Remove(node.Object("metadata").Text("name") ?? "");
                else
                    Set(node);
                return Task.CompletedTask;
            },
        }.RunAsync(_stop.Token));
        // A decision by half of the nodes could give an old one a pod that it cannot run.
        await complete.Task.WaitAsync(_stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return nodes;

        void Set(JsonObject node) => nodes.Set(
            node.Object("metadata").Text("name") ?? "", node.Object("status").Object("nodeInfo").Text("kubeletVersion"));
    }
}
