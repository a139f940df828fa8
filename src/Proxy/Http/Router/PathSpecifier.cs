using System.Text;
using MeshProxy.Proxy.Matching;

namespace MeshProxy.Proxy.Http.Router;

/// <summary>The path part of a route's match (http-semantics 3.2).</summary>
internal abstract class PathSpecifier
{
    /// <summary>Requests without a path (CONNECT) are looked at.</summary>
    public virtual bool SupportsPathless => false;

    public abstract bool Match(in RouteRequest request);

    /// <summary>How many bytes of the path (without query) a prefix rewrite replaces.</summary>
    public abstract int MatchedLength(ReadOnlySpan<byte> path);

    private static bool Same(ReadOnlySpan<byte> left, ReadOnlySpan<byte> right, bool caseSensitive) =>
        caseSensitive ? left.SequenceEqual(right) : Ascii.EqualsIgnoreCase(left, right);

    internal sealed class Prefix(string prefix, bool caseSensitive) : PathSpecifier
    {
        private readonly byte[] _prefix = Encoding.UTF8.GetBytes(prefix);

        public override bool Match(in RouteRequest request) =>
            request.Path.Length >= _prefix.Length && Same(request.Path[.._prefix.Length], _prefix, caseSensitive);

        public override int MatchedLength(ReadOnlySpan<byte> path) => _prefix.Length;
    }

    internal sealed class Exact(string path, bool caseSensitive) : PathSpecifier
    {
        private readonly byte[] _path = Encoding.UTF8.GetBytes(path);

        public override bool Match(in RouteRequest request) => Same(request.Path, _path, caseSensitive);

        public override int MatchedLength(ReadOnlySpan<byte> path) => path.Length;
    }

    internal sealed class SeparatedPrefix(string prefix, bool caseSensitive) : PathSpecifier
    {
        private readonly byte[] _prefix = Encoding.UTF8.GetBytes(prefix);

        public override bool Match(in RouteRequest request) =>
            request.Path.Length >= _prefix.Length
            && (request.Path.Length == _prefix.Length || request.Path[_prefix.Length] == '/')
            && Same(request.Path[.._prefix.Length], _prefix, caseSensitive);

        public override int MatchedLength(ReadOnlySpan<byte> path) => _prefix.Length;
    }

    internal sealed class Regex(Re2Regex regex) : PathSpecifier
    {
        public override bool Match(in RouteRequest request) => regex.FullMatch(request.Path);

        public override int MatchedLength(ReadOnlySpan<byte> path) => path.Length;
    }

    internal sealed class Connect : PathSpecifier
    {
        public override bool SupportsPathless => true;

        public override bool Match(in RouteRequest request) =>
            request.Headers.Get(KnownHeader.Method).SequenceEqual("CONNECT"u8)
            || (HeaderTokens.IsUpgrade(request.Headers)
                && Ascii.EqualsIgnoreCase(request.Headers.Get(KnownHeader.Upgrade), "connect-udp"u8));

        public override int MatchedLength(ReadOnlySpan<byte> path) => path.Length;
    }

    internal sealed class Template(UriTemplate template) : PathSpecifier
    {
        public UriTemplate Pattern => template;

        public override bool Match(in RouteRequest request) => template.IsMatch(request.Path);

        public override int MatchedLength(ReadOnlySpan<byte> path) => path.Length;
    }

    /// <summary>Of a route that is reached without matching (asynchronous client).</summary>
    internal sealed class Any : PathSpecifier
    {
        public override bool SupportsPathless => true;

        public override bool Match(in RouteRequest request) => true;

        public override int MatchedLength(ReadOnlySpan<byte> path) => path.Length;
    }
}
