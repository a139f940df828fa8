using System.Text;
using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Observability;

namespace MeshProxy.Proxy.Http;

/// <summary>Compiles the value of a header to add: constant text, or a substitution format.</summary>
internal static class HeaderFormatter
{
    /// <summary>The formatter, or null with the constant text when nothing is to be substituted.</summary>
    public static IFormatter? Compile(string value, string field, out byte[] constant)
    {
        value = LegacyHeaderFormat.Translate(value, field);
        if (SubstitutionFormat.IsConstant(value, out var text))
        {
            constant = Encoding.UTF8.GetBytes(text);
            return null;
        }
        constant = [];
        try
        {
            return SubstitutionFormat.Compile(value, omitEmpty: true);
        }
        catch (ConfigurationException error)
        {
            throw new ConfigurationException($"{field}: {error.Message}", error);
        }
    }
}
