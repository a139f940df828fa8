using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using MeshProxy.Injection.Documents;

namespace MeshProxy.Injection.Webhook;

/// <summary>A certificate that somebody else renews (cert-manager, a mounted Secret): read again when the files change.</summary>
internal sealed class CertificateFiles : IDisposable
{
    private readonly string _certificateFile;
    private readonly string _keyFile;
    private readonly Action<string> _log;
    private readonly FileChanges _changes;
    private X509Certificate2 _current;

    /// <exception cref="ManifestException">The files hold no certificate with its key.</exception>
    public CertificateFiles(string certificateFile, string keyFile, Action<string> log)
    {
        (_certificateFile, _keyFile, _log) = (certificateFile, keyFile, log);
        _current = Read();
        _changes = new FileChanges([certificateFile, keyFile], Reload);
    }

    public X509Certificate2 Current => Volatile.Read(ref _current);

    public void Dispose() => _changes.Dispose();

    private void Reload()
    {
        try
        {
            Volatile.Write(ref _current, Read());
            _log("certificate read again");
        }
        catch (ManifestException e)
        {
            _log($"the new certificate is refused and the old one stays: {e.Message}");
        }
    }

    private X509Certificate2 Read()
    {
        try
        {
            return X509Certificate2.CreateFromPemFile(_certificateFile, _keyFile);
        }
        catch (Exception e) when (e is CryptographicException or IOException or UnauthorizedAccessException)
        {
            throw new ManifestException(
                $"{_certificateFile} and {_keyFile} hold no certificate with its key: {e.Message}", e);
        }
    }
}
