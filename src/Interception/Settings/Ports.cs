namespace MeshProxy.Interception.Settings;

/// <summary>Ports of a sidecar as istiod's configuration and the injector's templates have them.</summary>
public static class Ports
{
    public const int OutboundCapture = 15001;
    public const int InboundCapture = 15006;
    public const int InboundTunnel = 15008;
    public const int Agent = 15020;
    public const int Readiness = 15021;
    public const int Dns = 15053;
    public const int Prometheus = 15090;

    /// <summary>Nobody listens here: a probe to it arrives only if it was redirected.</summary>
    public const int Probe = 15002;
}
