using System.Text;
using Envoy.Extensions.Filters.Http.BasicAuth.V3;
using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Observability;
using MeshProxy.Xds.Protobuf;
using Config = Envoy.Extensions.Filters.Http.BasicAuth.V3.BasicAuth;
using DataSource = MeshProxy.Proxy.Configuration.DataSource;

namespace MeshProxy.Proxy.Http.Filters.BasicAuth;

/// <summary>envoy.filters.http.basic_auth: names and passwords (RFC 7617).</summary>
internal sealed class BasicAuthFilterFactory : IHttpFilterFactory
{
    public string ConfigType => Config.Descriptor.FullName;

    public string Name => "envoy.filters.http.basic_auth";

    public string PerRouteConfigType => BasicAuthPerRoute.Descriptor.FullName;

    public IHttpFilterConfig Compile(Message message, string statPrefix, FactoryContext context)
    {
        var config = Config.From(message);
        var scope = context.ServerScope.Scope($"{statPrefix}basic_auth");
        return new BasicAuthConfig
        {
            Users = new BasicAuthUsers(Read(config.Users), config.Realm),
            Header = Encoding.ASCII.GetBytes(
                config.AuthenticationHeader.Length > 0 ? config.AuthenticationHeader.ToLowerInvariant() : "authorization"),
            ForwardHeader = Encoding.ASCII.GetBytes(config.ForwardUsernameHeader.ToLowerInvariant()),
            AllowMissing = config.AllowMissing,
            EmitMetadata = config.EmitDynamicMetadata,
            Allowed = scope.Counter("allowed"),
            Denied = scope.Counter("denied"),
        };
    }

    public object CompilePerRoute(Message message, FactoryContext context)
    {
        var config = BasicAuthPerRoute.From(message);
        return new BasicAuthUsers(Read(config.Users), config.Realm);
    }

    private static string Read(Envoy.Config.Core.V3.DataSource? users) => users is { } source
        ? Encoding.UTF8.GetString(DataSource.Read(source, int.MaxValue, "basic_auth.users"))
        : throw new ConfigurationException("basic_auth.users is required.");
}

internal sealed class BasicAuthConfig : IHttpFilterConfig
{
    public required BasicAuthUsers Users { get; init; }

    public required byte[] Header { get; init; }

    /// <summary>Empty: the user's name is not told to the application.</summary>
    public required byte[] ForwardHeader { get; init; }

    public required bool AllowMissing { get; init; }

    public required bool EmitMetadata { get; init; }

    public required Counter Allowed { get; init; }

    public required Counter Denied { get; init; }

    public void CreateFilter(IFilterChainBuilder chain) => chain.AddDecoderFilter(new BasicAuthFilter(this));
}
