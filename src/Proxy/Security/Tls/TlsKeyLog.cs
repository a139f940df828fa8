using System.Net;
using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Matching;

namespace MeshProxy.Proxy.Security.Tls;

/// <summary>Writes session secrets in NSS key log format, for connections of chosen addresses; for debugging only.</summary>
internal sealed class TlsKeyLog
{
    private readonly object _gate = new();
    private readonly FileStream _file;
    private readonly CidrRange[] _local;
    private readonly CidrRange[] _remote;

    public TlsKeyLog(Envoy.Extensions.TransportSockets.Tls.V3.TlsKeyLog config)
    {
        _local = [.. config.LocalAddressRange.Select(static r => CidrRange.Compile(r, "key_log.local_address_range"))];
        _remote = [.. config.RemoteAddressRange.Select(static r => CidrRange.Compile(r, "key_log.remote_address_range"))];
        try
        {
            _file = new FileStream(config.Path, new FileStreamOptions
            {
                Mode = FileMode.Append, Access = FileAccess.Write, Share = FileShare.ReadWrite,
                UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite, BufferSize = 0,
            });
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            throw new ConfigurationException($"key_log: the file '{config.Path}' cannot be opened: {e.Message}", e);
        }
    }

    public void Write(EndPoint local, EndPoint remote, ReadOnlySpan<byte> line)
    {
        if ((_local.Length > 0 && !CidrRange.AnyContains(_local, local))
            || (_remote.Length > 0 && !CidrRange.AnyContains(_remote, remote)))
        {
            return;
        }
        lock (_gate)
        {
            _file.Write(line);
            _file.Write("\n"u8);
        }
    }
}
