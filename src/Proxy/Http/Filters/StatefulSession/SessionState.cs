using System.Text;

namespace MeshProxy.Proxy.Http.Filters.StatefulSession;

/// <summary>How a client carries the name of its endpoint.</summary>
internal abstract class SessionState
{
    /// <summary>The endpoint, `ip:port`; null when the request names none.</summary>
    public abstract string? Read(HeaderMap request);

    /// <summary>Tells the client the endpoint it got.</summary>
    public abstract void Write(HeaderMap response, string address);

    /// <summary>False for paths the session is not for.</summary>
    public virtual bool AppliesTo(ReadOnlySpan<byte> path) => true;

    protected static byte[]? Decode(ReadOnlySpan<byte> base64)
    {
        var bytes = new byte[base64.Length];
        return System.Buffers.Text.Base64.DecodeFromUtf8(base64, bytes, out var consumed, out var written)
            == System.Buffers.OperationStatus.Done && consumed == base64.Length
            ? bytes[..written]
            : null;
    }
}

/// <summary>envoy.http.stateful_session.header: base64 of the address.</summary>
internal sealed class HeaderSession(string header) : SessionState
{
    private readonly byte[] _name = Encoding.ASCII.GetBytes(header.ToLowerInvariant());

    public override string? Read(HeaderMap request) =>
        request.TryGet(_name, out var value) && Decode(value) is { } address ? Encoding.Latin1.GetString(address) : null;

    public override void Write(HeaderMap response, string address) =>
        response.Set(_name, Encoding.ASCII.GetBytes(Convert.ToBase64String(Encoding.Latin1.GetBytes(address))));
}
