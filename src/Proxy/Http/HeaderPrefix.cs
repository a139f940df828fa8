using System.Text;
using MeshProxy.Proxy.Configuration;

namespace MeshProxy.Proxy.Http;

/// <summary>
/// How the proxy's own headers begin: `x-envoy`, or the bootstrap's header_prefix. One for the process, fixed when the first
/// header name is asked for, as in Envoy.
/// </summary>
internal static class HeaderPrefix
{
    private const string Default = "x-envoy";

    private static readonly Lock Guard = new();
    private static string _value = Default;
    private static bool _fixed;

    /// <summary>Sets it; empty leaves what is there.</summary>
    /// <exception cref="ConfigurationException">Names with another prefix are in use.</exception>
    public static void Use(string prefix)
    {
        lock (Guard)
        {
            if (prefix.Length == 0 || prefix == _value)
            {
                return;
            }
            if (_fixed)
            {
                throw new ConfigurationException(
                    $"header_prefix: Attempting to change the header prefix to {prefix} after {_value} is in use; give one prefix a process.");
            }
            _value = prefix;
        }
    }

    /// <summary>The name a header has: one that begins with `x-envoy-` begins with the prefix instead.</summary>
    public static byte[] Apply(string name)
    {
        lock (Guard)
        {
            _fixed = true;
            return Encoding.ASCII.GetBytes(
                name.StartsWith("x-envoy-", StringComparison.Ordinal) ? _value + name[Default.Length..] : name);
        }
    }
}
