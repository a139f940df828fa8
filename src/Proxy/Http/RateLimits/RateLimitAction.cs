using System.Net;
using System.Net.Sockets;
using System.Text;
using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Http.Router;
using MeshProxy.Proxy.Matching;
using MeshProxy.Proxy.Matching.Cel;
using MeshProxy.Proxy.Observability;
using Config = Envoy.Config.Route.V3.RateLimit.Action;
using Expression = Envoy.Extensions.RateLimitDescriptors.Expr.V3.DescriptorType;
using TypedExtensionConfig = Envoy.Config.Core.V3.TypedExtensionConfig;

namespace MeshProxy.Proxy.Http.RateLimits;

/// <summary>Makes one entry of a descriptor out of a request (http-semantics 24.4).</summary>
internal abstract class RateLimitAction
{
    /// <summary>False drops the whole descriptor; true without an addition leaves this entry out.</summary>
    public abstract bool Add(in RateLimitContext context, List<KeyValuePair<string, string>> entries);

    public static RateLimitAction Compile(Config config, FactoryContext context, string field) => config.ActionSpecifierCase switch
    {
        Config.ActionSpecifierOneofCase.SourceClusterValue => new Constant("source_cluster", context.Node.Cluster),
        Config.ActionSpecifierOneofCase.DestinationClusterValue => new Computed("destination_cluster",
            static (in RateLimitContext c) => c.Route?.ClusterName, "", false),
        Config.ActionSpecifierOneofCase.RequestHeadersValue => RequestHeader(config.RequestHeadersValue!.Value),
        Config.ActionSpecifierOneofCase.RemoteAddressValue => new Computed("remote_address",
            static (in RateLimitContext c) => (c.Info.Downstream.RemoteAddress as IPEndPoint)?.Address.ToString(), "", false),
        Config.ActionSpecifierOneofCase.MaskedRemoteAddressValue => Masked(config.MaskedRemoteAddressValue!.Value),
        Config.ActionSpecifierOneofCase.GenericKeyValue => GenericKey(config.GenericKeyValue!.Value, field),
        Config.ActionSpecifierOneofCase.HeaderValueMatchValue => HeaderMatch(config.HeaderValueMatchValue!.Value, field),
        Config.ActionSpecifierOneofCase.QueryParametersValue => QueryParameter(config.QueryParametersValue!.Value),
        Config.ActionSpecifierOneofCase.QueryParameterValueMatchValue => QueryMatch(config.QueryParameterValueMatchValue!.Value, field),
        Config.ActionSpecifierOneofCase.DynamicMetadata => Metadata(config.DynamicMetadata!.Value.DescriptorKey,
            config.DynamicMetadata!.Value.MetadataKey, config.DynamicMetadata!.Value.DefaultValue, false, false, field),
        Config.ActionSpecifierOneofCase.Metadata => Metadata(config.Metadata!.Value, field),
        Config.ActionSpecifierOneofCase.RemoteAddressMatchValue => AddressMatch(config.RemoteAddressMatchValue!.Value, field),
        Config.ActionSpecifierOneofCase.Extension => Extension(config.Extension!.Value, context, $"{field}.extension"),
        _ => throw new ConfigurationException($"{field}: no action is set; set one."),
    };

    // Beside producers of their own kind, every input of match trees makes an entry, named after the extension.
    private static Computed Extension(TypedExtensionConfig config, FactoryContext context, string field)
    {
        if (config.TypedConfig?.TryUnpack<Expression>(out var expression) == true)
        {
            return ByExpression(expression, context, field);
        }
        var input = MatchInput.Compile(config.TypedConfig, config.Name, field);
        return new Computed(config.Name,
            (in RateLimitContext c) => input.Get(new MatchContext(c.Info) { RequestHeaders = c.Headers, ResponseHeaders = c.ResponseHeaders }),
            "", false);
    }

    private static Computed ByExpression(Expression config, FactoryContext context, string field)
    {
        var environment = new CelEnvironment(context.Node);
        var expression = config.Parsed is { } parsed ? CelExpression.Compile(parsed, environment)
            : config.Text.Length > 0 ? CelExpression.Compile(config.Text, environment)
            : throw new ConfigurationException($"{field}: the expression is missing; set text or parsed.");
        return new Computed(config.DescriptorKey, (in RateLimitContext c) => expression.Evaluate(c.ForFormats).ToText(), "", config.SkipIfError);
    }

    private static Computed RequestHeader(Config.RequestHeaders config)
    {
        var name = Encoding.ASCII.GetBytes(config.HeaderName.ToLowerInvariant());
        return new Computed(config.DescriptorKey, (in RateLimitContext c) => c.Headers.GetString(name), "", config.SkipIfAbsent);
    }

    private static Computed QueryParameter(Config.QueryParameters config)
    {
        var name = Encoding.UTF8.GetBytes(config.QueryParameterName);
        return new Computed(config.DescriptorKey,
            (in RateLimitContext c) => QueryString.TryGet(c.Query, name, out var value) ? Encoding.UTF8.GetString(value) : null,
            "", config.SkipIfAbsent);
    }

    private static Computed Masked(Config.MaskedRemoteAddress config)
    {
        var v4 = (int)(config.V4PrefixMaskLen ?? 32);
        var v6 = (int)(config.V6PrefixMaskLen ?? 128);
        return new Computed("masked_remote_address", (in RateLimitContext c) =>
        {
            if (c.Info.Downstream.RemoteAddress is not IPEndPoint { Address: var address })
            {
                return null;
            }
            var length = address.AddressFamily == AddressFamily.InterNetwork ? v4 : v6;
            return $"{Mask(address, length)}/{length}";
        }, "", false);
    }

