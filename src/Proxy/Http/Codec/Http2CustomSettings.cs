using Envoy.Config.Core.V3;
using MeshProxy.Proxy.Configuration;

namespace MeshProxy.Proxy.Http.Codec;

/// <summary>Refuses custom_settings_parameters that contradict each other or the named fields (RFC 9113 section 6.5.2 has the numbers).</summary>
internal static class Http2CustomSettings
{
    private const uint HeaderTableSize = 1;
    private const uint EnablePush = 2;
    private const uint MaxConcurrentStreams = 3;
    private const uint InitialWindowSize = 4;
    private const uint EnableConnectProtocol = 8;

    public static void Check(Http2ProtocolOptions options)
    {
        var values = new Dictionary<uint, uint>();
        foreach (var parameter in options.CustomSettingsParameters)
        {
            var (identifier, value) = (parameter.Identifier!.Value, parameter.Value!.Value);
            if (!values.TryAdd(identifier, value) && values[identifier] != value)
            {
                throw new ConfigurationException(
                    $"inconsistent HTTP/2 custom SETTINGS parameter(s) detected; identifiers = {{0x{identifier:x}}}");
            }
            CheckOne(options, identifier, value);
        }
    }

    private static void CheckOne(Http2ProtocolOptions options, uint identifier, uint value)
    {
        switch (identifier)
        {
            case EnablePush when value == 1:
                throw new ConfigurationException(
                    "server push is not supported and can not be enabled via a SETTINGS parameter.");
            case EnableConnectProtocol:
                throw new ConfigurationException(
                    "the \"allow_connect\" SETTINGS parameter must only be configured through the named field");
            case HeaderTableSize when options.HpackTableSize is not null:
                throw Twice("hpack_table_size");
            case MaxConcurrentStreams when options.MaxConcurrentStreams is not null:
                throw Twice("max_concurrent_streams");
            case InitialWindowSize when options.InitialStreamWindowSize is not null:
                throw Twice("initial_stream_window_size");
        }
    }

    private static ConfigurationException Twice(string field) =>
        new($"the {{{field}}} HTTP/2 SETTINGS parameter(s) can not be configured through both named and custom parameters");
}
