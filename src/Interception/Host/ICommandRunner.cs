namespace MeshProxy.Interception.Host;

/// <summary>Runs programs of the host (iptables, nft, ip) in the calling thread's network namespace.</summary>
public interface ICommandRunner
{
    CommandResult Run(string program, IReadOnlyList<string> arguments, string input = "");
}
