using System.Net;
using System.Text;
using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Matching;
using Config = Envoy.Config.Core.V3.TypedExtensionConfig;
using CustomHeaderConfig = Envoy.Extensions.Http.OriginalIpDetection.CustomHeader.V3.CustomHeaderConfig;
using XffConfig = Envoy.Extensions.Http.OriginalIpDetection.Xff.V3.XffConfig;

namespace MeshProxy.Proxy.Http.ConnectionManager;

/// <summary>What an original IP detection extension found.</summary>
/// <param name="Address">The client's address; null when it could not tell.</param>
/// <param name="Trusted">The address may make the request internal.</param>
/// <param name="RejectStatus">The request is refused with this status; 0 when not.</param>
/// <param name="SkipXffAppend">The peer is not appended to x-forwarded-for.</param>
internal readonly record struct DetectedIp(IPAddress? Address, bool Trusted, int RejectStatus, bool SkipXffAppend);

/// <summary>original_ip_detection_extensions (http-semantics 10).</summary>
internal abstract class OriginalIpDetection
{
    public abstract DetectedIp Detect(HeaderMap headers, EndPoint peer);

    public static OriginalIpDetection Compile(Config config, string field)
    {
        switch (config.TypedConfig?.TypeName)
        {
            case "envoy.extensions.http.original_ip_detection.xff.v3.XffConfig":
                return new Xff(config.TypedConfig.Unpack<XffConfig>(), field);
            case "envoy.extensions.http.original_ip_detection.custom_header.v3.CustomHeaderConfig":
                return new CustomHeader(config.TypedConfig.Unpack<CustomHeaderConfig>());
            default:
                throw new ConfigurationException(
                    $"{field}: Original IP detection extension not found: '{config.Name}'; use envoy.http.original_ip_detection.xff or custom_header.");
        }
    }

    private sealed class Xff : OriginalIpDetection
    {
        private readonly uint _hops;
        private readonly CidrRange[]? _trusted;
        private readonly bool _skipAppend;

        public Xff(XffConfig config, string field)
        {
            _hops = config.XffNumTrustedHops;
            _skipAppend = config.SkipXffAppend ?? true;
            if (config.XffTrustedCidrs is not { Cidrs.Count: > 0 } cidrs)
            {
                return;
            }
            if (_hops > 0)
            {
                throw new ConfigurationException($"{field}: Cannot set both xff_num_trusted_hops and xff_trusted_cidrs; remove one.");
            }
            _trusted = new CidrRange[cidrs.Cidrs.Count];
            for (var i = 0; i < _trusted.Length; i++)
            {
                _trusted[i] = CidrRange.Compile(cidrs.Cidrs[i], $"{field}.xff_trusted_cidrs.cidrs[{i}]");
            }
        }

        public override DetectedIp Detect(HeaderMap headers, EndPoint peer)
        {
            if (_trusted is null)
            {
                var address = ForwardedFor.FromRight(headers, _hops, out var single);
                return new DetectedIp(address, single, 0, _skipAppend);
            }
            if (!CidrRange.AnyContains(_trusted, peer))
            {
                return new DetectedIp(null, false, 0, false);
            }
            var client = ForwardedFor.FirstUntrusted(headers, _trusted, out var alone);
            return new DetectedIp(client, alone, 0, _skipAppend);
        }
    }

    private sealed class CustomHeader(CustomHeaderConfig config) : OriginalIpDetection
    {
        private readonly byte[] _name = Encoding.ASCII.GetBytes(config.HeaderName.ToLowerInvariant());
        private readonly bool _trusted = config.AllowExtensionToSetAddressAsTrusted;

        // A status below 400 would be an answer, not a refusal.
        private readonly int _reject = config.RejectWithStatus is not { } status ? 0 : (int)status.Code < 400 ? 403 : (int)status.Code;

        public override DetectedIp Detect(HeaderMap headers, EndPoint peer) =>
            headers.TryGet(_name, out var value) && IPAddress.TryParse(Encoding.Latin1.GetString(value), out var address)
                ? new DetectedIp(address, _trusted, 0, true)
                : new DetectedIp(null, false, _reject, true);
    }
}
