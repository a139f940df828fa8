using MeshProxy.Injection.Configuration;
using MeshProxy.Injection.Documents;

namespace MeshProxy.Injection.Webhook;

/// <summary>
/// Values and mesh configuration from mounted files, read again when they change. A change that cannot be read is
/// reported and what held before goes on holding.
/// </summary>
internal sealed class ConfigurationFiles : IDisposable
{
    private readonly string? _valuesFile;
    private readonly string? _meshFile;
    private readonly Action<string> _log;
    private readonly FileChanges _changes;
    private WebhookConfiguration _current;

    /// <exception cref="ManifestException">A file cannot be read at the start.</exception>
    public ConfigurationFiles(string? valuesFile, string? meshFile, Action<string> log)
    {
        (_valuesFile, _meshFile, _log) = (valuesFile, meshFile, log);
        _current = Read();
        _changes = new FileChanges(new[] { valuesFile, meshFile }.OfType<string>(), Reload);
    }

    public WebhookConfiguration Current => Volatile.Read(ref _current);

    public void Dispose() => _changes.Dispose();

    private void Reload()
    {
        try
        {
            Volatile.Write(ref _current, Read());
            _log("configuration read again");
        }
        catch (ManifestException e)
        {
            _log($"the new configuration is refused and the old one stays: {e.Message}");
        }
    }

    private WebhookConfiguration Read()
    {
        var values = ValuesReader.Read(Text(_valuesFile), _valuesFile ?? "values", _log);
        return new WebhookConfiguration(
            values, MeshSettings.Read(Text(_meshFile), _meshFile ?? "the mesh configuration", values, _log));
    }

    private static string? Text(string? file)
    {
        if (file is not null && !File.Exists(file))
            throw new ManifestException($"{file} does not exist: name a file that is mounted");
        try
        {
            return file is null ? null : File.ReadAllText(file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ManifestException($"{file} cannot be read: {e.Message}", e);
        }
    }
}
