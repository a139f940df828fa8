using System.Globalization;
using System.Text;
using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Http.Router;
using MeshProxy.Proxy.Matching;
using MeshProxy.Proxy.Observability;
using MeshProxy.Xds.Protobuf;
using Config = Envoy.Extensions.Filters.Http.HeaderToMetadata.V3.Config;

namespace MeshProxy.Proxy.Http.Filters.HeaderToMetadata;

/// <summary>The compiled rules of a header_to_metadata filter.</summary>
internal sealed class MetadataRules
{
    private const string DefaultNamespace = "envoy.filters.http.header_to_metadata";

    /// <summary>8 KiB: longer values are not taken (Envoy's MAX_HEADER_VALUE_LEN).</summary>
    private const int MaxValueLength = 8 * 1024;

    private readonly Rule[] _request;
    private readonly Rule[] _response;

    public MetadataRules(Config config)
    {
        _request = Compile(config.RequestRules, "request_rules");
        _response = Compile(config.ResponseRules, "response_rules");
    }

    public void ApplyRequest(HeaderMap headers, DynamicMetadata metadata) => Apply(_request, headers, metadata);

    public void ApplyResponse(HeaderMap headers, DynamicMetadata metadata) => Apply(_response, headers, metadata);

    private static void Apply(Rule[] rules, HeaderMap headers, DynamicMetadata metadata)
    {
        foreach (var rule in rules)
        {
            rule.Apply(headers, metadata);
        }
    }

    private static Rule[] Compile(IReadOnlyList<Config.Rule> configs, string field)
    {
        var rules = new Rule[configs.Count];
        for (var i = 0; i < rules.Length; i++)
        {
            rules[i] = new Rule(configs[i], $"header_to_metadata.{field}[{i}]");
        }
        return rules;
    }

    private sealed class Rule
    {
        private readonly byte[]? _header;
        private readonly byte[]? _cookie;
        private readonly bool _remove;
        private readonly Target? _present;
        private readonly Target? _missing;

        public Rule(Config.Rule config, string field)
        {
            if (config.Header.Length > 0 == config.Cookie.Length > 0)
            {
                throw new ConfigurationException($"{field}: One of Cookie or Header option needs to be specified; set one.");
            }
            if (config.OnHeaderPresent is null && config.OnHeaderMissing is null)
            {
                throw new ConfigurationException($"{field}: header to metadata filter: rule for '{config.Header}{config.Cookie}' has neither on_header_present nor on_header_missing; set one.");
            }
            if (config.OnHeaderPresent is { Value.Length: > 0, RegexValueRewrite: not null })
            {
                throw new ConfigurationException($"{field}.on_header_present: Cannot specify both value and regex_value_rewrite; remove one.");
            }
            if (config.OnHeaderMissing is { Value.Length: 0 })
            {
                throw new ConfigurationException($"{field}.on_header_missing: Cannot specify on_header_missing rule with an empty value; set value.");
            }
            if (config.Cookie.Length > 0 && config.Remove)
            {
                throw new ConfigurationException($"{field}: Cannot specify remove for cookie; remove one.");
            }
            _header = config.Header.Length > 0 ? Encoding.ASCII.GetBytes(config.Header.ToLowerInvariant()) : null;
            _cookie = config.Cookie.Length > 0 ? Encoding.UTF8.GetBytes(config.Cookie) : null;
            _remove = config.Remove;
            _present = config.OnHeaderPresent is { } present ? new Target(present, $"{field}.on_header_present") : null;
            _missing = config.OnHeaderMissing is { } missing ? new Target(missing, $"{field}.on_header_missing") : null;
        }

        public void Apply(HeaderMap headers, DynamicMetadata metadata)
        {
            var value = _header is not null ? headers.GetJoined(_header)
                : Cookies.TryGet(headers, _cookie, out var cookie) ? Encoding.Latin1.GetString(cookie)
                : null;
            if (value is null)
            {
                _missing?.Set("", metadata);
                return;
            }
            _present?.Set(value, metadata);
            if (_remove)
            {
                headers.Remove(_header);
            }
        }
    }

    private sealed class Target(Config.KeyValuePair config, string field)
    {
        private readonly string _namespace = config.MetadataNamespace.Length > 0 ? config.MetadataNamespace : DefaultNamespace;
        private readonly string _key = config.Key;
        private readonly string _value = config.Value;
        private readonly Config.ValueType _type = config.Type;
        private readonly bool _base64 = config.Encode == Config.ValueEncode.Base64;
        private readonly string _substitution = config.RegexValueRewrite?.Substitution ?? "";
        private readonly Re2Regex? _regex = config.RegexValueRewrite is { } rewrite
            ? Re2Regex.Compile(rewrite.Pattern?.Regex ?? "", $"{field}.regex_value_rewrite.pattern")
            : null;

        public void Set(string given, DynamicMetadata metadata)
        {
            var value = _value.Length > 0 ? _value : _regex?.ReplaceAll(given, _substitution) ?? given;
            if (value.Length is 0 or >= MaxValueLength)
            {
                return;
            }
            if (_base64)
            {
                value = Decode(value);
            }
            if (value is not null && Node(value) is { } node)
            {
                metadata.Set(_namespace, _key, node);
            }
        }

        private static string? Decode(string value)
        {
            var bytes = new byte[value.Length];
            return Convert.TryFromBase64String(value, bytes, out var length) ? Encoding.Latin1.GetString(bytes, 0, length) : null;
        }

        private MetadataValue? Node(string value)
        {
            switch (_type)
            {
                case Config.ValueType.Number:
                    return double.TryParse(value, NumberStyles.Float, CultureInfo.InvariantCulture, out var number)
                        ? MetadataValue.From(number)
                        : null;
                case Config.ValueType.ProtobufValue:
                    try
                    {
                        return MetadataConversion.ToValue(
                            Message.Parse<Google.Protobuf.WellKnownTypes.Value>(Encoding.Latin1.GetBytes(value)));
                    }
                    catch (ProtobufException)
                    {
                        return null;
                    }
                default:
                    return MetadataValue.From(value);
            }
        }
    }
}
