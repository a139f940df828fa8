using System.Runtime.InteropServices;
using Istio.Networking.Nds.V1;
using MeshProxy.Agent.Configuration;
using MeshProxy.Agent.Discovery;
using MeshProxy.Agent.Dns;
using MeshProxy.Agent.Security;
using MeshProxy.Agent.Status;
using MeshProxy.Xds.Mapping;
using MeshProxy.Xds.Protobuf;

namespace MeshProxy.Agent;

/// <summary>pilot-agent's duties around a proxy of the same process.</summary>
public sealed class AgentService
{
    private const string BootstrapFile = "envoy-rev.json";

    // Where redirects bring questions about names (DNS_PROXY_ADDR's default).
    private const int NamesPort = 15053;

    // As often as pilot-agent looks whether the last connection is gone.
    private static readonly TimeSpan DrainPoll = TimeSpan.FromSeconds(1);

    private readonly AgentOptions _options;
    private readonly AgentEnvironment _environment;
    private readonly Action<string> _log;
    private readonly TimeProvider _time;
    private readonly ProxyConfig _config;
    private readonly Dictionary<string, ApplicationProbe> _probes;
    private readonly IReadOnlyList<MetricsTarget> _targets;
    private readonly AgentSecrets _secrets = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly TaskCompletionSource<bool> _end = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile bool _hasDrained;
    private Message? _names;

    /// <param name="options">The command line.</param>
    /// <param name="environment">As the injector writes it.</param>
    /// <param name="log">Gets one sentence an event.</param>
    /// <param name="time">What waiting is measured by; null is the system's.</param>
    /// <exception cref="AgentException">The environment is not as it has to be.</exception>
    public AgentService(
        AgentOptions options, AgentEnvironment environment, Action<string> log, TimeProvider? time = null)
    {
        (_options, _environment, _log, _time) = (options, environment, log, time ?? TimeProvider.System);
        _config = ProxyConfig.Read(environment);
        _probes = ProbeSettings.Parse(environment.Find("ISTIO_KUBE_APP_PROBERS"));
        _targets = MetricsSettings.Parse(environment.Find("ISTIO_PROMETHEUS_ANNOTATIONS"), _config.StatusPort);
    }

    /// <summary>Where the proxy is served its secrets.</summary>
    internal const string SecretSocket = "./var/run/secrets/workload-spiffe-uds/socket";

    private bool CapturesNames => _environment.Flag("ISTIO_META_DNS_CAPTURE");

    /// <summary>Where the proxy is served its configuration.</summary>
    internal static string DiscoverySocket(ProxyConfig config) => $"{config.ConfigPath.TrimEnd('/')}/XDS";

    /// <summary>Runs until the proxy ends or the process is told to, draining before it goes.</summary>
    /// <param name="makeProxy">
    /// Makes the proxy of a command line of Envoy's, and of the listener's name that is to answer before it is configured.
    /// </param>
    /// <returns>The process's exit status.</returns>
    public int Run(Func<string[], string, IProxy> makeProxy)
    {
        using var terminated = PosixSignalRegistration.Create(PosixSignal.SIGTERM, End);
        using var interrupted = PosixSignalRegistration.Create(PosixSignal.SIGINT, End);
        var file = WriteBootstrap();
        using var proxy = makeProxy(
            BootstrapBuilder.Arguments(_options, _environment, _config, file),
            BootstrapBuilder.ReadinessListener(_environment));
        return RunAsync(proxy).GetAwaiter().GetResult();
    }

