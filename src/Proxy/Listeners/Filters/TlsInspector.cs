using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Network;
using MeshProxy.Proxy.Observability;
using MeshProxy.Xds.Protobuf;
using Config = Envoy.Extensions.Filters.Listener.TlsInspector.V3.TlsInspector;

namespace MeshProxy.Proxy.Listeners.Filters;

/// <summary>envoy.filters.listener.tls_inspector: finds out whether a connection begins with TLS, and its SNI and ALPN.</summary>
internal sealed class TlsInspectorFactory : IListenerFilterFactory
{
    public string ConfigType => Config.Descriptor.FullName;

    public string Name => "envoy.filters.listener.tls_inspector";

    public IListenerFilterConfig Compile(Message config, FactoryContext context)
    {
        var inspector = Config.From(config);
        if (inspector.EnableJa3Fingerprinting == true || inspector.EnableJa4Fingerprinting == true)
        {
            throw new ConfigurationException(
                "tls_inspector: enable_ja3_fingerprinting and enable_ja4_fingerprinting are not supported; remove them.");
        }
        return new TlsInspectorConfig(
            (int)(inspector.MaxClientHelloSize ?? TlsInspectorConfig.DefaultMaxClientHello),
            inspector.CloseConnectionOnClientHelloParsingErrors,
            context.ServerScope.Scope("tls_inspector").Block(TlsInspectorConfig.Layout));
    }
}

/// <summary>Compiled; shared by all connections.</summary>
internal sealed record TlsInspectorConfig(int MaxClientHello, bool CloseOnParseError, StatBlock Stats) : IListenerFilterConfig
{
    /// <summary>TLS_MAX_CLIENT_HELLO of Envoy: 16 KiB.</summary>
    public const int DefaultMaxClientHello = 16 * 1024;

    public const int HelloTooLarge = 0;
    public const int TlsFound = 1;
    public const int TlsNotFound = 2;
    public const int AlpnFound = 3;
    public const int AlpnNotFound = 4;
    public const int SniFound = 5;
    public const int SniNotFound = 6;
    public const int BytesProcessed = 7;

    public static readonly StatBlockLayout Layout = new(
    [
        ("client_hello_too_large", StatKind.Counter),
        ("tls_found", StatKind.Counter),
        ("tls_not_found", StatKind.Counter),
        ("alpn_found", StatKind.Counter),
        ("alpn_not_found", StatKind.Counter),
        ("sni_found", StatKind.Counter),
        ("sni_not_found", StatKind.Counter),
        ("bytes_processed", StatKind.Histogram),
    ]);

    public IListenerFilter Create() => new TlsInspector(this);
}

/// <summary>At work on one connection.</summary>
internal sealed class TlsInspector(TlsInspectorConfig config) : IListenerFilter
{
    private IListenerFilterCallbacks _callbacks = null!;

    public int MaxReadBytes => config.MaxClientHello;

    public FilterStatus OnAccept(IListenerFilterCallbacks callbacks)
    {
        _callbacks = callbacks;
        return FilterStatus.StopIteration;
    }

    public FilterStatus OnData(ListenerFilterBuffer buffer)
    {
        var data = buffer.Peek();
        switch (ClientHello.Parse(data, config.MaxClientHello, out var hello))
        {
            case ClientHelloVerdict.NeedMoreBytes when data.Length >= config.MaxClientHello:
                config.Stats.Inc(TlsInspectorConfig.HelloTooLarge);
                _callbacks.ContinueFilterChain(false);
                return FilterStatus.StopIteration;
            case ClientHelloVerdict.NeedMoreBytes:
                return FilterStatus.StopIteration;
            case ClientHelloVerdict.Malformed when config.CloseOnParseError:
                _callbacks.ContinueFilterChain(false);
                return FilterStatus.StopIteration;
            case ClientHelloVerdict.Complete:
                Found(hello, data.Length);
                return FilterStatus.Continue;
            default:
                config.Stats.Inc(TlsInspectorConfig.TlsNotFound);
                config.Stats.Record(TlsInspectorConfig.BytesProcessed, data.Length);
                return FilterStatus.Continue;
        }
    }

    public void OnClose()
    {
    }

    private void Found(ClientHello hello, int bytes)
    {
        var info = _callbacks.Info;
        info.DetectedTransportProtocol = "tls";
        config.Stats.Inc(TlsInspectorConfig.TlsFound);
        config.Stats.Record(TlsInspectorConfig.BytesProcessed, bytes);
        if (hello.ServerName.Length > 0)
        {
            info.RequestedServerName = hello.ServerName;
            config.Stats.Inc(TlsInspectorConfig.SniFound);
        }
        else
        {
            config.Stats.Inc(TlsInspectorConfig.SniNotFound);
        }
        if (hello.ApplicationProtocols is { } protocols)
        {
            info.RequestedApplicationProtocols = protocols;
            config.Stats.Inc(TlsInspectorConfig.AlpnFound);
        }
        else
        {
            config.Stats.Inc(TlsInspectorConfig.AlpnNotFound);
        }
    }
}
