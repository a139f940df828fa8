using System.Net;
using System.Net.Sockets;
using MeshProxy.Proxy.Transport;

namespace MeshProxy.Proxy.Observability.Formatting;

/// <summary>Gets an address; null has no value.</summary>
internal delegate EndPoint? AddressGetter(in LogContext context);

/// <summary>Which part of an address is printed.</summary>
internal enum AddressPart
{
    Whole,
    WithoutPort,
    Port,
    EndpointId,
}

/// <summary>An operator that prints an address, or its host as a network when a mask length is given.</summary>
/// <param name="maskLength">Bits of the network in CIDR form; negative prints the host.</param>
internal sealed class AddressOperator(AddressGetter get, AddressPart part, int maskLength = -1) : FormatOperator
{
    public override bool Write(in LogContext context, ByteWriter output) =>
        get(context) is { } address && Write(address, output);

    public override bool WriteJson(in LogContext context, ByteWriter output) =>
        part == AddressPart.Port ? Write(context, output) : base.WriteJson(context, output);

    private bool Write(EndPoint address, ByteWriter output)
    {
        switch (address)
        {
            case IPEndPoint ip when part == AddressPart.Port:
                output.Write(ip.Port);
                return true;
            case IPEndPoint ip when part == AddressPart.WithoutPort:
                WriteHost(ip.Address, output);
                return true;
            case IPEndPoint ip when part == AddressPart.Whole:
                WriteWhole(ip, output);
                return true;
            case InternalEndPoint internalAddress when part == AddressPart.EndpointId:
                output.Write(internalAddress.EndpointId);
                return true;
            case not IPEndPoint when part is AddressPart.Whole or AddressPart.WithoutPort && maskLength < 0:
                output.Write(address.ToString()!);
                return true;
            default:
                return false;
        }
    }

    private static void WriteWhole(IPEndPoint ip, ByteWriter output)
    {
        var v6 = ip.AddressFamily == AddressFamily.InterNetworkV6;
        if (v6)
        {
            output.Write((byte)'[');
        }
        WriteAddress(ip.Address, output);
        if (v6)
        {
            output.Write((byte)']');
        }
        output.Write((byte)':');
        output.Write(ip.Port);
    }

    private void WriteHost(IPAddress address, ByteWriter output)
    {
        if (maskLength < 0)
        {
            WriteAddress(address, output);
            return;
        }
        Span<byte> bytes = stackalloc byte[16];
        address.TryWriteBytes(bytes, out var length);
        var bits = Math.Min(maskLength, length * 8);
        for (var i = 0; i < length; i++)
        {
            var kept = Math.Clamp(bits - (i * 8), 0, 8);
            bytes[i] &= (byte)(0xFF00 >> kept);
        }
        WriteAddress(new IPAddress(bytes[..length]), output);
        output.Write((byte)'/');
        output.Write(bits);
    }

    private static void WriteAddress(IPAddress address, ByteWriter output)
    {
        // 65: the longest text of an IPv6 address with a scope.
        address.TryFormat(output.GetSpan(65), out var written);
        output.Advance(written);
    }
}
