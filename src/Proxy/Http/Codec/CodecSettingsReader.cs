using Envoy.Config.Core.V3;
using Envoy.Extensions.Http.HeaderFormatters.PreserveCase.V3;
using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Matching;

namespace MeshProxy.Proxy.Http.Codec;

/// <summary>Compiles the protocol options of listeners and clusters into codec settings.</summary>
public static class CodecSettingsReader
{
    /// <summary>Null options give the defaults.</summary>
    public static Http1Settings Read(Http1ProtocolOptions? options, bool streamErrorOnInvalidHttpMessage = false)
    {
        if (options is not { } given)
        {
            return new Http1Settings { StreamErrorOnInvalidHttpMessage = streamErrorOnInvalidHttpMessage };
        }
        var settings = new Http1Settings
        {
            AllowAbsoluteUrl = given.AllowAbsoluteUrl ?? true,
            AcceptHttp10 = given.AcceptHttp10,
            DefaultHostForHttp10 = given.DefaultHostForHttp10,
            EnableTrailers = given.EnableTrailers,
            AllowChunkedLength = given.AllowChunkedLength,
            AllowCustomMethods = given.AllowCustomMethods,
            SendFullyQualifiedUrl = given.SendFullyQualifiedUrl,
            StreamErrorOnInvalidHttpMessage = given.OverrideStreamErrorOnInvalidHttpMessage ?? streamErrorOnInvalidHttpMessage,
            IgnoredUpgrade = ReadIgnoredUpgrades(given),
        };
        return given.HeaderKeyFormatValue is { } format ? WithFormat(settings, format) : settings;
    }

    /// <inheritdoc cref="Read(Http1ProtocolOptions?, bool)"/>
    public static Http2Settings Read(Http2ProtocolOptions? options, bool streamErrorOnInvalidHttpMessage = false)
    {
        var defaults = new Http2Settings { StreamErrorOnInvalidHttpMessage = streamErrorOnInvalidHttpMessage };
        if (options is not { } given)
        {
            return defaults;
        }
        Http2CustomSettings.Check(given);
        var settings = defaults with
        {
            HpackTableSize = given.HpackTableSize ?? defaults.HpackTableSize,
            MaxConcurrentStreams = given.MaxConcurrentStreams ?? defaults.MaxConcurrentStreams,
            InitialStreamWindowSize = given.InitialStreamWindowSize ?? defaults.InitialStreamWindowSize,
            InitialConnectionWindowSize = given.InitialConnectionWindowSize ?? defaults.InitialConnectionWindowSize,
            AllowConnect = given.AllowConnect,
            MaxOutboundFrames = given.MaxOutboundFrames ?? defaults.MaxOutboundFrames,
            MaxOutboundControlFrames = given.MaxOutboundControlFrames ?? defaults.MaxOutboundControlFrames,
            MaxConsecutiveInboundFramesWithEmptyPayload =
                given.MaxConsecutiveInboundFramesWithEmptyPayload ?? defaults.MaxConsecutiveInboundFramesWithEmptyPayload,
            MaxInboundPriorityFramesPerStream =
                given.MaxInboundPriorityFramesPerStream ?? defaults.MaxInboundPriorityFramesPerStream,
            MaxInboundWindowUpdateFramesPerDataFrameSent =
                given.MaxInboundWindowUpdateFramesPerDataFrameSent ?? defaults.MaxInboundWindowUpdateFramesPerDataFrameSent,
            StreamErrorOnInvalidHttpMessage = given.OverrideStreamErrorOnInvalidHttpMessage
                ?? (given.StreamErrorOnInvalidHttpMessaging || streamErrorOnInvalidHttpMessage),
        };
        return given.ConnectionKeepalive is { } keepalive ? WithKeepalive(settings, keepalive) : settings;
    }

    private static Http2Settings WithKeepalive(Http2Settings settings, KeepaliveSettings keepalive) => settings with
    {
        KeepaliveInterval = keepalive.Interval ?? default,
        KeepaliveTimeout = keepalive.Timeout ?? default,
        KeepaliveIntervalJitterPercent = keepalive.IntervalJitter?.Value ?? settings.KeepaliveIntervalJitterPercent,
        KeepaliveConnectionIdleInterval = keepalive.ConnectionIdleInterval ?? default,
    };

    private static Http1Settings WithFormat(Http1Settings settings, Http1ProtocolOptions.HeaderKeyFormat format)
    {
        if (format.StatefulFormatter is not { } extension)
        {
            return settings with { HeaderCase = HeaderCase.ProperCase };
        }
        if (extension.TypedConfig is not { } config || !config.TryUnpack<PreserveCaseFormatterConfig>(out var preserve))
        {
            throw new ConfigurationException(
                $"Didn't find a registered implementation for name: '{extension.Name}': header_key_format.stateful_formatter knows preserve_case only.");
        }
        return settings with
        {
            HeaderCase = HeaderCase.Preserve,
            ForwardReasonPhrase = preserve.ForwardReasonPhrase,
            ProperCaseForAddedHeaders = preserve.FormatterTypeOnEnvoyHeadersValue
                == PreserveCaseFormatterConfig.FormatterTypeOnEnvoyHeaders.ProperCase,
        };
    }

    private static Predicate<string>? ReadIgnoredUpgrades(Http1ProtocolOptions options)
    {
        if (options.IgnoreHttp11Upgrade.Count == 0)
        {
            return null;
        }
        var matchers = new StringMatcher[options.IgnoreHttp11Upgrade.Count];
        for (var i = 0; i < matchers.Length; i++)
        {
            matchers[i] = StringMatcher.Compile(options.IgnoreHttp11Upgrade[i], "ignore_http_11_upgrade");
        }
        return token => Array.Exists(matchers, matcher => matcher.Match(token));
    }
}
