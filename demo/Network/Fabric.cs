using System.Globalization;

namespace MeshProxy.Demo.Network;

/// <summary>
/// What connects the pods: a bridge in a namespace of its own, so that nothing of the machine's network is touched.
/// Names carry this process's number; what a killed process left behind is removed by the next one.
/// </summary>
public sealed class Fabric : IDisposable
{
    private const string Prefix = "meshdemo";
    private static int _made;

    private readonly string _prefix;
    private readonly List<NetworkNamespace> _pods = [];

    private Fabric(string prefix, NetworkNamespace center)
    {
        _prefix = prefix;
        Center = center;
    }

    /// <summary>The address of the bridge: the pods' gateway, and where a control plane can listen.</summary>
    public const string CenterAddress = "10.42.0.1";

    /// <summary>The namespace the bridge is in.</summary>
    public NetworkNamespace Center { get; }

    /// <summary>Whether this process may make namespaces; when not, <paramref name="reason"/> says why.</summary>
    public static bool Possible(out string reason)
    {
        reason = "";
        if (!Environment.IsPrivilegedProcess) reason = "network namespaces and redirects need root";
        else if (Command.Try("ip", "-V").Code != 0) reason = "the command ip (package iproute2) is missing";
        else if (Command.Try("iptables", "-V").Code != 0) reason = "the command iptables is missing";
        else if (!CanMakeNamespace()) reason = "the kernel or the container does not allow network namespaces";
        return reason.Length == 0;
    }

    /// <summary>Makes a fabric without pods.</summary>
    public static Fabric Create()
    {
        RemoveLeftovers();
        var prefix = $"{Prefix}-{Environment.ProcessId}-{Interlocked.Increment(ref _made)}";
        var fabric = new Fabric(prefix, NetworkNamespace.Create(prefix + "-center"));
        try
        {
            var center = fabric.Center.Name;
            Command.Run("ip", "-n", center, "link", "add", "bridge", "type", "bridge");
            Command.Run("ip", "-n", center, "addr", "add", CenterAddress + "/24", "dev", "bridge");
            Command.Run("ip", "-n", center, "link", "set", "bridge", "up");
        }
        catch
        {
            fabric.Dispose();
            throw;
        }

        return fabric;
    }

    /// <summary>Makes the namespace of a pod with this address, connected to the others through eth0.</summary>
    public NetworkNamespace AddPod(string name, string address)
    {
        var pod = NetworkNamespace.Create($"{_prefix}-{name}");
        _pods.Add(pod);
        // The other end's name is seen in the center alone, where it is unique by its number.
        var port = $"pod{_pods.Count}";
        Command.Run(
            "ip", "-n", Center.Name, "link", "add", port, "type", "veth", "peer", "name", "eth0", "netns", pod.Name);
        Command.Run("ip", "-n", Center.Name, "link", "set", port, "master", "bridge", "up");
        Command.Run("ip", "-n", pod.Name, "addr", "add", address + "/24", "dev", "eth0");
        Command.Run("ip", "-n", pod.Name, "link", "set", "eth0", "up");
        // Service addresses are nobody's: only with a way out does a packet to one reach the redirect.
        Command.Run("ip", "-n", pod.Name, "route", "add", "default", "via", CenterAddress);
        return pod;
    }

    /// <summary>Removes all of it.</summary>
    public void Dispose()
    {
        foreach (var pod in _pods) pod.Dispose();
        Center.Dispose();
    }

    private static bool CanMakeNamespace()
    {
        var name = $"{Prefix}-{Environment.ProcessId}-trial";
        if (Command.Try("ip", "netns", "add", name).Code != 0) return false;
        NetworkNamespace.Remove(name);
        return true;
    }

    private static void RemoveLeftovers()
    {
        foreach (var name in NetworkNamespace.Names())
        {
            var parts = name.Split('-');
            if (parts.Length > 2 && parts[0] == Prefix &&
                int.TryParse(parts[1], CultureInfo.InvariantCulture, out var process) &&
                !Directory.Exists($"/proc/{process}"))
                NetworkNamespace.Remove(name);
        }
    }
}
