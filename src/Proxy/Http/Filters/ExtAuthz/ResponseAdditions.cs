using MeshProxy.Proxy.Http.Codec;
using MeshProxy.Proxy.Security.ExtAuthz;

namespace MeshProxy.Proxy.Http.Filters.ExtAuthz;

/// <summary>Does to a response what an allowing service wants done.</summary>
internal static class ResponseAdditions
{
    public static bool AreValid(CheckResult result) => HeaderText.AreValid(result.ResponseHeadersToAdd)
        && HeaderText.AreValid(result.ResponseHeadersToSet)
        && HeaderText.AreValid(result.ResponseHeadersToAddIfAbsent)
        && HeaderText.AreValid(result.ResponseHeadersToOverwriteIfExists);

    /// <summary>False when a header did not fit into <paramref name="limits"/>; null limits nothing.</summary>
    public static bool Apply(CheckResult result, HeaderMap headers, CodecLimits? limits)
    {
        foreach (var header in result.ResponseHeadersToAdd)
        {
            header.AddTo(headers);
        }
        foreach (var header in result.ResponseHeadersToSet)
        {
            Set(headers, header);
        }
        foreach (var header in result.ResponseHeadersToAddIfAbsent)
        {
            if (headers.IndexOf(HeaderText.Name(header.Name), 0) < 0)
            {
                header.AddTo(headers);
            }
        }
        foreach (var header in result.ResponseHeadersToOverwriteIfExists)
        {
            if (headers.IndexOf(HeaderText.Name(header.Name), 0) >= 0)
            {
                Set(headers, header);
            }
        }
        return limits is null || limits.Hold(headers);
    }

    private static void Set(HeaderMap headers, in UnsafeHeader header)
    {
        var (name, value) = (HeaderText.Name(header.Name), HeaderText.Value(header.Value));
        if (HeaderText.IsName(name) && HeaderText.IsValue(value))
        {
            headers.Set(name, value);
        }
    }
}
