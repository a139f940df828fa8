using System.Buffers;
using System.Buffers.Text;
using Google.Protobuf.WellKnownTypes;
using MeshProxy.Proxy.Observability.Istio;
using MeshProxy.Proxy.Transport;
using MeshProxy.Xds.Protobuf;

namespace MeshProxy.Proxy.Http.Filters.PeerMetadata;

/// <summary>
/// The peers that headers told of, by their id, so that a header is decoded once. One table a loop. An entry only serves a
/// header equal to the one it was made of: a peer cannot speak for another one.
/// </summary>
internal sealed class PeerCache(int loops, IReadOnlySet<string> additionalLabels)
{
    // Istio's default of max_peer_cache_size.
    private const int MaxPeers = 500;

    private readonly Dictionary<byte[], Entry>?[] _loops = new Dictionary<byte[], Entry>?[loops];

    /// <summary>The workload of a header; null when it is no such metadata.</summary>
    public WorkloadMetadata? Find(ReadOnlySpan<byte> id, ReadOnlySpan<byte> header)
    {
        if (id.IsEmpty || EventLoop.Current is not { } loop || (uint)loop.Index >= (uint)_loops.Length)
        {
            return Decode(header);
        }
        var peers = _loops[loop.Index] ??= new Dictionary<byte[], Entry>(BytesComparer.Instance);
        var lookup = peers.GetAlternateLookup<ReadOnlySpan<byte>>();
        if (lookup.TryGetValue(id, out var known) && header.SequenceEqual(known.Header))
        {
            return known.Peer;
        }
        if (Decode(header) is not { } peer)
        {
            return null;
        }
        if (peers.Count >= MaxPeers)
        {
            peers.Clear();
        }
        lookup[id] = new Entry(header.ToArray(), peer);
        return peer;
    }

    /// <summary>Base64 with or without padding.</summary>
    private WorkloadMetadata? Decode(ReadOnlySpan<byte> header)
    {
        var padded = ArrayPool<byte>.Shared.Rent(header.Length + 4);
        var bytes = ArrayPool<byte>.Shared.Rent(Base64.GetMaxDecodedFromUtf8Length(header.Length + 4));
        try
        {
            header.CopyTo(padded);
            var length = header.Length;
            while (length % 4 != 0)
            {
                padded[length++] = (byte)'=';
            }
            return Base64.DecodeFromUtf8(padded.AsSpan(0, length), bytes, out _, out var written) == OperationStatus.Done
                ? Parse(bytes.AsSpan(0, written))
                : null;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(padded);
            ArrayPool<byte>.Shared.Return(bytes);
        }
    }

    private WorkloadMetadata? Parse(ReadOnlySpan<byte> bytes)
    {
        try
        {
            return WorkloadMetadataFormat.FromStruct(Message.Parse<Struct>(bytes), additionalLabels);
        }
        catch (ProtobufException)
        {
            return null;
        }
    }

    private sealed record Entry(byte[] Header, WorkloadMetadata Peer);
}
