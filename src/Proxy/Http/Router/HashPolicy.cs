using System.Globalization;
using System.IO.Hashing;
using System.Numerics;
using System.Text;
using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Matching;
using MeshProxy.Proxy.Observability;
using Config = Envoy.Config.Route.V3.RouteAction.HashPolicy;

namespace MeshProxy.Proxy.Http.Router;

/// <summary>The compiled hash_policy list of a route: one number for consistent hashing, or none (upstream 7).</summary>
internal sealed class HashPolicy
{
    private readonly Method[] _methods;

    private HashPolicy(Method[] methods) => _methods = methods;

    public static HashPolicy? Compile(IReadOnlyList<Config> configs, string field)
    {
        if (configs.Count == 0)
        {
            return null;
        }
        var methods = new Method[configs.Count];
        for (var i = 0; i < methods.Length; i++)
        {
            methods[i] = CompileOne(configs[i], $"{field}[{i}]");
        }
        return new HashPolicy(methods);
    }

    /// <param name="setCookies">Where `set-cookie` values of generated cookies go.</param>
    public ulong? Hash(HeaderMap headers, StreamInfo info, Action<string>? setCookies)
    {
        ulong? hash = null;
        foreach (var method in _methods)
        {
            if (method.Hash(headers, info, setCookies) is { } one)
            {
                // Rotating before combining keeps two equal values from cancelling each other out.
                hash = (hash is { } so ? BitOperations.RotateLeft(so, 1) : 0) ^ one;
            }
            if (hash is not null && method.Terminal)
            {
                break;
            }
        }
        return hash;
    }

    private static Method CompileOne(Config config, string field) => config.PolicySpecifierCase switch
    {
        Config.PolicySpecifierOneofCase.HeaderValue => new HeaderMethod(config.HeaderValue!.Value, config.Terminal, field),
        Config.PolicySpecifierOneofCase.CookieValue => new CookieMethod(config.CookieValue!.Value, config.Terminal),
        Config.PolicySpecifierOneofCase.ConnectionPropertiesValue =>
            new SourceIpMethod(config.ConnectionPropertiesValue!.Value.SourceIp, config.Terminal),
        Config.PolicySpecifierOneofCase.QueryParameterValue => new QueryMethod(config.QueryParameterValue!.Value.Name, config.Terminal),
        Config.PolicySpecifierOneofCase.FilterStateValue => new FilterStateMethod(config.FilterStateValue!.Value.Key, config.Terminal),
        _ => throw new ConfigurationException($"{field}: no policy is set; set header, cookie or another."),
    };

    private static ulong Of(string text) => XxHash64.HashToUInt64(Encoding.UTF8.GetBytes(text));

    private abstract class Method(bool terminal)
    {
        public bool Terminal => terminal;

        public abstract ulong? Hash(HeaderMap headers, StreamInfo info, Action<string>? setCookies);
    }

    private sealed class HeaderMethod(Config.Header config, bool terminal, string field) : Method(terminal)
    {
        private readonly byte[] _name = Encoding.ASCII.GetBytes(config.HeaderName.ToLowerInvariant());
        private readonly Re2Regex? _regex = config.RegexRewrite is { } rewrite
            ? Re2Regex.Compile(rewrite.Pattern?.Regex ?? "", $"{field}.header.regex_rewrite.pattern")
            : null;
        private readonly string _substitution = config.RegexRewrite?.Substitution ?? "";

        public override ulong? Hash(HeaderMap headers, StreamInfo info, Action<string>? setCookies)
        {
            var index = headers.IndexOf(_name, 0);
            if (index < 0)
            {
                return null;
            }
            if (_regex is null && headers.IndexOf(_name, index + 1) < 0)
            {
                return XxHash64.HashToUInt64(headers.Value(index));
            }
            return HashAll(headers, index);
        }

        // The order of repeated lines does not matter.
        private ulong HashAll(HeaderMap headers, int index)
        {
            var values = new List<string>();
            for (; index >= 0; index = headers.IndexOf(_name, index + 1))
            {
                var value = Encoding.Latin1.GetString(headers.Value(index));
                values.Add(_regex is null ? value : _regex.ReplaceAll(value, _substitution));
            }
            values.Sort(StringComparer.Ordinal);
            var hash = 0UL;
            foreach (var value in values)
            {
                hash = XxHash64.HashToUInt64(Encoding.Latin1.GetBytes(value), (long)hash);
            }
            return hash;
        }
    }

    private sealed class CookieMethod(Config.Cookie config, bool terminal) : Method(terminal)
    {
        private readonly byte[] _name = Encoding.UTF8.GetBytes(config.Name);
        private readonly string _attributes = Attributes(config);
        private readonly bool _generates = config.Ttl is not null;

        public override ulong? Hash(HeaderMap headers, StreamInfo info, Action<string>? setCookies)
        {
            if (Cookies.TryGet(headers, _name, out var value) && !value.IsEmpty)
            {
                return XxHash64.HashToUInt64(value);
            }
            if (!_generates || setCookies is null)
            {
                return null;
            }
            var made = Of(info.Downstream.RemoteAddress.ToString()
                + info.Downstream.LocalAddress.ToString()).ToString("x16", CultureInfo.InvariantCulture);
            setCookies($"{Encoding.UTF8.GetString(_name)}=\"{made}\"{_attributes}");
            return Of(made);
        }

        private static string Attributes(Config.Cookie config)
        {
            var text = new StringBuilder();
            if (config.Ttl is { } ttl && ttl > TimeSpan.Zero)
            {
                text.Append(CultureInfo.InvariantCulture, $"; Max-Age={(long)ttl.TotalSeconds}");
            }
            if (config.Path.Length > 0)
            {
                text.Append("; Path=").Append(config.Path);
            }
            foreach (var attribute in config.Attributes)
            {
                text.Append("; ").Append(attribute.Name);
                if (attribute.Value.Length > 0)
                {
                    text.Append('=').Append(attribute.Value);
                }
            }
            return text.Append("; HttpOnly").ToString();
        }
    }

    private sealed class SourceIpMethod(bool enabled, bool terminal) : Method(terminal)
    {
        public override ulong? Hash(HeaderMap headers, StreamInfo info, Action<string>? setCookies) =>
            enabled && info.Downstream.RemoteAddress is System.Net.IPEndPoint ip ? Of(ip.Address.ToString()) : null;
    }

    private sealed class QueryMethod(string name, bool terminal) : Method(terminal)
    {
        private readonly byte[] _name = Encoding.UTF8.GetBytes(name);

        public override ulong? Hash(HeaderMap headers, StreamInfo info, Action<string>? setCookies)
        {
            var path = headers.Get(KnownHeader.Path);
            var start = path.IndexOf((byte)'?');
            return start >= 0 && QueryString.TryGet(path[(start + 1)..], _name, out var value)
                ? XxHash64.HashToUInt64(value)
                : null;
        }
    }

    private sealed class FilterStateMethod(string key, bool terminal) : Method(terminal)
    {
        public override ulong? Hash(HeaderMap headers, StreamInfo info, Action<string>? setCookies) =>
            info.FilterState.Get(key) is { Hashable: true } state && state.SerializeAsString() is { } text ? Of(text) : null;
    }
}