    private async Task<int> RunAsync(IProxy proxy)
    {
        using var xds = new IstiodConnection("XDS", _config.DiscoveryAddress, _config.IsControlPlanePlain, _environment);
        using var authority = Authority();
        using var names = CapturesNames ? StartNames() : null;
        var relay = new DiscoveryRelay(xds, names is null ? null : table => TakeNames(names, table), _log);
        await using var local = new LocalServer(
            DiscoverySocket(_config), SecretSocket, relay, _secrets, _log);
        using var prober = new Prober(ProbedAddress(), _config.StatusPort);
        using var metrics = new MergedMetrics(
            _environment.Number("ENVOY_PROMETHEUS_PORT", 15090), _targets, NodeMetadata.IstioVersion, () => _secrets.Expiry);
        await using var status = new StatusServer(
            _config.StatusPort, _probes, prober, metrics, _environment.Flag("METRICS_LOCALHOST_ACCESS_ONLY"), Actions(proxy));
        await local.StartAsync().ConfigureAwait(false);
        var credentials = KeepCredentialsAsync(authority);
        await status.StartAsync().ConfigureAwait(false);
        var running = Task.Factory.StartNew(proxy.Run, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        var first = await Task.WhenAny(running, _end.Task).ConfigureAwait(false);
        if (first == _end.Task && await _end.Task.ConfigureAwait(false))
            await Task.WhenAny(DrainAsync(proxy), running).ConfigureAwait(false);
        proxy.Shutdown();
        await running.ConfigureAwait(false);
        await _stop.CancelAsync().ConfigureAwait(false);
        await credentials.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return 0;
    }

    private IstiodConnection Authority()
    {
        var address = _environment.Text("CA_ADDR", _config.DiscoveryAddress);
        // 15010 is istiod's port without TLS; elsewhere a token must not leave the pod in plain text.
        var isPlain = address.EndsWith(":15010", StringComparison.Ordinal)
            || (address == _config.DiscoveryAddress && _config.IsControlPlanePlain);
        return new IstiodConnection("CA", address, isPlain, _environment);
    }

    private StatusActions Actions(IProxy proxy) => new()
    {
        IsReady = () => proxy.IsLive && (!CapturesNames || Volatile.Read(ref _names) is not null),
        Quit = () => _end.TrySetResult(false),
        Drain = () =>
        {
            _hasDrained = true;
            proxy.Drain(IsInboundOnly);
        },
        NameTable = () => !CapturesNames ? null
            : Volatile.Read(ref _names) is { } names ? names.ToJsonText(JsonWriteOptions.Admin)
            : "{}",
    };

    // What the application still sends while it ends is let out; a gateway has no application.
    private bool IsInboundOnly => _options.Role == "sidecar";

    private async Task DrainAsync(IProxy proxy)
    {
        // The drain of a native sidecar began before its application ended, and is over.
        if (_hasDrained)
            return;
        proxy.Drain(IsInboundOnly);
        if (!_environment.Flag("EXIT_ON_ZERO_ACTIVE_CONNECTIONS"))
        {
            _log($"Draining for {_config.TerminationDrainDuration.TotalSeconds} s.");
            await Task.Delay(_config.TerminationDrainDuration, _time).ConfigureAwait(false);
            return;
        }
        _log("Draining until no connection is open.");
        await Task.Delay(_environment.Duration("MINIMUM_DRAIN_DURATION", TimeSpan.FromSeconds(5)), _time)
            .ConfigureAwait(false);
        while (await proxy.OpenConnectionsAsync().ConfigureAwait(false) > 0)
            await Task.Delay(DrainPoll, _time).ConfigureAwait(false);
    }

    private Task KeepCredentialsAsync(IstiodConnection authority)
    {
        if (MountedCredentials.Folder() is { } folder)
            return WatchCredentialsAsync(folder);
        return new IssuedCredentials(authority, _environment, _time, _log).RunAsync(_secrets.Set, _stop.Token);
    }

    private async Task WatchCredentialsAsync(string folder)
    {
        using var watch = new MeshProxy.ControlPlane.Resources.FolderWatch(folder, Load);
        Load();
        await Task.Delay(Timeout.Infinite, _stop.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

        void Load()
        {
            if (MountedCredentials.Read() is { } credentials)
                _secrets.Set(credentials);
        }
    }

    private DnsProxy StartNames()
    {
        var names = new DnsProxy(NodeMetadata.DomainOf(_options, _environment), ResolverSettings.Read("/etc/resolv.conf"), _log);
        names.Start(NamesPort);
        return names;
    }

    private void TakeNames(DnsProxy names, NameTable table)
    {
        names.Update(table);
        Volatile.Write(ref _names, table.Message);
    }

    private string WriteBootstrap()
    {
        var file = Path.Combine(_config.ConfigPath, BootstrapFile);
        try
        {
            Directory.CreateDirectory(_config.ConfigPath);
            File.WriteAllText(file, BootstrapBuilder.Build(_options, _environment, _config).ToJsonString());
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new AgentException($"the bootstrap cannot be written: {e.Message}", e);
        }
        return file;
    }

    // REWRITE_PROBE_LEGACY_LOCALHOST_DESTINATION is Istio's switch for applications that listen on the loopback alone.
    private string ProbedAddress() => _environment.Flag("REWRITE_PROBE_LEGACY_LOCALHOST_DESTINATION")
        ? "localhost"
        : _environment.Text("INSTANCE_IP", "localhost");

    /// <summary>Drains and ends, as on SIGTERM.</summary>
    internal void Terminate() => _end.TrySetResult(true);

    private void End(PosixSignalContext context)
    {
        context.Cancel = true;
        Terminate();
    }
}