    private static IPAddress Mask(IPAddress address, int length)
    {
        var bytes = address.GetAddressBytes();
        for (var i = 0; i < bytes.Length; i++)
        {
            var kept = Math.Clamp(length - (i * 8), 0, 8);
            bytes[i] &= (byte)(0xff << (8 - kept));
        }
        return new IPAddress(bytes);
    }

    private static Computed GenericKey(Config.GenericKey config, string field)
    {
        var value = HeaderValueFormat.Compile(config.DescriptorValue, $"{field}.generic_key.descriptor_value");
        return new Computed(config.DescriptorKey.Length > 0 ? config.DescriptorKey : "generic_key",
            (in RateLimitContext c) => value.Format(c.ForFormats), config.DefaultValue, false);
    }

    private static Matched HeaderMatch(Config.HeaderValueMatch config, string field)
    {
        var matchers = HeaderMatcher.CompileAll(config.Headers, $"{field}.header_value_match.headers");
        var wanted = config.ExpectMatch ?? true;
        var value = HeaderValueFormat.Compile(config.DescriptorValue, $"{field}.header_value_match.descriptor_value");
        return new Matched(config.DescriptorKey.Length > 0 ? config.DescriptorKey : "header_match",
            (in RateLimitContext c) => HeaderMatcher.MatchAll(matchers, c.Headers) == wanted, value, config.DefaultValue);
    }

    private static Matched QueryMatch(Config.QueryParameterValueMatch config, string field)
    {
        var matchers = config.QueryParameters.Select(p => new QueryParameterMatcher(p, $"{field}.query_parameter_value_match")).ToArray();
        var wanted = config.ExpectMatch ?? true;
        var value = HeaderValueFormat.Compile(config.DescriptorValue, $"{field}.query_parameter_value_match.descriptor_value");
        return new Matched(config.DescriptorKey.Length > 0 ? config.DescriptorKey : "query_match", (in RateLimitContext c) =>
        {
            foreach (var matcher in matchers)
            {
                if (!matcher.Match(c.Query))
                {
                    return !wanted;
                }
            }
            return wanted;
        }, value, config.DefaultValue);
    }

    private static Matched AddressMatch(Config.RemoteAddressMatch config, string field)
    {
        var matcher = config.AddressMatcher ?? throw new ConfigurationException($"{field}.remote_address_match.address_matcher is required.");
        var ranges = matcher.Ranges.Select(r => CidrRange.Compile(r, $"{field}.remote_address_match")).ToArray();
        var value = HeaderValueFormat.Compile(config.DescriptorValue, $"{field}.remote_address_match.descriptor_value");
        return new Matched(config.DescriptorKey.Length > 0 ? config.DescriptorKey : "remote_address_match",
            (in RateLimitContext c) => CidrRange.AnyContains(ranges, c.Info.Downstream.RemoteAddress) != matcher.InvertMatch,
            value, config.DefaultValue);
    }

    private static Computed Metadata(Config.MetaData config, string field)
    {
        if (config.SourceValue is not (Config.MetaData.Source.Dynamic or Config.MetaData.Source.RouteEntry))
        {
            throw new ConfigurationException($"{field}.metadata.source: only DYNAMIC and ROUTE_ENTRY are supported.");
        }
        return Metadata(config.DescriptorKey, config.MetadataKey, config.DefaultValue, config.SkipIfAbsent,
            config.SourceValue == Config.MetaData.Source.RouteEntry, field);
    }

    private static Computed Metadata(
        string key, Envoy.Type.Metadata.V3.MetadataKey? where, string otherwise, bool skip, bool ofRoute, string field)
    {
        var place = where ?? throw new ConfigurationException($"{field}.metadata_key is required.");
        var path = place.Path.Select(static p => p.Key).ToArray();
        return new Computed(key, (in RateLimitContext c) =>
        {
            var metadata = ofRoute ? c.Route?.Metadata : c.Info.DynamicMetadata;
            return metadata is not null && MetadataPath.Find(metadata, place.Key, path) is MetadataValue.StringNode { Value.Length: > 0 } node
                ? node.Value : null;
        }, otherwise, skip);
    }

    private delegate string? ValueOf(in RateLimitContext context);

    private delegate bool Condition(in RateLimitContext context);

    private sealed class Constant(string key, string value) : RateLimitAction
    {
        public override bool Add(in RateLimitContext context, List<KeyValuePair<string, string>> entries)
        {
            entries.Add(new(key, value));
            return true;
        }
    }

    private sealed class Computed(string key, ValueOf get, string otherwise, bool skipIfAbsent) : RateLimitAction
    {
        public override bool Add(in RateLimitContext context, List<KeyValuePair<string, string>> entries)
        {
            var value = get(context);
            if (string.IsNullOrEmpty(value))
            {
                value = otherwise;
            }
            if (value.Length == 0)
            {
                return skipIfAbsent;
            }
            entries.Add(new(key, value));
            return true;
        }
    }

    /// <summary>An entry when something matches; the default stands in for an empty value, never for a match.</summary>
    private sealed class Matched(string key, Condition matches, HeaderValueFormat value, string otherwise) : RateLimitAction
    {
        public override bool Add(in RateLimitContext context, List<KeyValuePair<string, string>> entries)
        {
            if (!matches(context))
            {
                return false;
            }
            var text = value.Format(context.ForFormats);
            if (text.Length == 0)
            {
                text = otherwise;
            }
            if (text.Length == 0)
            {
                return false;
            }
            entries.Add(new(key, text));
            return true;
        }
    }
}
