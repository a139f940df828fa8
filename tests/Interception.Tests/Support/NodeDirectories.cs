using MeshProxy.Interception.Cni.Installation;

namespace MeshProxy.Interception.Tests.Support;

/// <summary>A node's directories, as the installer's container has them mounted.</summary>
internal sealed class NodeDirectories : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("node-").FullName;

    public NodeDirectories()
    {
        foreach (var directory in new[] { Configurations, Binaries, Account })
            Directory.CreateDirectory(directory);
        File.WriteAllText(Path.Combine(Account, "token"), "first");
        File.WriteAllText(Path.Combine(Account, "ca.crt"), "-----BEGIN CERTIFICATE-----");
        File.WriteAllText(Executable, "the executable");
    }

    public string Configurations => Path.Combine(_root, "net.d");

    public string Binaries => Path.Combine(_root, "bin");

    public string Account => Path.Combine(_root, "account");

    public InstallerSettings Settings => new()
    {
        ConfigurationDirectory = Configurations,
        BinaryDirectory = Binaries,
        ServiceAccountDirectory = Account,
        Executable = Executable,
    };

    private string Executable => Path.Combine(_root, "meshproxy");

    public Installer Installer(Func<InstallerSettings, InstallerSettings>? change = null) =>
        new(change is null ? Settings : change(Settings), _ => { });

    /// <summary>Writes a published configuration, as the program it belongs to does.</summary>
    public string Publish(string name, string? published = null) =>
        Write(name, File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Cni", "Published", published ?? name)));

    public string Write(string name, string text)
    {
        var path = Path.Combine(Configurations, name);
        File.WriteAllText(path, text);
        return path;
    }

    public void Dispose() => Directory.Delete(_root, recursive: true);
}
