using System.Runtime.CompilerServices;

namespace MeshProxy.Xds.Protobuf;

/// <summary>Numbers to and from the 64 bits they are stored in: integers sign-extended, floats by their bits.</summary>
internal static class ScalarBits
{
    public static T To<T>(ulong bits)
        where T : unmanaged
    {
        if (typeof(T) == typeof(bool))
        {
            return Unsafe.BitCast<bool, T>(bits != 0);
        }

        // Little-endian: the low bytes are the value of every narrower type.
        return Unsafe.As<ulong, T>(ref bits);
    }

    public static ulong From<T>(T value)
        where T : unmanaged
    {
        if (typeof(T) == typeof(int) || (typeof(T).IsEnum && Unsafe.SizeOf<T>() == sizeof(int)))
        {
            return (ulong)(long)Unsafe.BitCast<T, int>(value);
        }

        var bits = 0UL;
        Unsafe.As<ulong, T>(ref bits) = value;
        return bits;
    }
}
