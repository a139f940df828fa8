using Listener = Envoy.Config.Listener.V3.Listener;

namespace MeshProxy.Proxy.Listeners;

/// <summary>A listener as it was refused, for config_dump's error_state.</summary>
/// <param name="LastAttempt">UTC.</param>
public sealed record RefusedListener(Listener Definition, string Reason, DateTime LastAttempt);
