using Envoy.Extensions.Filters.Http.JwtAuthn.V3;
using MeshProxy.Proxy.Configuration;
using MeshProxy.Xds.Protobuf;

namespace MeshProxy.Proxy.Http.Filters.JwtAuthn;

/// <summary>envoy.filters.http.jwt_authn: who may call with which token.</summary>
internal sealed class JwtFilterFactory : IHttpFilterFactory
{
    public string ConfigType => JwtAuthentication.Descriptor.FullName;

    public string Name => "envoy.filters.http.jwt_authn";

    public string PerRouteConfigType => PerRouteConfig.Descriptor.FullName;

    public IHttpFilterConfig Compile(Message message, string statPrefix, FactoryContext context)
    {
        var config = JwtAuthentication.From(message);
        var prefix = config.StatPrefix.Length > 0 ? $"{statPrefix}jwt_authn.{config.StatPrefix.TrimEnd('.')}" : $"{statPrefix}jwt_authn";
        return new JwtFilterConfig(config, context, new JwtStats(context.ServerScope.Scope(prefix)));
    }

    public object CompilePerRoute(Message message, FactoryContext context)
    {
        var config = PerRouteConfig.From(message);
        return config.RequirementSpecifierCase switch
        {
            PerRouteConfig.RequirementSpecifierOneofCase.Disabled when config.Disabled => new JwtRouteConfig(true, ""),
            PerRouteConfig.RequirementSpecifierOneofCase.RequirementName => new JwtRouteConfig(false, config.RequirementName),
            _ => throw new ConfigurationException("jwt_authn per route: disabled (true) or requirement_name is required."),
        };
    }
}

/// <summary>What a route says: nothing is required, or a requirement by name.</summary>
internal sealed record JwtRouteConfig(bool Disabled, string RequirementName);
