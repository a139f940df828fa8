using MeshProxy.Proxy.Transport;

namespace MeshProxy.Proxy.Http.Grpc;

/// <summary>Counts gRPC messages in a body as it passes, without keeping any of it.</summary>
public struct GrpcFrameCounter
{
    private int _prefixRead;
    private uint _length;
    private uint _skip;

    /// <summary>Messages whose prefix was seen whole.</summary>
    public ulong Count { get; private set; }

    /// <summary>True when a message began in this piece.</summary>
    public bool Inspect(ByteBuffer data)
    {
        var before = Count;
        foreach (var segment in data)
        {
            Inspect(segment.Span);
        }
        return Count != before;
    }

    private void Inspect(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            if (_skip > 0)
            {
                var take = (int)Math.Min(_skip, (uint)bytes.Length);
                _skip -= (uint)take;
                bytes = bytes[take..];
                continue;
            }
            if (_prefixRead > 0)
            {
                _length = (_length << 8) | bytes[0];
            }
            bytes = bytes[1..];
            if (++_prefixRead == GrpcMessages.PrefixLength)
            {
                Count++;
                _skip = _length;
                _prefixRead = 0;
                _length = 0;
            }
        }
    }
}
