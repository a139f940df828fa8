using Envoy.Extensions.TransportSockets.Tls.V3;
using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Matching;
using MeshProxy.Proxy.Security.Tls.Certificates;
using Config = Envoy.Extensions.TransportSockets.Tls.V3.SubjectAltNameMatcher;
using StringConfig = Envoy.Type.Matcher.V3.StringMatcher;

namespace MeshProxy.Proxy.Security.Tls.Validation;

/// <summary>One entry of match_typed_subject_alt_names, or of the deprecated list that looks at all kinds.</summary>
internal sealed class SubjectAltNameMatcher
{
    private readonly StringMatcher _matcher;
    private readonly Config.SanType _type;
    private readonly string _oid;

    // An exact matcher of a DNS name also accepts a wildcard certificate of that name (RFC 6125 6.4.3).
    private readonly string? _exactDnsName;

    private SubjectAltNameMatcher(StringConfig config, Config.SanType type, string oid, string field)
    {
        _matcher = StringMatcher.Compile(config, $"{field}.matcher");
        _type = type;
        _oid = oid;
        if (type is Config.SanType.Dns or Config.SanType.Unspecified
            && config.MatchPatternCase == StringConfig.MatchPatternOneofCase.Exact)
        {
            _exactDnsName = config.Exact;
        }
    }

    public static SubjectAltNameMatcher Compile(Config config, string field)
    {
        if (config.SanTypeValue == Config.SanType.Unspecified || config.Matcher is not { } matcher)
        {
            throw new ConfigurationException($"{field}: san_type and matcher are required.");
        }
        if (config.SanTypeValue == Config.SanType.OtherName && !IsObjectIdentifier(config.Oid))
        {
            throw new ConfigurationException($"Failed to create string SAN matcher of type OTHER_NAME, invalid OID '{config.Oid}'");
        }
        return new SubjectAltNameMatcher(matcher, config.SanTypeValue, config.Oid, field);
    }

    public static SubjectAltNameMatcher CompileAnyKind(StringConfig config, string field) =>
        new(config, Config.SanType.Unspecified, "", field);

    public bool Match(SubjectAltNames names) => _type switch
    {
        Config.SanType.Dns => MatchDns(names),
        Config.SanType.Uri => MatchAny(names.Uri),
        Config.SanType.Email => MatchAny(names.Email),
        Config.SanType.IpAddress => MatchAny(names.Ip),
        Config.SanType.OtherName => MatchOther(names),
        _ => MatchDns(names) || MatchAny(names.Uri) || MatchAny(names.Email) || MatchAny(names.Ip),
    };

    private bool MatchDns(SubjectAltNames names)
    {
        foreach (var name in names.Dns)
        {
            if (_exactDnsName is not null ? DnsNames.Match(_exactDnsName, name) || _matcher.Match(name) : _matcher.Match(name))
            {
                return true;
            }
        }
        return false;
    }

    private bool MatchOther(SubjectAltNames names)
    {
        foreach (var (type, value) in names.Other)
        {
            if (type == _oid && _matcher.Match(value))
            {
                return true;
            }
        }
        return false;
    }

    private bool MatchAny(IReadOnlyList<string> names)
    {
        foreach (var name in names)
        {
            if (_matcher.Match(name))
            {
                return true;
            }
        }
        return false;
    }

    private static bool IsObjectIdentifier(string text) =>
        text.Split('.') is { Length: >= 2 } arcs && Array.TrueForAll(arcs, static a => a.Length > 0 && a.All(char.IsAsciiDigit));
}
