using MeshProxy.Interception.Host;
using MeshProxy.Interception.Rules;

namespace MeshProxy.Interception.Iptables;

/// <summary>The programs of one family and flavour: "iptables-nft", "ip6tables-legacy", or plain "iptables".</summary>
public sealed record IptablesTool(Families Family, string Name, bool Legacy, ICommandRunner Runner)
{
    // Seconds that the legacy programs wait for the lock they share; the kernel serialises nft's.
    private const string LockWait = "--wait=30";

    public string RestoreCommand => $"{Name}-restore";

    public CommandResult Save() => Runner.Run($"{Name}-save", []);

    public CommandResult Restore(string text) =>
        Runner.Run(RestoreCommand, Legacy ? ["--noflush", LockWait] : ["--noflush"], text);
}
