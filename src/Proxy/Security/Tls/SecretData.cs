using MeshProxy.Proxy.Configuration;
using Source = Envoy.Config.Core.V3.DataSource;

namespace MeshProxy.Proxy.Security.Tls;

/// <summary>Bytes of a certificate, key or list with the name for messages: a path, or `&lt;inline&gt;`.</summary>
internal sealed record SecretData(byte[] Bytes, string Path)
{
    private const string Inline = "<inline>";

    /// <summary>Null when the source is absent or empty, which for Envoy is the same.</summary>
    public static SecretData? Read(Source? source, string field)
    {
        if (source is not { } present)
        {
            return null;
        }
        var bytes = DataSource.Read(present, int.MaxValue, field);
        var path = present.SpecifierCase == Source.SpecifierOneofCase.Filename ? present.Filename : Inline;
        return bytes.Length == 0 ? null : new SecretData(bytes, path);
    }
}
