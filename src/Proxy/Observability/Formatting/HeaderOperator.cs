using System.Text;
using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Http;

namespace MeshProxy.Proxy.Observability.Formatting;

/// <summary>Which headers an operator reads.</summary>
internal enum HeaderSource
{
    Request,
    Response,
    Trailers,
}

/// <summary>`%REQ(X?Y)%`, `%RESP(…)%`, `%TRAILER(…)%`: the first value of X, else of Y. An empty value is a value.</summary>
internal sealed class HeaderOperator : FormatOperator
{
    private readonly HeaderSource _source;
    private readonly HeaderName _main;
    private readonly HeaderName? _alternative;
    private readonly bool _withoutQuery;

    public HeaderOperator(string command, HeaderSource source, string argument, bool withoutQuery = false)
    {
        var names = argument.Split('?');
        if (names.Length > 2 || names[0].Length == 0)
        {
            throw new ConfigurationException(
                $"%{command}({argument})% names more than one alternative header, or none; write %{command}(NAME?ALTERNATIVE)%.");
        }
        _source = source;
        _withoutQuery = withoutQuery;
        _main = new HeaderName(names[0]);
        _alternative = names.Length > 1 && names[1].Length > 0 ? new HeaderName(names[1]) : null;
    }

    public override bool Write(in LogContext context, ByteWriter output)
    {
        var headers = _source switch
        {
            HeaderSource.Request => context.RequestHeaders,
            HeaderSource.Response => context.ResponseHeaders,
            _ => context.ResponseTrailers,
        };
        if (headers is null || !(_main.TryGet(headers, out var value)
            || (_alternative is { } alternative && alternative.TryGet(headers, out value))))
        {
            return false;
        }
        if (_withoutQuery && value.IndexOf((byte)'?') is var query and >= 0)
        {
            value = value[..query];
        }
        output.Write(value);
        return true;
    }
}

/// <summary>A header's name, resolved once. `host` is the authority, for codecs keep it there.</summary>
internal readonly struct HeaderName
{
    private readonly KnownHeader _known;
    private readonly byte[] _name;

    public HeaderName(string name)
    {
        _name = Encoding.ASCII.GetBytes(name.ToLowerInvariant());
        _known = KnownHeaders.Find(_name);
    }

    public bool TryGet(HeaderMap headers, out ReadOnlySpan<byte> value)
    {
        if (_known == KnownHeader.None)
        {
            return headers.TryGet(_name, out value);
        }
        return headers.TryGet(_known, out value)
            || (_known == KnownHeader.Host && headers.TryGet(KnownHeader.Authority, out value));
    }
}
