using System.Globalization;
using System.Net;
using System.Text.RegularExpressions;
using MeshProxy.Injection.Documents;

namespace MeshProxy.Injection.Pods;

/// <summary>
/// The values that annotations may have. They become arguments of a program that runs as root in the pod's network, so
/// each is held to a strict grammar; all mistakes are reported at once.
/// </summary>
internal static partial class AnnotationRules
{
    private delegate string? Rule(string value);

    private static readonly Dictionary<string, Rule> Rules = new(StringComparer.Ordinal)
    {
        [MeshNames.InterceptionMode] = value =>
            value is "REDIRECT" or "TPROXY" or "NONE" ? null : "interceptionMode must be REDIRECT, TPROXY or NONE",
        [MeshNames.ProxyCpu] = Quantity,
        [MeshNames.ProxyMemory] = Quantity,
        [MeshNames.ProxyCpuLimit] = Quantity,
        [MeshNames.ProxyMemoryLimit] = Quantity,
        [MeshNames.StatusPort] = Port,
        [MeshNames.ReadinessInitialDelay] = Unsigned,
        [MeshNames.ReadinessPeriod] = Unsigned,
        [MeshNames.ReadinessFailures] = Unsigned,
        [MeshNames.IncludeOutboundRanges] = value => value == "*" ? null : Ranges(value),
        [MeshNames.ExcludeOutboundRanges] = Ranges,
        [MeshNames.IncludeInboundPorts] = value => value == "*" ? null : Ports(value),
        [MeshNames.ExcludeInboundPorts] = Ports,
        [MeshNames.IncludeOutboundPorts] = value => value == "*" ? null : Ports(value),
        [MeshNames.ExcludeOutboundPorts] = Ports,
        [MeshNames.ExcludeInterfaces] = Interfaces,
        [MeshNames.KubevirtInterfaces] = Interfaces,
        [MeshNames.RerouteInterfaces] = Interfaces,
        [MeshNames.MergeMetrics] = value => GoBoolean.Parse(value) is null ? "must be true or false" : null,
        [MeshNames.LogLevel] = Printable,
        [MeshNames.ComponentLogLevel] = Printable,
        [MeshNames.AgentLogLevel] = Printable,
        [MeshNames.ProxyImage] = Printable,
        [MeshNames.ProxyImageType] = Printable,
        [MeshNames.BootstrapOverride] = Printable,
    };

    /// <exception cref="ManifestException">One or more annotations have a value that their rule refuses.</exception>
    public static void Check(PodDocument pod)
    {
        List<string> refused = [];
        foreach (var (name, value) in pod.Metadata.TextMap("annotations"))
        {
            if (Rules.TryGetValue(name, out var rule) && rule(value) is { } reason)
                refused.Add($"annotation {name}: \"{value}\" is refused: {reason}");
        }
        if (refused.Count > 0)
            throw new ManifestException(string.Join("; ", refused));
    }

    private static string? Quantity(string value) =>
        QuantityForm().IsMatch(value) ? null : "it must be a quantity such as 100m or 128Mi";

    private static string? Port(string value) =>
        ushort.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out _)
            ? null
            : $"\"{value}\" is no port number (0 to 65535)";

    private static string? Unsigned(string value) =>
        uint.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out _) ? null : "it must be a whole number";

    private static string? Ports(string value) =>
        Parts(value).Select(Port).FirstOrDefault(reason => reason is not null);

    private static string? Ranges(string value) => Parts(value)
        .Where(range => !range.Contains('/', StringComparison.Ordinal) || !IPNetwork.TryParse(WithoutHostBits(range), out _))
        .Select(range => $"\"{range}\" is no address range such as 10.0.0.0/8")
        .FirstOrDefault();

    // 10.1.2.3/8 names a range, if carelessly; .NET wants the bits behind the prefix to be zero.
    private static string WithoutHostBits(string range)
    {
        var slash = range.IndexOf('/', StringComparison.Ordinal);
        if (!IPAddress.TryParse(range[..slash], out var address)
            || !int.TryParse(range[(slash + 1)..], NumberStyles.None, CultureInfo.InvariantCulture, out var prefix))
            return range;
        var bytes = address.GetAddressBytes();
        for (var bit = Math.Min(prefix, bytes.Length * 8); bit < bytes.Length * 8; bit++)
            bytes[bit / 8] &= (byte)~(0x80 >> (bit % 8));
        return $"{new IPAddress(bytes)}/{prefix}";
    }

    // IFNAMSIZ (linux/if.h) leaves 15 characters to a name.
    private static string? Interfaces(string value)
    {
        if (value.Length == 0)
            return null;
        foreach (var name in value.Split(','))
        {
            if (!InterfaceName().IsMatch(name))
                return $"\"{name}\" is no interface name (1 to 15 of letters, digits, '.', '_', '-', '@', '+')";
        }
        return null;
    }

    private static string? Printable(string value) =>
        value.Any(char.IsControl) ? "it must not contain control characters" : null;

    private static IEnumerable<string> Parts(string value) => value.Length == 0 ? [] : value.Split(',');

    // k8s.io/apimachinery resource.ParseQuantity.
    [GeneratedRegex(@"\A[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)(n|u|m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei|[eE][+-]?[0-9]+)?\z")]
    private static partial Regex QuantityForm();

    [GeneratedRegex(@"\A[A-Za-z0-9._@+-]{1,15}\z")]
    private static partial Regex InterfaceName();
}
