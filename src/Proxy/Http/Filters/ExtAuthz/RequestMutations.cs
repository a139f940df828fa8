using System.Text;
using MeshProxy.Proxy.Security.ExtAuthz;

namespace MeshProxy.Proxy.Http.Filters.ExtAuthz;

/// <summary>Does to a request what an allowing service wants done.</summary>
internal static class RequestMutations
{
    /// <summary>False when the answer is invalid as a whole; the request may be changed in part by then and goes nowhere.</summary>
    public static bool Apply(CheckResult result, HeaderMap headers, MutationPolicy policy) =>
        Change(result.HeadersToSet, MutationOperation.Set, Set, headers, policy)
        && Change(result.HeadersToAdd, MutationOperation.Set, Add, headers, policy)
        && Change(result.HeadersToAppend, MutationOperation.Append, Append, headers, policy)
        && Remove(result.HeadersToRemove, headers, policy)
        && ChangeQuery(result, headers, policy);

    private delegate void Operation(HeaderMap headers, ReadOnlySpan<byte> name, ReadOnlySpan<byte> value);

    private static bool Change(
        List<UnsafeHeader> wanted, MutationOperation operation, Operation change, HeaderMap headers, MutationPolicy policy)
    {
        foreach (var header in wanted)
        {
            var name = HeaderText.Name(header.Name);
            var value = HeaderText.Value(header.Value);
            if (!HeaderText.IsName(name) || !HeaderText.IsValue(value))
            {
                // Sent on, it would break the message to the backend.
                if (policy.Validates)
                {
                    return false;
                }
                continue;
            }
            switch (policy.Rules?.Check(operation, name, value) ?? MutationVerdict.Allowed)
            {
                case MutationVerdict.Allowed:
                    // Inside the proxy the host line is the pseudo header.
                    change(headers, name.AsSpan().SequenceEqual("host"u8) ? ":authority"u8 : name, value);
                    break;
                case MutationVerdict.Refused:
                    return false;
            }
        }
        return true;
    }

    private static void Set(HeaderMap headers, ReadOnlySpan<byte> name, ReadOnlySpan<byte> value) => headers.Set(name, value);

    private static void Add(HeaderMap headers, ReadOnlySpan<byte> name, ReadOnlySpan<byte> value) =>
        HeaderUtility.Append(headers, KnownHeaders.Find(name), name, value);

    private static void Append(HeaderMap headers, ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        var index = headers.IndexOf(name, 0);
        if (index >= 0)
        {
            headers.AppendTo(index, ","u8, value);
        }
    }

    private static bool Remove(List<string> wanted, HeaderMap headers, MutationPolicy policy)
    {
        foreach (var header in wanted)
        {
            var name = HeaderText.Name(header);
            if (!HeaderText.IsName(name) || (policy.Rules is null && !IsRemovable(name)))
            {
                continue;
            }
            switch (policy.Rules?.Check(MutationOperation.Remove, name, default) ?? MutationVerdict.Allowed)
            {
                case MutationVerdict.Allowed:
                    headers.Remove(name);
                    break;
                case MutationVerdict.Refused:
                    return false;
            }
        }
        return true;
    }

    // Without these a request is malformed.
    private static bool IsRemovable(ReadOnlySpan<byte> name) => name[0] != ':' && !name.SequenceEqual("host"u8);

    private static bool ChangeQuery(CheckResult result, HeaderMap headers, MutationPolicy policy)
    {
        if (!result.ChangesQuery)
        {
            return true;
        }
        var path = Encoding.Latin1.GetString(headers.Get(KnownHeader.Path));
        var parameters = QueryParameterMap.Parse(path, decode: false);
        foreach (var (name, value) in result.QueryParametersToSet)
        {
            if (!HeaderText.IsQueryPart(name) || !HeaderText.IsQueryPart(value))
            {
                if (policy.Validates)
                {
                    return false;
                }
                continue;
            }
            parameters[name] = [value];
        }
        foreach (var name in result.QueryParametersToRemove)
        {
            parameters.Remove(name);
        }
        headers.Set(KnownHeader.Path, QueryParameterMap.Format(path, parameters));
        return true;
    }
}
