using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Http;

namespace MeshProxy.Proxy.Observability.Formatting;

/// <summary>`%REQUESTED_SERVER_NAME(SNI_ONLY|SNI_FIRST|HOST_FIRST:ORIG|HOST|ORIG_OR_HOST)%`: the name the client asked for, in TLS or in the request.</summary>
internal sealed class ServerNameOperator : FormatOperator
{
    private readonly bool _sniFirst;
    private readonly bool _host;
    private readonly bool _original;
    private readonly bool _current;

    public ServerNameOperator(string argument)
    {
        var parts = argument.Split(':');
        var order = parts[0].Length == 0 ? "SNI_ONLY" : parts[0];
        var which = parts.Length > 1 ? parts[1] : "ORIG_OR_HOST";
        if (parts.Length > 2 || order is not ("SNI_ONLY" or "SNI_FIRST" or "HOST_FIRST")
            || which is not ("ORIG" or "HOST" or "ORIG_OR_HOST"))
        {
            throw new ConfigurationException(
                $"%REQUESTED_SERVER_NAME({argument})% is not understood; the first word is SNI_ONLY, SNI_FIRST or HOST_FIRST, the second ORIG, HOST or ORIG_OR_HOST.");
        }
        _sniFirst = order != "HOST_FIRST";
        _host = order != "SNI_ONLY";
        _original = which != "HOST";
        _current = which != "ORIG";
    }

    public override bool Write(in LogContext context, ByteWriter output) =>
        _sniFirst
            ? WriteSni(context, output) || (_host && WriteHost(context, output))
            : WriteHost(context, output) || WriteSni(context, output);

    private static bool WriteSni(in LogContext context, ByteWriter output)
    {
        var name = context.StreamInfo.Downstream.RequestedServerName;
        output.Write(name);
        return name.Length > 0;
    }

    private bool WriteHost(in LogContext context, ByteWriter output)
    {
        ReadOnlySpan<byte> host = default;
        if (context.RequestHeaders is not { } headers
            || !((_original && headers.TryGet(KnownHeader.EnvoyOriginalHost, out host) && !host.IsEmpty)
                || (_current && headers.TryGet(KnownHeader.Authority, out host) && !host.IsEmpty)))
        {
            return false;
        }
        output.Write(host);
        return true;
    }
}
