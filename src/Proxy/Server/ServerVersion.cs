namespace MeshProxy.Proxy.Server;

/// <summary>What this build calls itself.</summary>
public static class ServerVersion
{
    /// <summary>The Envoy whose behaviour, API and admin interface are offered.</summary>
    public const string EnvoyCompatible = "1.40.0";

    public const string Number = "0.1.0";

    /// <summary>`meshproxy  version: COMMIT/VERSION/STATE/TYPE/SSL`, in the form tools parse out of Envoy's --version.</summary>
    public static string Text => $"meshproxy  version: meshproxy-{Number}/{EnvoyCompatible}/Clean/RELEASE/OpenSSL";
}
