using Envoy.Config.Rbac.V3;
using Envoy.Extensions.Path.Match.UriTemplate.V3;
using Envoy.Extensions.Rbac.Matchers.UpstreamIpPort.V3;
using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Http.Router;
using MeshProxy.Proxy.Matching;
using MeshProxy.Proxy.Matching.Cel;
using MeshProxy.Proxy.Security.Tls.Validation;
using MeshProxy.Xds.Protobuf;
using Matcher = Xds.Type.Matcher.V3.Matcher;
using MtlsAuthenticated = Envoy.Extensions.Rbac.Principals.MtlsAuthenticated.V3.Config;
using TypedExtension = Envoy.Config.Core.V3.TypedExtensionConfig;

namespace MeshProxy.Proxy.Security.Rbac;

/// <summary>Compiles policies. Every kind of rule is known or refused: a rule left out would open or shut a door unseen.</summary>
internal static class RbacCompiler
{
    public static RbacEngine Compile(RBAC config, FactoryContext context, string field)
    {
        if (config.AuditLoggingOptionsValue is { } audit && audit.LoggerConfigs.Any(static l => !l.IsOptional))
        {
            throw new ConfigurationException($"{field}.audit_logging_options: audit loggers are not supported; use access logs.");
        }
        var policies = new List<RbacPolicy>();
        foreach (var (name, policy) in config.Policies)
        {
            policies.Add(Compile(name, policy, context, $"{field}.policies[{name}]"));
        }
        // The order in which Envoy tries them, and so which one is named.
        policies.Sort(static (a, b) => string.CompareOrdinal(a.Name, b.Name));
        return new RbacPolicyEngine((RbacAction)config.ActionValue, [.. policies]);
    }

    public static RbacEngine Compile(Matcher tree, FactoryContext context, string field)
    {
        var logs = false;
        var compiled = MatchTree<RbacTreeAction>.Compile(tree, context, (any, at) =>
        {
            var action = any.TryUnpack<Envoy.Config.Rbac.V3.Action>(out var known) ? known
                : throw new ConfigurationException($"{at}: an envoy.config.rbac.v3.Action is expected here, not a {any.TypeName}.");
            logs |= action.ActionValue == RBAC.Action.Log;
            return new RbacTreeAction(action.Name, (RbacAction)action.ActionValue);
        }, field);
        return new RbacTreeEngine(compiled, logs);
    }

    private static RbacPolicy Compile(string name, Policy policy, FactoryContext context, string field)
    {
        if (policy.Permissions.Count == 0 || policy.Principals.Count == 0)
        {
            throw new ConfigurationException($"{field}: a policy needs at least one permission and one principal.");
        }
        var environment = CelEnvironment.Of(context.Node, policy.CelConfig);
        var condition = policy.Condition is { } plain ? CelExpression.Compile(plain, environment)
            : policy.CheckedCondition?.Expr is { } verified ? CelExpression.Compile(verified, environment)
            : null;
        return new RbacPolicy(name,
            Join(policy.Permissions, static (p, at) => Compile(p, at), $"{field}.permissions"),
            Join(policy.Principals, static (p, at) => Compile(p, at), $"{field}.principals"), condition);
    }

