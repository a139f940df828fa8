using System.Text;
using MeshProxy.Proxy.Observability;
using MeshProxy.Proxy.Transport;

namespace MeshProxy.Proxy.Http.Filters.BasicAuth;

/// <summary>Lets known users pass.</summary>
internal sealed class BasicAuthFilter(BasicAuthConfig config) : IStreamDecoderFilter
{
    private const string Namespace = "envoy.filters.http.basic_auth";
    private const int Unauthorized = 401;

    private IStreamDecoderFilterCallbacks _callbacks = null!;

    public void SetDecoderFilterCallbacks(IStreamDecoderFilterCallbacks callbacks) => _callbacks = callbacks;

    public FilterHeadersStatus DecodeHeaders(HeaderMap headers, bool endStream)
    {
        var users = _callbacks.MostSpecificPerFilterConfig<BasicAuthUsers>() ?? config.Users;
        var credential = headers.GetString(config.Header);
        if (string.IsNullOrEmpty(credential))
        {
            if (config.AllowMissing)
            {
                Forget(headers);
                config.Allowed.Inc();
                return FilterHeadersStatus.Continue;
            }
            return Deny(headers, users, "User authentication failed. Missing username and password.", "no_credential_for_basic_auth");
        }
        if (!credential.StartsWith("Basic ", StringComparison.OrdinalIgnoreCase))
        {
            return Deny(headers, users, "User authentication failed. Expected 'Basic' authentication scheme.", "invalid_scheme_for_basic_auth");
        }
        if (Decode(credential["Basic ".Length..]) is not { } pair)
        {
            return Deny(headers, users, "User authentication failed. Invalid basic credential format.", "invalid_format_for_basic_auth");
        }
        if (!users.Validate(pair.Name, pair.Password))
        {
            return Deny(headers, users, "User authentication failed. Invalid username/password combination.", "invalid_credential_for_basic_auth");
        }
        Accept(headers, pair.Name);
        return FilterHeadersStatus.Continue;
    }

    public FilterDataStatus DecodeData(ByteBuffer data, bool endStream) => FilterDataStatus.Continue;

    public FilterTrailersStatus DecodeTrailers(HeaderMap trailers) => FilterTrailersStatus.Continue;

    public void OnDestroy()
    {
    }

    private void Accept(HeaderMap headers, string name)
    {
        if (config.ForwardHeader.Length > 0)
        {
            headers.Set(config.ForwardHeader, Encoding.UTF8.GetBytes(name));
        }
        if (config.EmitMetadata)
        {
            _callbacks.StreamInfo.DynamicMetadata.Set(Namespace, "username", MetadataValue.From(name));
        }
        config.Allowed.Inc();
    }

    // Without a proven user nobody may claim to be one.
    private void Forget(HeaderMap headers)
    {
        if (config.ForwardHeader.Length > 0)
        {
            headers.Remove(config.ForwardHeader);
        }
    }

    private FilterHeadersStatus Deny(HeaderMap headers, BasicAuthUsers users, string body, string details)
    {
        config.Denied.Inc();
        var realm = users.Realm.Length > 0 ? users.Realm
            : $"{headers.GetString(KnownHeader.Scheme)}://{headers.GetString(KnownHeader.Authority)}{headers.GetString(KnownHeader.Path)}";
        _callbacks.SendLocalReply(Unauthorized, Encoding.UTF8.GetBytes(body),
            answer => answer.Set("www-authenticate"u8, Encoding.Latin1.GetBytes($"Basic realm=\"{realm}\"")), null, details);
        return FilterHeadersStatus.StopIteration;
    }

    private static (string Name, string Password)? Decode(string text)
    {
        try
        {
            var pair = Encoding.UTF8.GetString(Convert.FromBase64String(text.Trim()));
            var colon = pair.IndexOf(':');
            return colon < 0 ? null : (pair[..colon], pair[(colon + 1)..]);
        }
        catch (FormatException)
        {
            return null;
        }
    }
}
