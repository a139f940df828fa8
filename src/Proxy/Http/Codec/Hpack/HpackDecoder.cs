using System.Buffers;

namespace MeshProxy.Proxy.Http.Codec.Hpack;

/// <summary>Decodes header blocks (RFC 7541). One a connection; a block must be decoded even if its headers are not wanted.</summary>
internal sealed class HpackDecoder(int maxTableSize)
{
    /// <summary>No integer of a sensible block is larger; keeps sums far from overflow.</summary>
    private const int MaxInteger = 1 << 28;

    private readonly DynamicTable _table = new(maxTableSize);
    private byte[] _nameScratch = [];
    private byte[] _valueScratch = [];

    /// <summary>Decodes a whole block; false is a COMPRESSION_ERROR of the connection (RFC 9113 4.3).</summary>
    public bool Decode(ReadOnlySpan<byte> block, IHeaderSink sink)
    {
        var mayResize = true;
        while (!block.IsEmpty)
        {
            var first = block[0];
            bool valid;
            if ((first & 0x80) != 0)
            {
                valid = DecodeIndexed(ref block, sink);
            }
            else if ((first & 0xE0) == 0x20)
            {
                valid = mayResize && DecodeResize(ref block);
                if (!valid)
                {
                    return false;
                }
                continue;
            }
            else
            {
                valid = DecodeLiteral(ref block, (first & 0x40) != 0, sink);
            }
            if (!valid)
            {
                return false;
            }
            mayResize = false;
        }
        return true;
    }

    private bool DecodeResize(ref ReadOnlySpan<byte> block)
    {
        if (!TryReadInteger(ref block, 5, out var size) || size > maxTableSize)
        {
            return false;
        }
        _table.Resize(size);
        return true;
    }

    private bool DecodeIndexed(ref ReadOnlySpan<byte> block, IHeaderSink sink)
    {
        if (!TryReadInteger(ref block, 7, out var index) || index == 0)
        {
            return false;
        }
        if (index <= StaticTable.Count)
        {
            sink.OnHeader(StaticTable.Known(index), StaticTable.Name(index), StaticTable.Value(index));
            return true;
        }
        var position = index - StaticTable.Count - 1;
        if (position >= _table.Count)
        {
            return false;
        }
        sink.OnHeader(_table.Known(position), _table.Name(position), _table.Value(position));
        return true;
    }

    private bool DecodeLiteral(ref ReadOnlySpan<byte> block, bool index, IHeaderSink sink)
    {
        if (!TryReadInteger(ref block, index ? 6 : 4, out var nameIndex)
            || !TryReadName(ref block, nameIndex, out var known, out var name)
            || !TryReadString(ref block, ref _valueScratch, out var value))
        {
            return false;
        }
        sink.OnHeader(known, name, value);
        if (index)
        {
            _table.Add(known, name, value);
        }
        return true;
    }

    private bool TryReadName(
        scoped ref ReadOnlySpan<byte> block, int index, out KnownHeader known, out ReadOnlySpan<byte> name)
    {
        if (index == 0)
        {
            known = KnownHeader.None;
            if (!TryReadString(ref block, ref _nameScratch, out name))
            {
                return false;
            }
            known = KnownHeaders.FindLower(name);
            return true;
        }
        if (index <= StaticTable.Count)
        {
            known = StaticTable.Known(index);
            name = StaticTable.Name(index);
            return true;
        }
        var position = index - StaticTable.Count - 1;
        if (position >= _table.Count)
        {
            known = KnownHeader.None;
            name = default;
            return false;
        }
        known = _table.Known(position);
        name = _table.Name(position);
        return true;
    }

    private static bool TryReadString(scoped ref ReadOnlySpan<byte> block, ref byte[] scratch, out ReadOnlySpan<byte> text)
    {
        text = default;
        if (block.IsEmpty)
        {
            return false;
        }
        var isHuffman = (block[0] & 0x80) != 0;
        if (!TryReadInteger(ref block, 7, out var length) || length > block.Length)
        {
            return false;
        }
        var raw = block[..length];
        block = block[length..];
        if (!isHuffman)
        {
            text = raw;
            return true;
        }
        var most = HuffmanCode.MaxDecodedLength(length);
        if (scratch.Length < most)
        {
            scratch = new byte[Math.Max(256, most)];
        }
        var decoded = HuffmanCode.Decode(raw, scratch);
        if (decoded < 0)
        {
            return false;
        }
        text = scratch.AsSpan(0, decoded);
        return true;
    }

    private static bool TryReadInteger(scoped ref ReadOnlySpan<byte> block, int prefixBits, out int value)
    {
        var full = (1 << prefixBits) - 1;
        value = block[0] & full;
        if (value < full)
        {
            block = block[1..];
            return true;
        }
        for (int i = 1, shift = 0; i < block.Length && shift <= 28; i++, shift += 7)
        {
            var part = (long)(block[i] & 0x7F) << shift;
            if (value + part > MaxInteger)
            {
                return false;
            }
            value += (int)part;
            if ((block[i] & 0x80) == 0)
            {
                block = block[(i + 1)..];
                return true;
            }
        }
        return false;
    }
}