    private static RbacRule Compile(Permission rule, string field) => rule.RuleCase switch
    {
        Permission.RuleOneofCase.AndRules => new RbacRule.All(Each(rule.AndRules!.Value.Rules, Compile, $"{field}.and_rules")),
        Permission.RuleOneofCase.OrRules => new RbacRule.OneOf(Each(rule.OrRules!.Value.Rules, Compile, $"{field}.or_rules")),
        Permission.RuleOneofCase.NotRule => new RbacRule.Not(Compile(rule.NotRule!.Value, $"{field}.not_rule")),
        Permission.RuleOneofCase.Any => RequireAny(rule.Any, field),
        Permission.RuleOneofCase.Header => new RbacRule.Header(HeaderMatcher.Compile(rule.Header!.Value, $"{field}.header")),
        Permission.RuleOneofCase.UrlPath => new RbacRule.UrlPath(PathMatcher.Compile(rule.UrlPath!.Value, $"{field}.url_path")),
        Permission.RuleOneofCase.DestinationIp => new RbacRule.Ip(
            RbacRule.AddressOf.Destination, CidrRange.Compile(rule.DestinationIp!.Value, $"{field}.destination_ip")),
        Permission.RuleOneofCase.DestinationPort => new RbacRule.DestinationPort(
            (int)rule.DestinationPort, (int)rule.DestinationPort + 1),
        Permission.RuleOneofCase.DestinationPortRange => new RbacRule.DestinationPort(
            rule.DestinationPortRange!.Value.Start, rule.DestinationPortRange!.Value.End),
        Permission.RuleOneofCase.Metadata => new RbacRule.Metadata(new MetadataMatcher(rule.Metadata!.Value, $"{field}.metadata"), false),
        Permission.RuleOneofCase.SourcedMetadata => Compile(rule.SourcedMetadata!.Value, $"{field}.sourced_metadata"),
        Permission.RuleOneofCase.RequestedServerName => new RbacRule.ServerName(
            StringMatcher.Compile(rule.RequestedServerName!.Value, $"{field}.requested_server_name")),
        Permission.RuleOneofCase.Matcher => CompileMatcher(rule.Matcher!.Value, $"{field}.matcher"),
        Permission.RuleOneofCase.UriTemplate => CompileTemplate(rule.UriTemplate!.Value, $"{field}.uri_template"),
        _ => throw new ConfigurationException($"{field}: the permission says nothing; set a rule."),
    };

    private static RbacRule Compile(Principal rule, string field) => rule.IdentifierCase switch
    {
        Principal.IdentifierOneofCase.AndIds => new RbacRule.All(Each(rule.AndIds!.Value.Ids, Compile, $"{field}.and_ids")),
        Principal.IdentifierOneofCase.OrIds => new RbacRule.OneOf(Each(rule.OrIds!.Value.Ids, Compile, $"{field}.or_ids")),
        Principal.IdentifierOneofCase.NotId => new RbacRule.Not(Compile(rule.NotId!.Value, $"{field}.not_id")),
        Principal.IdentifierOneofCase.Any => RequireAny(rule.Any, field),
        Principal.IdentifierOneofCase.AuthenticatedValue => new RbacRule.Authenticated(
            rule.AuthenticatedValue!.Value.PrincipalName is { } name
                ? StringMatcher.Compile(name, $"{field}.authenticated.principal_name") : null),
        Principal.IdentifierOneofCase.SourceIp => new RbacRule.Ip(
            RbacRule.AddressOf.Connection, CidrRange.Compile(rule.SourceIp!.Value, $"{field}.source_ip")),
        Principal.IdentifierOneofCase.DirectRemoteIp => new RbacRule.Ip(
            RbacRule.AddressOf.Direct, CidrRange.Compile(rule.DirectRemoteIp!.Value, $"{field}.direct_remote_ip")),
        Principal.IdentifierOneofCase.RemoteIp => new RbacRule.Ip(
            RbacRule.AddressOf.Remote, CidrRange.Compile(rule.RemoteIp!.Value, $"{field}.remote_ip")),
        Principal.IdentifierOneofCase.Header => new RbacRule.Header(HeaderMatcher.Compile(rule.Header!.Value, $"{field}.header")),
        Principal.IdentifierOneofCase.UrlPath => new RbacRule.UrlPath(PathMatcher.Compile(rule.UrlPath!.Value, $"{field}.url_path")),
        Principal.IdentifierOneofCase.Metadata => new RbacRule.Metadata(new MetadataMatcher(rule.Metadata!.Value, $"{field}.metadata"), false),
        Principal.IdentifierOneofCase.SourcedMetadata => Compile(rule.SourcedMetadata!.Value, $"{field}.sourced_metadata"),
        Principal.IdentifierOneofCase.FilterState => new RbacRule.State(new FilterStateMatcher(rule.FilterState!.Value, $"{field}.filter_state")),
        Principal.IdentifierOneofCase.Custom => CompileCustom(rule.Custom!.Value, $"{field}.custom"),
        _ => throw new ConfigurationException($"{field}: the principal says nothing; set an identifier."),
    };

