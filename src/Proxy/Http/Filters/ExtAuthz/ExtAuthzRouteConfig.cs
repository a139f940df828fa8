using Envoy.Extensions.Filters.Http.ExtAuthz.V3;
using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Security.ExtAuthz;

namespace MeshProxy.Proxy.Http.Filters.ExtAuthz;

/// <summary>ExtAuthzPerRoute: of one level.</summary>
internal sealed class ExtAuthzRouteConfig
{
    public ExtAuthzRouteConfig(ExtAuthzPerRoute config, FactoryContext context)
    {
        const string field = "ext_authz.check_settings";
        Disabled = config.Disabled;
        if (config.CheckSettings is not { } settings)
        {
            return;
        }
        if (settings.DisableRequestBodyBuffering && settings.WithRequestBody is not null)
        {
            throw new ConfigurationException(
                $"{field}: Invalid configuration for check_settings. Only one of disable_request_body_buffering or with_request_body can be set.");
        }
        WithoutBody = settings.DisableRequestBodyBuffering;
        Body = RequestBody.Of(settings.WithRequestBody);
        EmitsSpan = settings.EmitClientSpan;
        foreach (var (key, value) in settings.ContextExtensions)
        {
            ContextExtensions[key] = value;
        }
        Client = settings.ServiceOverrideCase switch
        {
            CheckSettings.ServiceOverrideOneofCase.GrpcService =>
                new GrpcAuthorizationClient(settings.GrpcService!.Value, context, $"{field}.grpc_service"),
            CheckSettings.ServiceOverrideOneofCase.HttpService =>
                new HttpAuthorizationClient(settings.HttpService!.Value, context, $"{field}.http_service"),
            _ => null,
        };
    }

    public bool Disabled { get; }

    public bool WithoutBody { get; }

    public RequestBody? Body { get; }

    public bool? EmitsSpan { get; }

    /// <summary>Merged over the levels, the more specific one wins.</summary>
    public Dictionary<string, string> ContextExtensions { get; } = new(StringComparer.Ordinal);

    /// <summary>Asked in the place of the filter's service.</summary>
    public IAuthorizationClient? Client { get; }
}
