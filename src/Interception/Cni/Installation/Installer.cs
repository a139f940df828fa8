using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using MeshProxy.Interception.Cni.Kubernetes;
using MeshProxy.Interception.Host;

namespace MeshProxy.Interception.Cni.Installation;

/// <summary>
/// Installs the plugin on a node and keeps it installed: the executable, its access to Kubernetes, and its entry in the
/// network configuration. Each step is atomic and changes nothing that is right already, so it can be repeated on every
/// sign of change.
/// </summary>
public sealed class Installer
{
    private const string KubeconfigName = "meshproxy-cni-kubeconfig";

    private const UnixFileMode Executable =
        UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute
        | UnixFileMode.GroupRead | UnixFileMode.GroupExecute | UnixFileMode.OtherRead | UnixFileMode.OtherExecute;

    private readonly InstallerSettings _settings;
    private readonly ConfigurationDirectory _configurations;
    private readonly JsonObject _own;
    private readonly Action<string> _note;

    public Installer(InstallerSettings settings, Action<string> note)
    {
        _settings = settings;
        _note = note;
        _configurations = new ConfigurationDirectory(settings.ConfigurationDirectory, settings.ConfigurationFile);
        _own = Entry(settings);
    }

    private string BinaryPath => Path.Combine(_settings.BinaryDirectory, PluginConfiguration.PluginType);

    private string KubeconfigPath => Path.Combine(_settings.ConfigurationDirectory, KubeconfigName);

    /// <summary>Everything is in place.</summary>
    public bool IsInstalled() =>
        File.Exists(BinaryPath)
        && HasKubeconfig()
        && _configurations.IsInserted(_own);

    /// <summary>Puts in place what is not. The entry comes last: it must not name what is not there yet.</summary>
    /// <returns>False while no plugin has written a network configuration to add ours to.</returns>
    /// <exception cref="InterceptionException">The node's directories cannot be written.</exception>
    public bool Install()
    {
        try
        {
            AtomicFile.RemoveLeftovers(BinaryPath);
            if (!SameFile(_settings.Executable, BinaryPath))
            {
                AtomicFile.Copy(_settings.Executable, BinaryPath, Executable);
                _note($"{BinaryPath} is installed.");
            }
            if (!HasKubeconfig())
            {
                AtomicFile.Write(KubeconfigPath, KubeconfigText());
                _note($"{KubeconfigPath} is written.");
            }
            if (_configurations.IsInserted(_own))
                return true;
            if (!_configurations.Insert(_own))
            {
                _note($"{_settings.ConfigurationDirectory} has no network configuration yet; waiting for one.");
                return false;
            }
            _note($"The plugin is added to {_configurations.Primary()?.Path}.");
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InterceptionException($"The plugin cannot be installed: {FailureReason.Of(e)}.");
        }
    }

    /// <summary>
    /// Removes the entry first: a pod that starts meanwhile must not find an entry whose executable is gone.
    /// </summary>
    public void Uninstall()
    {
        _configurations.Remove();
        File.Delete(KubeconfigPath);
        File.Delete(BinaryPath);
        AtomicFile.RemoveLeftovers(BinaryPath);
        _note("The plugin is removed.");
    }

    private static JsonObject Entry(InstallerSettings settings)
    {
        var own = new JsonObject();
        if (settings.UsesKubernetes)
            own["kubeconfig"] = Path.Combine(settings.HostConfigurationDirectory, KubeconfigName);
        if (settings.ExcludedNamespaces.Count > 0)
            own["excludeNamespaces"] = new JsonArray([.. settings.ExcludedNamespaces.Select(n => (JsonNode)n)]);
        if (settings.AgentNamespace.Length > 0)
            own["agentNamespace"] = settings.AgentNamespace;
        if (settings.NativeNftables)
            own["nativeNftables"] = true;
        if (settings.Arguments.Count > 0)
            own["arguments"] = new JsonArray([.. settings.Arguments.Select(a => (JsonNode)a)]);
        return new JsonObject { ["type"] = PluginConfiguration.PluginType, [PluginConfiguration.Key] = own };
    }

    private bool HasKubeconfig() =>
        !_settings.UsesKubernetes
        || (File.Exists(KubeconfigPath) && File.ReadAllText(KubeconfigPath) == KubeconfigText());

    private string KubeconfigText()
    {
        var host = _settings.ApiHost.Contains(':') ? $"[{_settings.ApiHost}]" : _settings.ApiHost;
        var authority = ReadAccount("ca.crt");
        return new Kubeconfig(
            $"https://{host}:{_settings.ApiPort}",
            Convert.ToBase64String(Encoding.UTF8.GetBytes(authority)),
            ReadAccount("token").Trim(),
            SkipTlsVerify: false).Text();
    }

    private string ReadAccount(string name)
    {
        var file = Path.Combine(_settings.ServiceAccountDirectory, name);
        try
        {
            return File.ReadAllText(file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InterceptionException($"The service account's {file} cannot be read: {FailureReason.Of(e)}.");
        }
    }

    private static bool SameFile(string source, string target)
    {
        if (!File.Exists(target))
            return false;
        using var one = File.OpenRead(source);
        using var other = File.OpenRead(target);
        if (one.Length != other.Length)
            return false;
        return SHA256.HashData(one).AsSpan().SequenceEqual(SHA256.HashData(other));
    }
}
