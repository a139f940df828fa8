using MeshProxy.Proxy.Configuration;
using Config = Envoy.Config.Route.V3.InternalRedirectPolicy;

namespace MeshProxy.Proxy.Http.Router;

/// <summary>A compiled route.v3.InternalRedirectPolicy (http-semantics 7).</summary>
internal sealed class InternalRedirectPolicy
{
    private readonly uint[] _codes;

    private InternalRedirectPolicy(uint[] codes) => _codes = codes;

    public uint MaxRedirects { get; private init; } = 1;

    public bool AllowCrossScheme { get; private init; }

    public IReadOnlyList<RedirectPredicate> Predicates { get; private init; } = [];

    public IReadOnlyList<string> ResponseHeadersToCopy { get; private init; } = [];

    public bool Handles(int code) => Array.IndexOf(_codes, (uint)code) >= 0;

    public static InternalRedirectPolicy? Compile(Envoy.Config.Route.V3.RouteAction action, string field)
    {
        if (action.InternalRedirectPolicy is { } policy)
        {
            return Compile(policy, field);
        }
        // The deprecated pair of fields still means a policy with the default code.
        return action.InternalRedirectActionValue == Envoy.Config.Route.V3.RouteAction.InternalRedirectAction.HandleInternalRedirect
            ? new InternalRedirectPolicy([302]) { MaxRedirects = action.MaxInternalRedirects ?? 1 }
            : null;
    }

    private static InternalRedirectPolicy Compile(Config config, string field)
    {
        uint[] codes = [302];
        if (config.RedirectResponseCodes.Count > 0)
        {
            codes = [.. config.RedirectResponseCodes.Where(code => code is 301 or 302 or 303 or 307 or 308)];
        }
        var predicates = new List<RedirectPredicate>();
        for (var i = 0; i < config.Predicates.Count; i++)
        {
            predicates.Add(RedirectPredicate.Compile(config.Predicates[i], $"{field}.predicates[{i}]"));
        }
        foreach (var header in config.ResponseHeadersToCopy)
        {
            if (header.StartsWith(':') || header.Equals("host", StringComparison.OrdinalIgnoreCase))
            {
                throw new ConfigurationException($"{field}.response_headers_to_copy: '{header}' cannot be copied; name another header.");
            }
        }
        return new InternalRedirectPolicy(codes)
        {
            MaxRedirects = config.MaxInternalRedirects ?? 1,
            AllowCrossScheme = config.AllowCrossSchemeRedirect,
            Predicates = predicates,
            ResponseHeadersToCopy = [.. config.ResponseHeadersToCopy],
        };
    }
}
