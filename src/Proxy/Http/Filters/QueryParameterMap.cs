using System.Text;

namespace MeshProxy.Proxy.Http.Filters;

/// <summary>The query of a path as parameters sorted by name, which is how Envoy writes it again after a change.</summary>
internal static class QueryParameterMap
{
    /// <param name="decode">Resolves percent-encoding; without it names and values stay as they are.</param>
    public static SortedDictionary<string, List<string>> Parse(string path, bool decode)
    {
        var parameters = new SortedDictionary<string, List<string>>(StringComparer.Ordinal);
        var start = path.IndexOf('?', StringComparison.Ordinal);
        if (start < 0)
        {
            return parameters;
        }
        foreach (var item in path[(start + 1)..].Split('&', StringSplitOptions.RemoveEmptyEntries))
        {
            var equals = item.IndexOf('=', StringComparison.Ordinal);
            var key = Text(equals < 0 ? item : item[..equals], decode);
            if (!parameters.TryGetValue(key, out var values))
            {
                parameters[key] = values = [];
            }
            values.Add(equals < 0 ? "" : Text(item[(equals + 1)..], decode));
        }
        return parameters;
    }

    public static string Format(string path, SortedDictionary<string, List<string>> parameters)
    {
        var start = path.IndexOf('?', StringComparison.Ordinal);
        var result = new StringBuilder(start < 0 ? path : path[..start]);
        var separator = '?';
        foreach (var (key, values) in parameters)
        {
            foreach (var value in values)
            {
                result.Append(separator).Append(key).Append('=').Append(value);
                separator = '&';
            }
        }
        return result.ToString();
    }

    private static string Text(string part, bool decode) => decode ? Uri.UnescapeDataString(part) : part;
}
