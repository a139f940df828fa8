using System.Net;
using MeshProxy.Interception.Host;

namespace MeshProxy.Interception.Cni.Repair;

/// <summary>Finds a pod's network namespace by its address, among those that the node's runtime keeps.</summary>
internal sealed class NamespaceFinder(string directory)
{
    /// <returns>The namespace's path, or null if none has the address.</returns>
    public string? Find(IPAddress address)
    {
        if (!Directory.Exists(directory))
            throw new InterceptionException(
                $"The directory of network namespaces {directory} is not there: mount the node's into this container.");
        return Directory.EnumerateFiles(directory)
            .Order(StringComparer.Ordinal)
            .FirstOrDefault(path => Has(path, address));
    }

    private static bool Has(string path, IPAddress address)
    {
        try
        {
            return NetworkNamespace.Run(path, hostFiles: false, _ => PodNetwork.LocalAddresses().Contains(address));
        }
        catch (InterceptionException)
        {
            // A pod's that has ended in the meantime, or a file that is no namespace.
            return false;
        }
    }
}
