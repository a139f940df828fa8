namespace MeshProxy.Agent.Security;

/// <summary>Credentials that somebody else puts into a folder and renews there.</summary>
internal static class MountedCredentials
{
    // Folders with the names of their files: Istio's for mounted certificates, and that of workload identity providers.
    private static readonly (string Folder, string Chain, string Key, string Root)[] Places =
    [
        ("./etc/certs", "cert-chain.pem", "key.pem", "root-cert.pem"),
        ("./var/run/secrets/workload-spiffe-credentials", "cert-chain.pem", "key.pem", "root-cert.pem"),
        ("./var/run/secrets/workload-spiffe-credentials", "certificates.pem", "private_key.pem", "ca_certificates.pem"),
    ];

    /// <summary>The folder that has all three files, or null.</summary>
    public static string? Folder() => Find() is var (folder, _, _, _) ? folder : null;

    /// <summary>What the files say, or null when one is missing or just being replaced.</summary>
    public static WorkloadCredentials? Read()
    {
        try
        {
            return Find() is var (folder, chain, key, root)
                ? new WorkloadCredentials(
                    File.ReadAllText(Path.Combine(folder, chain)), File.ReadAllText(Path.Combine(folder, key)),
                    File.ReadAllText(Path.Combine(folder, root)))
                : null;
        }
        catch (IOException)
        {
            return null;
        }
    }

    private static (string Folder, string Chain, string Key, string Root)? Find()
    {
        foreach (var place in Places)
        {
            if (File.Exists(Path.Combine(place.Folder, place.Chain)) && File.Exists(Path.Combine(place.Folder, place.Key))
                && File.Exists(Path.Combine(place.Folder, place.Root)))
                return place;
        }
        return null;
    }
}