    private static RbacRule RequireAny(bool any, string field) =>
        any ? RbacRule.Any : throw new ConfigurationException($"{field}.any: value must equal true; for nobody write not_rule or not_id around it.");

    private static RbacRule.Metadata Compile(SourcedMetadata rule, string field) => new(
        new MetadataMatcher(
            rule.MetadataMatcher ?? throw new ConfigurationException($"{field}.metadata_matcher is required."), $"{field}.metadata_matcher"),
        rule.MetadataSource == MetadataSource.Route);

    private static RbacRule.UpstreamAddress CompileMatcher(TypedExtension extension, string field)
    {
        if (extension.TypedConfig is not { } typed || !typed.TryUnpack<UpstreamIpPortMatcher>(out var matcher))
        {
            throw Unknown(extension, field);
        }
        if (matcher.UpstreamIp is null && matcher.UpstreamPortRange is null)
        {
            throw new ConfigurationException("Invalid UpstreamIpPortMatcher configuration - missing `upstream_ip` and/or `upstream_port_range`");
        }
        return new RbacRule.UpstreamAddress(
            matcher.UpstreamIp is { } range ? CidrRange.Compile(range, $"{field}.upstream_ip") : null,
            matcher.UpstreamPortRange?.Start ?? 0, matcher.UpstreamPortRange?.End ?? 0);
    }

    private static RbacRule.Template CompileTemplate(TypedExtension extension, string field) =>
        extension.TypedConfig is { } typed && typed.TryUnpack<UriTemplateMatchConfig>(out var template)
            ? new RbacRule.Template(UriTemplate.Parse(template.PathTemplate, field))
            : throw Unknown(extension, field);

    private static RbacRule.MtlsAuthenticated CompileCustom(TypedExtension extension, string field)
    {
        if (extension.TypedConfig is not { } typed || !typed.TryUnpack<MtlsAuthenticated>(out var config))
        {
            throw Unknown(extension, field);
        }
        if (config.SanMatcher is null && !config.AnyValidatedClientCertificate)
        {
            throw new ConfigurationException(
                "envoy.rbac.principals.mtls_authenticated did not have any configured validation: at least one configuration field must be set.");
        }
        return new RbacRule.MtlsAuthenticated(
            config.SanMatcher is { } names ? SubjectAltNameMatcher.Compile(names, $"{field}.san_matcher") : null);
    }

    private static ConfigurationException Unknown(TypedExtension extension, string field) => new(
        $"{field}: Didn't find a registered implementation for '{extension.Name}' with type URL: '{extension.TypedConfig?.TypeName}'.");

    private static RbacRule Join<T>(MessageList<T> rules, Func<T, string, RbacRule> compile, string field)
        where T : struct, IMessage<T>
    {
        var compiled = Each(rules, compile, field);
        return compiled.Length == 1 ? compiled[0] : new RbacRule.OneOf(compiled);
    }

    private static RbacRule[] Each<T>(MessageList<T> rules, Func<T, string, RbacRule> compile, string field)
        where T : struct, IMessage<T>
    {
        var compiled = new RbacRule[rules.Count];
        for (var i = 0; i < compiled.Length; i++)
        {
            compiled[i] = compile(rules[i], $"{field}[{i}]");
        }
        return compiled.Length > 0 ? compiled : throw new ConfigurationException($"{field}: value must contain at least 1 item(s).");
    }
}
