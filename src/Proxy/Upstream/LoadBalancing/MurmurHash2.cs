using System.Buffers.Binary;

namespace MeshProxy.Proxy.Upstream.LoadBalancing;

/// <summary>MurmurHash64A with the seed of libstdc++'s std::hash (hash_function MURMUR_HASH_2).</summary>
internal static class MurmurHash2
{
    private const ulong Seed = 0xc70f6907UL;
    private const ulong Multiplier = 0xc6a4a7935bd1e995UL;
    private const int Shift = 47;

    public static ulong Hash(ReadOnlySpan<byte> data)
    {
        var hash = Seed ^ ((ulong)data.Length * Multiplier);
        while (data.Length >= 8)
        {
            hash = Mix(hash, BinaryPrimitives.ReadUInt64LittleEndian(data));
            data = data[8..];
        }
        if (!data.IsEmpty)
        {
            ulong tail = 0;
            for (var i = data.Length - 1; i >= 0; i--)
            {
                tail = (tail << 8) | data[i];
            }
            hash = (hash ^ tail) * Multiplier;
        }
        hash = (hash ^ (hash >> Shift)) * Multiplier;
        return hash ^ (hash >> Shift);
    }

    private static ulong Mix(ulong hash, ulong word)
    {
        word *= Multiplier;
        word ^= word >> Shift;
        return (hash ^ (word * Multiplier)) * Multiplier;
    }
}
