using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Http;

namespace MeshProxy.Proxy.Observability.Formatting;

/// <summary>`%PATH(WQ|NQ:ORIG|PATH|ORIG_OR_PATH)%`: the path with or without query, as it came or as it was rewritten.</summary>
internal sealed class PathOperator : FormatOperator
{
    private readonly bool _withQuery;
    private readonly bool _original;
    private readonly bool _current;

    public PathOperator(string argument)
    {
        var parts = argument.Split(':');
        var query = parts[0].Length == 0 ? "WQ" : parts[0];
        var which = parts.Length > 1 ? parts[1] : "ORIG_OR_PATH";
        if (parts.Length > 2 || query is not ("WQ" or "NQ") || which is not ("ORIG" or "PATH" or "ORIG_OR_PATH"))
        {
            throw new ConfigurationException(
                $"%PATH({argument})% is not understood; the first word is WQ or NQ, the second ORIG, PATH or ORIG_OR_PATH.");
        }
        _withQuery = query == "WQ";
        _original = which != "PATH";
        _current = which != "ORIG";
    }

    public override bool Write(in LogContext context, ByteWriter output)
    {
        ReadOnlySpan<byte> path = default;
        var found = _original && (context.RequestHeaders?.TryGet(KnownHeader.EnvoyOriginalPath, out path) ?? false);
        if (!found && !(_current && (context.RequestHeaders?.TryGet(KnownHeader.Path, out path) ?? false)))
        {
            return false;
        }
        var query = path.IndexOf((byte)'?');
        output.Write(_withQuery || query < 0 ? path : path[..query]);
        return true;
    }
}

/// <summary>`%QUERY_PARAM(X)%`: the first value of a parameter, percent-decoded.</summary>
internal sealed class QueryParameterOperator(string name) : FormatOperator
{
    public override bool Write(in LogContext context, ByteWriter output)
    {
        ReadOnlySpan<byte> path = default;
        if (!(context.RequestHeaders?.TryGet(KnownHeader.Path, out path) ?? false))
        {
            return false;
        }
        var rest = QueryText.Of(path);
        while (!rest.IsEmpty)
        {
            var ampersand = rest.IndexOf((byte)'&');
            var pair = ampersand < 0 ? rest : rest[..ampersand];
            rest = ampersand < 0 ? default : rest[(ampersand + 1)..];
            var equals = pair.IndexOf((byte)'=');
            var key = equals < 0 ? pair : pair[..equals];
            if (QueryText.EqualsDecoded(key, name))
            {
                QueryText.WriteDecoded(equals < 0 ? default : pair[(equals + 1)..], output);
                return true;
            }
        }
        return false;
    }
}

/// <summary>`%QUERY_PARAMS%`: the query as it came.</summary>
internal sealed class QueryOperator : FormatOperator
{
    public override bool Write(in LogContext context, ByteWriter output)
    {
        ReadOnlySpan<byte> path = default;
        if (!(context.RequestHeaders?.TryGet(KnownHeader.Path, out path) ?? false) || QueryText.Of(path) is not { IsEmpty: false } query)
        {
            return false;
        }
        output.Write(query);
        return true;
    }
}
