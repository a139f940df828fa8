using MeshProxy.Proxy.Transport;

namespace MeshProxy.Proxy.Http.Filters.Compression;

/// <summary>Packs or unpacks one body piece by piece, in place.</summary>
internal sealed class BodyTransformer : IDisposable
{
    private const int ReadSize = 16 * 1024;

    private readonly Stream? _packer;
    private readonly Stream? _unpacker;
    private readonly PieceStream _pieces = new();

    public BodyTransformer(Func<Stream, Stream> packer) => _packer = packer(_pieces);

    private BodyTransformer(Func<Stream, Stream> unpacker, bool _) => _unpacker = unpacker(_pieces);

    public static BodyTransformer Unpacking(Func<Stream, Stream> unpacker) => new(unpacker, true);

    /// <summary>Replaces the piece by its other form; each piece can be read by the receiver on its own.</summary>
    /// <exception cref="InvalidDataException">What is to be unpacked is not of the coding.</exception>
    public void Transform(ByteBuffer data, bool endStream)
    {
        if (_packer is not null)
        {
            Pack(_packer, data, endStream);
        }
        else
        {
            Unpack(_unpacker!, data);
        }
    }

    public void Dispose()
    {
        _packer?.Dispose();
        _unpacker?.Dispose();
        _pieces.Dispose();
    }

    private void Pack(Stream packer, ByteBuffer data, bool endStream)
    {
        foreach (var segment in data)
        {
            packer.Write(segment.Span);
        }
        data.Drain(data.Length);
        if (endStream)
        {
            packer.Dispose();
        }
        else
        {
            packer.Flush();
        }
        data.MoveFrom(_pieces.Bytes);
    }

    private void Unpack(Stream unpacker, ByteBuffer data)
    {
        _pieces.Bytes.MoveFrom(data);
        var chunk = new byte[ReadSize];
        for (var read = unpacker.Read(chunk); read > 0; read = unpacker.Read(chunk))
        {
            data.Append(chunk.AsSpan(0, read));
        }
    }

    /// <summary>Bytes handed from one side to the other; reading ends where nothing is left for now.</summary>
    private sealed class PieceStream : Stream
    {
        public ByteBuffer Bytes { get; } = new();

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

        public override int Read(Span<byte> buffer)
        {
            var count = (int)Math.Min(buffer.Length, Bytes.Length);
            Bytes.CopyTo(buffer[..count]);
            Bytes.Drain(count);
            return count;
        }

        public override void Write(byte[] buffer, int offset, int count) => Bytes.Append(buffer.AsSpan(offset, count));

        public override void Write(ReadOnlySpan<byte> buffer) => Bytes.Append(buffer);

        public override void Flush()
        {
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();
    }
}
