using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Network;
using MeshProxy.Proxy.Observability;
using MeshProxy.Xds.Protobuf;
using Config = Envoy.Extensions.Filters.Listener.HttpInspector.V3.HttpInspector;

namespace MeshProxy.Proxy.Listeners.Filters;

/// <summary>envoy.filters.listener.http_inspector: tells HTTP/1.0, HTTP/1.1 and HTTP/2 from other plaintext by the first line.</summary>
internal sealed class HttpInspectorFactory : IListenerFilterFactory
{
    public string ConfigType => Config.Descriptor.FullName;

    public string Name => "envoy.filters.listener.http_inspector";

    public IListenerFilterConfig Compile(Message config, FactoryContext context) =>
        new HttpInspectorConfig(context.ServerScope.Scope("http_inspector").Block(HttpInspectorConfig.Layout));
}

/// <summary>Compiled; shared by all connections.</summary>
internal sealed record HttpInspectorConfig(StatBlock Stats) : IListenerFilterConfig
{
    public const int ReadError = 0;
    public const int Http10Found = 1;
    public const int Http11Found = 2;
    public const int Http2Found = 3;
    public const int HttpNotFound = 4;

    public static readonly StatBlockLayout Layout = new(
    [
        ("read_error", StatKind.Counter),
        ("http10_found", StatKind.Counter),
        ("http11_found", StatKind.Counter),
        ("http2_found", StatKind.Counter),
        ("http_not_found", StatKind.Counter),
    ]);

    public IListenerFilter Create() => new HttpInspector(this);
}

/// <summary>At work on one connection.</summary>
internal sealed class HttpInspector(HttpInspectorConfig config) : IListenerFilter
{
    /// <summary>A first line longer than this is not HTTP (Envoy's MAX_INSPECT_SIZE).</summary>
    private const int MaxInspect = 64 * 1024;

    private IListenerFilterCallbacks _callbacks = null!;

    private static ReadOnlySpan<byte> Http2Preface => "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8;

    public int MaxReadBytes => MaxInspect;

    public FilterStatus OnAccept(IListenerFilterCallbacks callbacks)
    {
        _callbacks = callbacks;
        var protocol = callbacks.Info.DetectedTransportProtocol;
        return protocol.Length > 0 && protocol != "raw_buffer" ? FilterStatus.Continue : FilterStatus.StopIteration;
    }

    public FilterStatus OnData(ListenerFilterBuffer buffer)
    {
        var data = buffer.Peek();
        if (data.StartsWith(Http2Preface))
        {
            return Found("h2c", HttpInspectorConfig.Http2Found);
        }
        if (data.Length < Http2Preface.Length && Http2Preface.StartsWith(data))
        {
            return FilterStatus.StopIteration;
        }
        var end = data.IndexOfAny((byte)'\r', (byte)'\n');
        if (end < 0)
        {
            return data.Length >= MaxInspect || !CanBecomeRequestLine(data) ? NotHttp() : FilterStatus.StopIteration;
        }
        return Judge(data[..end]);
    }

    public void OnClose()
    {
    }

    private FilterStatus Judge(ReadOnlySpan<byte> line)
    {
        // method SP target SP version: any token is a method, as recorded.
        var first = line.IndexOf((byte)' ');
        if (first <= 0 || !IsToken(line[..first]))
        {
            return NotHttp();
        }
        var rest = line[(first + 1)..];
        var last = rest.LastIndexOf((byte)' ');
        var version = last < 0 ? default : rest[(last + 1)..];
        var target = last < 0 ? rest : rest[..last];
        if (!line.StartsWith("CONNECT "u8) && !CanBeTarget(target))
        {
            return NotHttp();
        }
        return version.SequenceEqual("HTTP/1.1"u8)
            ? Found("http/1.1", HttpInspectorConfig.Http11Found)
            : version.StartsWith("HTTP/"u8) || version.IsEmpty
                ? Found("http/1.0", HttpInspectorConfig.Http10Found)
                : NotHttp();
    }

    // RFC 9112 3.2: a path, an asterisk, or an absolute URI.
    private static bool CanBeTarget(ReadOnlySpan<byte> target) =>
        target.Length > 0 && (target[0] is (byte)'/' or (byte)'*' || target.IndexOf("://"u8) > 0);

    private static bool CanBecomeRequestLine(ReadOnlySpan<byte> data)
    {
        var space = data.IndexOf((byte)' ');
        return IsToken(space < 0 ? data : data[..space]);
    }

    private static bool IsToken(ReadOnlySpan<byte> text) => text.IndexOfAnyExcept(TokenBytes) < 0;

    // RFC 9110 5.6.2.
    private static readonly System.Buffers.SearchValues<byte> TokenBytes = System.Buffers.SearchValues.Create(
        "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"u8);

    private FilterStatus Found(string protocol, int stat)
    {
        _callbacks.Info.RequestedApplicationProtocols = [protocol];
        config.Stats.Inc(stat);
        return FilterStatus.Continue;
    }

    private FilterStatus NotHttp()
    {
        config.Stats.Inc(HttpInspectorConfig.HttpNotFound);
        return FilterStatus.Continue;
    }
}
