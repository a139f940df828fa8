using Envoy.Config.Core.V3;
using MeshProxy.Proxy.Configuration;

namespace MeshProxy.Proxy.Upstream.Health;

/// <summary>Payloads of checks: a response passes when it holds all of them, in order, with anything between.</summary>
internal sealed class PayloadMatcher
{
    private readonly byte[][] _parts;

    private PayloadMatcher(byte[][] parts) => _parts = parts;

    public bool IsEmpty => _parts.Length == 0;

    public static PayloadMatcher Compile(Xds.Protobuf.MessageList<HealthCheck.Payload> payloads)
    {
        var parts = new byte[payloads.Count][];
        for (var i = 0; i < parts.Length; i++)
        {
            parts[i] = Read(payloads[i]);
        }
        return new PayloadMatcher(parts);
    }

    /// <summary>Text is hexadecimal.</summary>
    public static byte[] Read(HealthCheck.Payload payload)
    {
        if (payload.PayloadCase == HealthCheck.Payload.PayloadOneofCase.Binary)
        {
            return payload.Binary.ToArray();
        }
        try
        {
            return Convert.FromHexString(payload.Text);
        }
        catch (FormatException wrong)
        {
            throw new ConfigurationException($"invalid hex string '{payload.Text}' in a health check's payload; write bytes as pairs of hexadecimal digits.", wrong);
        }
    }

    public bool Matches(ReadOnlySpan<byte> data)
    {
        foreach (var part in _parts)
        {
            var at = data.IndexOf(part);
            if (at < 0)
            {
                return false;
            }
            data = data[(at + part.Length)..];
        }
        return true;
    }
}
