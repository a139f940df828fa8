using System.Net;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using MeshProxy.ControlPlane.Discovery;
using MeshProxy.ControlPlane.Monitoring;
using MeshProxy.ControlPlane.Resources;
using MeshProxy.ControlPlane.Security;

namespace MeshProxy.ControlPlane;

/// <summary>The running control plane: a folder of resources and an authority, served.</summary>
public sealed class ControlPlaneService : IAsyncDisposable
{
    private readonly Action<string> _log;
    private readonly ControlPlaneMetrics _metrics = new();
    private readonly ResourceFolder _folder;
    private readonly CertificateAuthority _authority;
    private readonly DiscoverySource _source;
    private readonly FolderWatch _watch;
    private readonly ServerTls? _tls;
    private readonly DiscoveryServer _server;

    /// <param name="options">How it is run.</param>
    /// <param name="log">Gets one sentence an event.</param>
    /// <exception cref="ControlPlaneException">It cannot run so.</exception>
    public ControlPlaneService(ControlPlaneOptions options, Action<string> log)
    {
        _log = log;
        if (!Directory.Exists(options.Directory))
            throw new ControlPlaneException($"there is no folder {options.Directory}: give one with --dir");
        _tls = options.CertificateFile is { } file
            ? new ServerTls(file, options.KeyFile, options.ClientAuthorityFile)
            : null;
        _authority = Authority(options);
        _folder = new ResourceFolder(options.Directory, log);
        _metrics.SetRootExpiry(_authority.RootEnd);
        _source = new DiscoverySource(_folder, options.TrustDomain, _metrics, log)
        {
            Secrets = new WorkloadSecrets(
                _authority, options.CertificateLifetime, TimeProvider.System, () => _source!.RaiseChanged()),
        };
        // Watched before it is read: a change in between is read twice rather than never.
        _watch = new FolderWatch(options.Directory, Reload);
        Reload();
        _server = new DiscoveryServer(options.Listen, _tls, options.Monitoring, _source, _metrics, log);
        WarnOfOpenness(options);
    }

    /// <summary>The addresses that are listened on, the port that the system chose included.</summary>
    public IEnumerable<string> Addresses => _server.Addresses;

    /// <exception cref="ControlPlaneException">An address cannot be listened on.</exception>
    public async Task StartAsync()
    {
        try
        {
            await _server.StartAsync(CancellationToken.None).ConfigureAwait(false);
        }
        catch (IOException e)
        {
            throw new ControlPlaneException($"{e.Message.TrimEnd('.')}: give another address with --listen", e);
        }
        _log($"Serving {string.Join(" and ", Addresses)}.");
    }

    /// <summary>Serves until SIGTERM or SIGINT.</summary>
    public async Task RunUntilSignalAsync()
    {
        var told = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var terminated = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
        using var interrupted = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
        await StartAsync().ConfigureAwait(false);
        await told.Task.ConfigureAwait(false);
        await _server.StopAsync().ConfigureAwait(false);

        void Stop(PosixSignalContext context)
        {
            context.Cancel = true;
            told.TrySetResult();
        }
    }

    public Task StopAsync() => _server.StopAsync();

    public async ValueTask DisposeAsync()
    {
        _watch.Dispose();
        await _server.DisposeAsync().ConfigureAwait(false);
        _source.Secrets.Dispose();
        _authority.Dispose();
        _tls?.Dispose();
    }

    private void Reload()
    {
        try
        {
            if (_folder.Reload())
                _source.RaiseChanged();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            _metrics.CountFolderError();
            _log($"The folder cannot be read ({e.Message}); what was read before is served on.");
        }
    }

    private CertificateAuthority Authority(ControlPlaneOptions options)
    {
        var folder = options.AuthorityDirectory ?? Path.Combine(options.Directory, ".ca");
        try
        {
            return CertificateAuthority.LoadOrCreate(folder, DateTimeOffset.UtcNow);
        }
        catch (CryptographicException e)
        {
            throw new ControlPlaneException($"the authority in {folder} cannot be used: {e.Message}", e);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            if (options.AuthorityDirectory is not null)
                throw new ControlPlaneException($"the authority in {folder} cannot be used: {e.Message}", e);
            _log($"The authority is of this run alone, because it cannot be kept in {folder} ({e.Message}): name a folder with --ca-dir.");
            return CertificateAuthority.Create(DateTimeOffset.UtcNow);
        }
    }

    private void WarnOfOpenness(ControlPlaneOptions options)
    {
        if (options.ClientAuthorityFile is null && !IPAddress.IsLoopback(options.Listen.Address))
            _log($"Whoever reaches {options.Listen} gets certificates of any identity: keep it to a network you trust, or demand client certificates with --client-ca-file.");
    }
}
