using System.Net;

namespace MeshProxy.Proxy.Observability.Tracing.Zipkin;

/// <summary>Writes spans in Zipkin's v2 format (https://zipkin.io/zipkin-api/, zipkin.proto).</summary>
/// <param name="service">Name of the local endpoint.</param>
/// <param name="shares">Server spans say that they are shared with their client's.</param>
internal abstract class ZipkinSpanWriter(string service, IPAddress address, bool shares)
{
    protected string Service => service;

    protected IPAddress Address => address;

    public abstract string ContentType { get; }

    public abstract byte[] Write(List<ZipkinSpan> spans);

    protected bool IsShared(ZipkinSpan span) => shares && span.IsServer;

    protected static long Microseconds(DateTime time) => (time - DateTime.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;

    /// <summary>At least one: Zipkin takes 0 for "not ended".</summary>
    protected static long Duration(ZipkinSpan span) => Math.Max(1, (span.End - span.Start).Ticks / TimeSpan.TicksPerMicrosecond);
}
