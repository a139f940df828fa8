using System.Net;
using MeshProxy.Proxy.Http;
using MeshProxy.Proxy.Http.Router;
using MeshProxy.Proxy.Matching;
using MeshProxy.Proxy.Observability;
using MeshProxy.Proxy.Security.Tls;
using MeshProxy.Proxy.Security.Tls.Validation;

namespace MeshProxy.Proxy.Security.Rbac;

/// <summary>A compiled permission or principal: one condition of the many kinds both are made of.</summary>
internal abstract class RbacRule
{
    public static readonly RbacRule Any = new Always();

    public abstract bool Match(in RbacContext context);

    private sealed class Always : RbacRule
    {
        public override bool Match(in RbacContext context) => true;
    }

    internal sealed class All(RbacRule[] rules) : RbacRule
    {
        public override bool Match(in RbacContext context)
        {
            foreach (var rule in rules)
            {
                if (!rule.Match(context))
                {
                    return false;
                }
            }
            return true;
        }
    }

    internal sealed class OneOf(RbacRule[] rules) : RbacRule
    {
        public override bool Match(in RbacContext context)
        {
            foreach (var rule in rules)
            {
                if (rule.Match(context))
                {
                    return true;
                }
            }
            return false;
        }
    }

    internal sealed class Not(RbacRule rule) : RbacRule
    {
        public override bool Match(in RbacContext context) => !rule.Match(context);
    }

    internal sealed class Header(HeaderMatcher matcher) : RbacRule
    {
        public override bool Match(in RbacContext context) => context.Headers is { } headers && matcher.Match(headers);
    }

    internal sealed class UrlPath(PathMatcher matcher) : RbacRule
    {
        public override bool Match(in RbacContext context)
        {
            if (context.Headers is not { } headers || !headers.TryGet(KnownHeader.Path, out var path))
            {
                return false;
            }
            // What routes do not see must not slip past a policy either.
            var parameters = path.IndexOf((byte)';');
            return matcher.Match(
                parameters >= 0 && context.Route?.Invoke()?.VirtualHost.IgnoresPathParameters == true ? path[..parameters] : path);
        }
    }

    internal sealed class Template(UriTemplate template) : RbacRule
    {
        public override bool Match(in RbacContext context)
        {
            if (context.Headers is not { } headers || !headers.TryGet(KnownHeader.Path, out var path))
            {
                return false;
            }
            var end = path.IndexOfAny((byte)'?', (byte)'#');
            return template.IsMatch(end < 0 ? path : path[..end]);
        }
    }

    internal enum AddressOf
    {
        /// <summary>As the connection has it: proxy protocol counts, x-forwarded-for does not.</summary>
        Connection,

        /// <summary>The TCP peer.</summary>
        Direct,

        /// <summary>x-forwarded-for and proxy protocol count.</summary>
        Remote,

        /// <summary>The connection's own end, the original destination where restored.</summary>
        Destination,
    }

    internal sealed class Ip(AddressOf which, CidrRange range) : RbacRule
    {
        public override bool Match(in RbacContext context) =>
            (which switch
            {
                AddressOf.Connection => context.Connection.Info.RemoteAddress,
                AddressOf.Direct => context.StreamInfo.Downstream.DirectRemoteAddress,
                AddressOf.Remote => context.StreamInfo.Downstream.RemoteAddress,
                _ => context.StreamInfo.Downstream.LocalAddress,
            }) is IPEndPoint ip && range.Contains(ip.Address);
    }

    /// <param name="start">First port.</param>
    /// <param name="end">First port that is not in the range.</param>
    internal sealed class DestinationPort(int start, int end) : RbacRule
    {
        public override bool Match(in RbacContext context) =>
            context.StreamInfo.Downstream.LocalAddress is IPEndPoint ip && ip.Port >= start && ip.Port < end;
    }

    internal sealed class ServerName(StringMatcher matcher) : RbacRule
    {
        public override bool Match(in RbacContext context) => matcher.Match(context.Connection.Info.RequestedServerName);
    }

    internal sealed class Metadata(MetadataMatcher matcher, bool ofRoute) : RbacRule
    {
        private static readonly DynamicMetadata None = new();

        public override bool Match(in RbacContext context) =>
            matcher.Match(ofRoute ? context.Route?.Invoke()?.Metadata ?? None : context.StreamInfo.DynamicMetadata);
    }

    internal sealed class State(FilterStateMatcher matcher) : RbacRule
    {
        public override bool Match(in RbacContext context) => matcher.Match(context.StreamInfo.FilterState);
    }

    /// <summary>Envoy's `authenticated`: without a name any TLS connection; with one, each URI, each DNS name, then the subject.</summary>
    internal sealed class Authenticated(StringMatcher? name) : RbacRule
    {
        public override bool Match(in RbacContext context)
        {
            if (context.Connection.Tls is not { } tls)
            {
                return false;
            }
            return name is null || MatchAny(tls.UriSansPeerCertificate) || MatchAny(tls.DnsSansPeerCertificate)
                || name.Match(tls.SubjectPeerCertificate);
        }

        private bool MatchAny(IReadOnlyList<string> names)
        {
            foreach (var candidate in names)
            {
                if (name!.Match(candidate))
                {
                    return true;
                }
            }
            return false;
        }
    }

    /// <summary>`envoy.rbac.principals.mtls_authenticated`: a certificate that was verified, and perhaps one of its names.</summary>
    internal sealed class MtlsAuthenticated(SubjectAltNameMatcher? names) : RbacRule
    {
        public override bool Match(in RbacContext context) =>
            context.Connection.Tls is TlsConnectionInfo { PeerCertificatePresented: true, PeerCertificateValidated: true } tls
            && (names is null || names.Match(tls.PeerNames));
    }

    /// <summary>`envoy.rbac.matchers.upstream_ip_port`: the address that a forward proxy resolved, kept in filter state.</summary>
    internal sealed class UpstreamAddress(CidrRange? range, long start, long end) : RbacRule
    {
        private const string Key = "envoy.stream.upstream_address";

        public override bool Match(in RbacContext context) =>
            context.StreamInfo.FilterState.Get(Key)?.SerializeAsString() is { } text && IPEndPoint.TryParse(text, out var address)
            && (range is not { } wanted || wanted.Contains(address.Address))
            && (end == 0 || (address.Port >= start && address.Port < end));
    }
}
