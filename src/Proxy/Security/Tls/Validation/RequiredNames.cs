using MeshProxy.Proxy.Security.Tls.Certificates;

namespace MeshProxy.Proxy.Security.Tls.Validation;

/// <summary>Names that a connection itself asks of its peer (auto_san_validation, filter state): one of them must be there.</summary>
internal static class RequiredNames
{
    public static bool Match(IReadOnlyList<string> wanted, SubjectAltNames names)
    {
        foreach (var name in wanted)
        {
            if (Contains(names.Uri, name) || Contains(names.Ip, name) || Contains(names.Email, name) || MatchDns(names, name))
            {
                return true;
            }
        }
        return false;
    }

    private static bool MatchDns(SubjectAltNames names, string wanted)
    {
        foreach (var name in names.Dns)
        {
            if (DnsNames.Match(wanted, name))
            {
                return true;
            }
        }
        return false;
    }

    private static bool Contains(IReadOnlyList<string> names, string wanted)
    {
        foreach (var name in names)
        {
            if (name == wanted)
            {
                return true;
            }
        }
        return false;
    }
}
