using System.Text;
using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Http.Router;
using MeshProxy.Proxy.Matching;
using Config = Envoy.Extensions.Filters.Http.Cors.V3.CorsPolicy;

namespace MeshProxy.Proxy.Http.Filters.Cors;

/// <summary>A policy of one level (table, virtual host, route); what it leaves out comes from the level above.</summary>
internal sealed class CorsPolicy
{
    private readonly FractionalPercent? _enabled;
    private readonly FractionalPercent? _shadow;

    public CorsPolicy(Config config, IRuntime runtime)
    {
        Origins = new StringMatcher[config.AllowOriginStringMatch.Count];
        for (var i = 0; i < Origins.Length; i++)
        {
            Origins[i] = StringMatcher.Compile(config.AllowOriginStringMatch[i], $"cors.allow_origin_string_match[{i}]");
        }
        Methods = Encoding.Latin1.GetBytes(config.AllowMethods);
        Headers = Encoding.Latin1.GetBytes(config.AllowHeaders);
        Exposed = Encoding.Latin1.GetBytes(config.ExposeHeaders);
        MaxAge = Encoding.Latin1.GetBytes(config.MaxAge);
        Credentials = config.AllowCredentials;
        PrivateNetwork = config.AllowPrivateNetworkAccess;
        ForwardNotMatching = config.ForwardNotMatchingPreflights;
        _enabled = config.FilterEnabled is { } enabled ? new FractionalPercent(enabled, runtime) : null;
        _shadow = config.ShadowEnabled is { } shadow ? new FractionalPercent(shadow, runtime) : null;
    }

    public StringMatcher[] Origins { get; }

    public byte[] Methods { get; }

    public byte[] Headers { get; }

    public byte[] Exposed { get; }

    public byte[] MaxAge { get; }

    public bool? Credentials { get; }

    public bool? PrivateNetwork { get; }

    public bool? ForwardNotMatching { get; }

    public bool Enabled(ulong random) => _enabled?.Takes(random) ?? true;

    public bool ShadowEnabled(ulong random) => _shadow?.Takes(random) ?? false;
}
