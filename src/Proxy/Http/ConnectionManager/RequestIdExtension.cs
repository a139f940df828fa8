using System.Buffers.Text;

namespace MeshProxy.Proxy.Http.ConnectionManager;

/// <summary>Why a request is traced; packed into the version nibble of its id (http-semantics 11).</summary>
internal enum TraceReason
{
    NotTraceable,
    Sampling,
    ServiceForced,
    ClientForced,
}

/// <summary>x-request-id as UUID (envoy.request_id.uuid).</summary>
internal sealed class RequestIdExtension(bool packTraceReason, bool useForSampling)
{
    private const int Length = RandomUuid.Length;

    /// <summary>The version nibble of a UUID (RFC 9562 4): the 15th character.</summary>
    private const int ReasonAt = 14;

    public bool UseForSampling { get; } = useForSampling;

    /// <summary>Makes a new random id unless there is one and it may stay.</summary>
    public static void Set(HeaderMap headers, bool force)
    {
        if (!force && !headers.Get(KnownHeader.XRequestId).IsEmpty)
        {
            return;
        }
        Span<byte> id = stackalloc byte[Length];
        RandomUuid.Write(id);
        headers.Set(KnownHeader.XRequestId, id);
    }

    /// <summary>The id goes back to the client.</summary>
    public static void SetInResponse(HeaderMap response, HeaderMap request)
    {
        if (request.TryGet(KnownHeader.XRequestId, out var id))
        {
            response.Set(KnownHeader.XRequestId, id);
        }
    }

    /// <summary>The number sampling draws with; null when the id is no UUID.</summary>
    public static ulong? Integer(HeaderMap headers)
    {
        var id = headers.Get(KnownHeader.XRequestId);
        return id.Length == Length && Utf8Parser.TryParse(id[..8], out uint value, out var used, 'x') && used == 8 ? value : null;
    }

    public TraceReason Reason(HeaderMap headers)
    {
        var id = headers.Get(KnownHeader.XRequestId);
        if (!packTraceReason || id.Length != Length)
        {
            return TraceReason.NotTraceable;
        }
        return id[ReasonAt] switch
        {
            (byte)'9' => TraceReason.Sampling,
            (byte)'a' => TraceReason.ServiceForced,
            (byte)'b' => TraceReason.ClientForced,
            _ => TraceReason.NotTraceable,
        };
    }

    public void SetReason(HeaderMap headers, TraceReason reason)
    {
        var index = headers.IndexOf(KnownHeader.XRequestId, 0);
        if (!packTraceReason || index < 0 || headers.Value(index).Length != Length)
        {
            return;
        }
        Span<byte> id = stackalloc byte[Length];
        headers.Value(index).CopyTo(id);
        id[ReasonAt] = (byte)(reason switch
        {
            TraceReason.Sampling => '9',
            TraceReason.ServiceForced => 'a',
            TraceReason.ClientForced => 'b',
            _ => '4',
        });
        headers.Replace(index, id);
    }
}
