using System.Text;
using Config = Envoy.Config.Core.V3.DataSource;

namespace MeshProxy.Proxy.Configuration;

/// <summary>Reads a core.v3.DataSource: a file, text, bytes or an environment variable.</summary>
public static class DataSource
{
    /// <param name="maxBytes">A longer content is refused.</param>
    public static byte[] Read(Config config, uint maxBytes, string field)
    {
        var content = config.SpecifierCase switch
        {
            Config.SpecifierOneofCase.Filename => ReadFile(config.Filename, field),
            Config.SpecifierOneofCase.InlineBytes => config.InlineBytes.ToArray(),
            Config.SpecifierOneofCase.InlineString => Encoding.UTF8.GetBytes(config.InlineString),
            Config.SpecifierOneofCase.EnvironmentVariable => Encoding.UTF8.GetBytes(
                Environment.GetEnvironmentVariable(config.EnvironmentVariable)
                ?? throw new ConfigurationException($"{field}: Environment variable doesn't exist: {config.EnvironmentVariable}; set it.")),
            _ => [],
        };
        return content.LongLength <= maxBytes
            ? content
            : throw new ConfigurationException($"{field}: response body size is {content.LongLength} bytes; maximum is {maxBytes}; shorten it or raise the maximum.");
    }

    private static byte[] ReadFile(string path, string field)
    {
        try
        {
            return File.ReadAllBytes(path);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new ConfigurationException($"{field}: the file {path} cannot be read ({error.Message}); check its path and rights.", error);
        }
    }
}
