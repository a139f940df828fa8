using System.Net;
using System.Text;
using MeshProxy.Proxy.Http;

namespace MeshProxy.Proxy.Admin;

/// <summary>Answers requests to the admin interface; knows nothing of how they came. On the main loop.</summary>
public sealed class AdminHandler
{
    private readonly SortedDictionary<string, AdminEndpoint> _endpoints = new(StringComparer.Ordinal);

    public AdminHandler(IEnumerable<AdminEndpoint> endpoints)
    {
        Add(new AdminEndpoint("/", "Admin home page", false, _ => AdminResponse.Html(Home())));
        Add(new AdminEndpoint("/help", "print out list of admin commands", false,
            _ => AdminResponse.Text($"admin commands are:\n{Commands()}")));
        foreach (var endpoint in endpoints)
        {
            Add(endpoint);
        }
    }

    /// <summary>Adds a path later (filters with an admin endpoint of their own).</summary>
    public void Add(AdminEndpoint endpoint) => _endpoints[endpoint.Path] = endpoint;

    public AdminResponse Handle(string method, string pathAndQuery, HeaderMap? headers, ReadOnlySpan<byte> body)
    {
        var query = AdminQuery.Parse(method, pathAndQuery, headers, body);
        if (!_endpoints.TryGetValue(query.Path, out var endpoint))
        {
            return AdminResponse.Text($"invalid path. admin commands are:\n{Commands()}", 404);
        }
        return endpoint.Mutates && method != "POST"
            ? AdminResponse.Text($"Method {method} not allowed, POST required.", 405)
            : endpoint.Answer(query);
    }

    private string Commands()
    {
        var text = new StringBuilder();
        foreach (var endpoint in _endpoints.Values)
        {
            text.Append("  ").Append(endpoint.Path).Append(endpoint.Mutates ? " (POST): " : ": ").Append(endpoint.Help).Append('\n');
        }
        return text.ToString();
    }

    private string Home()
    {
        var page = new StringBuilder("<!DOCTYPE html>\n<html><head><title>MeshProxy Admin</title></head><body><table>\n");
        foreach (var endpoint in _endpoints.Values)
        {
            var path = WebUtility.HtmlEncode(endpoint.Path);
            var link = endpoint.Mutates
                ? $"<form method='post' action='{path[1..]}'><button>{path[1..]}</button></form>"
                : $"<a href='{path[1..]}'>{path[1..]}</a>";
            page.Append($"<tr><td>{link}</td><td>{WebUtility.HtmlEncode(endpoint.Help)}</td></tr>\n");
        }
        return page.Append("</table></body></html>\n").ToString();
    }
}
