using MeshProxy.Proxy.Http;

namespace MeshProxy.Proxy.Admin;

/// <summary>One request to the admin interface. Parameters of a POST may come as a form in the body instead of the query.</summary>
public sealed class AdminQuery
{
    private readonly List<KeyValuePair<string, string>> _parameters = [];

    private AdminQuery(string method, string path)
    {
        Method = method;
        Path = path;
    }

    public string Method { get; }

    /// <summary>Without the query.</summary>
    public string Path { get; }

    /// <summary>In their order, decoded; one without "=" has an empty value.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Parameters => _parameters;

    public static AdminQuery Parse(string method, string pathAndQuery, HeaderMap? headers, ReadOnlySpan<byte> body)
    {
        var question = pathAndQuery.IndexOf('?');
        var query = new AdminQuery(method, question < 0 ? pathAndQuery : pathAndQuery[..question]);
        query.Add(question < 0 ? "" : pathAndQuery[(question + 1)..], plusIsBlank: false);
        if (method == "POST" && headers?.GetString(KnownHeader.ContentType) is { } type
            && type.StartsWith("application/x-www-form-urlencoded", StringComparison.OrdinalIgnoreCase))
        {
            query.Add(System.Text.Encoding.UTF8.GetString(body), plusIsBlank: true);
        }
        return query;
    }

    public bool Has(string name) => Find(name) is not null;

    /// <summary>The first value; null if the parameter is not there.</summary>
    public string? Find(string name)
    {
        foreach (var (key, value) in _parameters)
        {
            if (key == name)
            {
                return value;
            }
        }
        return null;
    }

    private void Add(string text, bool plusIsBlank)
    {
        foreach (var pair in text.Split('&', StringSplitOptions.RemoveEmptyEntries))
        {
            var equals = pair.IndexOf('=');
            var name = equals < 0 ? pair : pair[..equals];
            _parameters.Add(new(Decode(name), equals < 0 ? "" : Decode(pair[(equals + 1)..])));
        }

        string Decode(string part) => Uri.UnescapeDataString(plusIsBlank ? part.Replace('+', ' ') : part);
    }
}
