using System.Buffers.Text;
using MeshProxy.Proxy.Transport.Native;

namespace MeshProxy.Proxy.Http.ConnectionManager;

/// <summary>
/// Version 4 UUIDs (RFC 9562 5.4) from a block of the kernel's random bytes per thread: Guid.NewGuid asks the kernel for 16
/// bytes each time, which was 5 % of a request.
/// </summary>
internal static class RandomUuid
{
    /// <summary>Bytes of the text form.</summary>
    public const int Length = 36;

    private const int BlockSize = 4096;

    [ThreadStatic]
    private static byte[]? t_block;

    [ThreadStatic]
    private static int t_used;

    public static void Write(Span<byte> destination)
    {
        if (t_block is null || t_used == BlockSize)
        {
            t_block ??= new byte[BlockSize];
            Fill(t_block);
            t_used = 0;
        }
        var bytes = t_block.AsSpan(t_used, 16);
        t_used += 16;
        bytes[6] = (byte)((bytes[6] & 0x0f) | 0x40);
        bytes[8] = (byte)((bytes[8] & 0x3f) | 0x80);
        Utf8Formatter.TryFormat(new Guid(bytes, bigEndian: true), destination, out _);
    }

    // Not RandomNumberGenerator: that loads libcrypto, 3 MB that a plaintext proxy does not need. Up to 256 bytes a call are
    // never interrupted (getrandom(2)).
    private static unsafe void Fill(byte[] block)
    {
        const int Chunk = 256;
        fixed (byte* start = block)
        {
            for (var at = 0; at < block.Length; at += Chunk)
            {
                if (Libc.GetRandom(start + at, Chunk, 0) != Chunk)
                {
                    throw new InvalidOperationException("The kernel gave no random bytes (getrandom).");
                }
            }
        }
    }
}
