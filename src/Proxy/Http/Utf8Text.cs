using System.Text;
using System.Text.Unicode;

namespace MeshProxy.Proxy.Http;

/// <summary>Bytes from the wire as text that protobuf may carry.</summary>
internal static class Utf8Text
{
    /// <summary>Every byte that belongs to no UTF-8 character becomes `!`, as Envoy's MessageUtil does it.</summary>
    public static string Sanitize(ReadOnlySpan<byte> bytes)
    {
        if (Utf8.IsValid(bytes))
        {
            return Encoding.UTF8.GetString(bytes);
        }
        var copy = bytes.ToArray();
        for (var i = 0; i < copy.Length;)
        {
            if (Rune.DecodeFromUtf8(copy.AsSpan(i), out _, out var used) == System.Buffers.OperationStatus.Done)
            {
                i += used;
            }
            else
            {
                copy[i++] = (byte)'!';
            }
        }
        return Encoding.UTF8.GetString(copy);
    }
}
