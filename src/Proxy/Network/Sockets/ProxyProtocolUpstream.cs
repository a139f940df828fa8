using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Transport;
using MeshProxy.Proxy.Upstream;
using PassThrough = Envoy.Config.Core.V3.ProxyProtocolPassThroughTLVs;
using Settings = Envoy.Config.Core.V3.ProxyProtocolConfig;
using Config = Envoy.Extensions.TransportSockets.ProxyProtocol.V3.ProxyProtocolUpstreamTransport;

namespace MeshProxy.Proxy.Network.Sockets;

/// <summary>envoy.transport_sockets.upstream_proxy_protocol: a PROXY header with the client's addresses begins each connection.</summary>
internal sealed class ProxyProtocolUpstreamFactory : IUpstreamTransportSocketFactory
{
    private readonly IUpstreamTransportSocketFactory _inner;
    private readonly int _version;
    private readonly Func<byte, bool>? _passedOn;
    private readonly KeyValuePair<byte, byte[]>[] _added;

    private ProxyProtocolUpstreamFactory(
        IUpstreamTransportSocketFactory inner, int version, Func<byte, bool>? passedOn, KeyValuePair<byte, byte[]>[] added) =>
        (_inner, _version, _passedOn, _added) = (inner, version, passedOn, added);

    public bool ImplementsSecureTransport => _inner.ImplementsSecureTransport;

    public bool IsReady => _inner.IsReady;

    public bool SupportsAlpn => _inner.SupportsAlpn;

    public bool SendsDownstreamAddresses => true;

    public static ProxyProtocolUpstreamFactory Compile(Config config, IUpstreamTransportSocketFactory inner)
    {
        var settings = config.Config ?? Settings.New();
        var added = new List<KeyValuePair<byte, byte[]>>();
        foreach (var tlv in settings.AddedTlvs)
        {
            if (tlv.FormatString is not null)
            {
                throw new ConfigurationException("upstream_proxy_protocol: added_tlvs.format_string is not supported; give value.");
            }
            added.Add(new((byte)tlv.Type, tlv.Value.ToArray()));
        }
        return new ProxyProtocolUpstreamFactory(
            inner, settings.VersionValue == Settings.Version.V2 ? 2 : 1, PassedOn(settings.PassThroughTlvs), [.. added]);
    }

    /// <summary>Which TLVs of the client's header go on; null is none.</summary>
    public static Func<byte, bool>? PassedOn(PassThrough? config)
    {
        if (config is not { } given)
        {
            return null;
        }
        if (given.MatchType == PassThrough.PassTLVsMatchType.IncludeAll)
        {
            return static _ => true;
        }
        var wanted = new HashSet<byte>();
        foreach (var type in given.TlvType)
        {
            wanted.Add((byte)type);
        }
        return wanted.Contains;
    }

    public ITransportSocket Create(TransportSocketOptions? options, Host host) =>
        new ProxyProtocolUpstream(_inner.Create(options, host), output => WriteHeader(output, options?.ProxyProtocol, host.ProxyProtocolTlvs));

    public TransportSocketOptions? SharingKey(TransportSocketOptions? options)
    {
        var inner = _inner.SharingKey(options);
        return options?.ProxyProtocol is { } data ? (inner ?? new TransportSocketOptions()) with { ProxyProtocol = data } : inner;
    }

    private void WriteHeader(ByteBuffer output, ProxyProtocolData? data, IReadOnlyList<KeyValuePair<byte, byte[]>> ofHost)
    {
        if (data is null)
        {
            // Nobody's connection (a health check): LOCAL.
            ProxyProtocolHeader.Write(output, _version, InternalEndPoint.Nowhere, InternalEndPoint.Nowhere, _added);
            return;
        }
        // An endpoint's own values go before the cluster's of the same type.
        var tlvs = new List<KeyValuePair<byte, byte[]>>(ofHost);
        tlvs.AddRange(_added.Where(added => !ofHost.Any(own => own.Key == added.Key)));
        foreach (var tlv in data.Tlvs)
        {
            if ((_passedOn?.Invoke(tlv.Key) ?? false) && !tlvs.Exists(own => own.Key == tlv.Key))
            {
                tlvs.Add(tlv);
            }
        }
        ProxyProtocolHeader.Write(output, _version, data.Source, data.Destination, tlvs);
    }
}

/// <summary>At work on one connection: the header leaves before the inner socket may write (a TLS handshake follows it).</summary>
internal sealed class ProxyProtocolUpstream(ITransportSocket inner, Action<ByteBuffer> writeHeader) : WrappedTransportSocket(inner)
{
    private readonly ByteBuffer _header = new();
    private bool _sent;

    public override bool CanFlushClose => _sent && Inner.CanFlushClose;

    public override void OnConnected()
    {
        writeHeader(_header);
        SendHeader();
    }

    public override IoResult DoWrite(ByteBuffer buffer, bool endStream) => _sent || SendHeader() is not { } failed
        ? _sent ? Inner.DoWrite(buffer, endStream) : new IoResult(0)
        : failed;

    // The result that ends the connection, if any.
    private IoResult? SendHeader()
    {
        while (!_header.IsEmpty)
        {
            var count = Callbacks.Io.Write(_header);
            if (count < 0)
            {
                return count == -IIoHandle.Again ? null : new IoResult(0, Close: true);
            }
            _header.Drain(count);
        }
        _sent = true;
        Inner.OnConnected();
        return null;
    }
}
