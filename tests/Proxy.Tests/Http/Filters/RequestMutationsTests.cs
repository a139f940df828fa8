using System.Text;
using Envoy.Config.Common.MutationRules.V3;
using MeshProxy.Proxy.Http;
using MeshProxy.Proxy.Http.Filters.ExtAuthz;
using MeshProxy.Proxy.Security.ExtAuthz;
using MeshProxy.Xds.Mapping;
using Xunit;

namespace MeshProxy.Proxy.Tests.Http.Filters;

public sealed class RequestMutationsTests
{
    private static readonly MutationPolicy Lenient = new(false, null);
    private static readonly MutationPolicy Strict = new(true, null);

    [Fact]
    public void Set_replaces_all_lines_add_adds_one_append_joins_only_what_is_there()
    {
        var headers = Request(("x-set", "old"), ("x-set", "older"), ("x-add", "1"), ("x-append", "1"));
        var result = Allowed();
        result.HeadersToSet.Add(new("X-Set", "new"));
        result.HeadersToAdd.Add(new("x-add", "2"));
        result.HeadersToAppend.Add(new("x-append", "2"));
        result.HeadersToAppend.Add(new("x-absent", "2"));
        Assert.True(RequestMutations.Apply(result, headers, Lenient));
        Assert.Equal("new", headers.GetJoined("x-set"u8));
        Assert.Equal("1,2", headers.GetJoined("x-add"u8));
        Assert.Equal("1,2", headers.GetString("x-append"u8));
        Assert.True(headers.IndexOf("x-absent"u8, 0) < 0);
    }

    [Fact]
    public void The_host_line_is_the_authority_and_no_pseudo_header_is_removed()
    {
        var headers = Request();
        var result = Allowed();
        result.HeadersToSet.Add(new("host", "other.test"));
        result.HeadersToRemove.AddRange([":method", "host", "x-gone"]);
        headers.Add("x-gone", "1");
        Assert.True(RequestMutations.Apply(result, headers, Lenient));
        Assert.Equal("other.test", headers.GetString(KnownHeader.Authority));
        Assert.Equal("GET", headers.GetString(KnownHeader.Method));
        Assert.True(headers.IndexOf("x-gone"u8, 0) < 0);
    }

    [Theory]
    [InlineData("x bad", "v")]
    [InlineData("", "v")]
    [InlineData("x-bad", "a\nb")]
    [InlineData("x-bad", "a\r\nx-smuggled: 1")]
    public void What_would_break_the_message_is_never_sent(string name, string value)
    {
        var headers = Request();
        var before = headers.Count;
        var result = Allowed();
        result.HeadersToSet.Add(new(name, value));
        Assert.True(RequestMutations.Apply(result, headers, Lenient));
        Assert.Equal(before, headers.Count);
        Assert.False(RequestMutations.Apply(result, headers, Strict));
    }

    [Theory]
    [InlineData(false, true)]
    [InlineData(true, false)]
    public void Rules_leave_out_or_refuse(bool isError, bool applied)
    {
        var rules = MessageJson.ParseYaml<HeaderMutationRules>(
            $"{{disallow_expression: {{regex: 'x-internal-.*'}}, disallow_is_error: {isError}}}", JsonReadOptions.Strict);
        var headers = Request();
        var result = Allowed();
        result.HeadersToSet.Add(new("x-internal-a", "1"));
        Assert.Equal(applied, RequestMutations.Apply(result, headers, new MutationPolicy(false, new HeaderMutationChecker(rules, "rules"))));
        Assert.True(headers.IndexOf("x-internal-a"u8, 0) < 0);
    }

    [Theory]
    [InlineData("/p?keep=1&drop=2&set=old", "/p?added=a-b&keep=1&set=new")]
    [InlineData("/p", "/p?added=a-b&set=new")]
    [InlineData("/p?set=1&set=2&x=%41", "/p?added=a-b&set=new&x=%41")]
    public void The_query_is_written_again_sorted_by_name(string path, string expected)
    {
        var headers = Request();
        headers.Set(KnownHeader.Path, Encoding.ASCII.GetBytes(path));
        var result = Allowed();
        result.QueryParametersToSet.AddRange([new("set", "new"), new("added", "a-b")]);
        result.QueryParametersToRemove.Add("drop");
        Assert.True(RequestMutations.Apply(result, headers, Strict));
        Assert.Equal(expected, headers.GetString(KnownHeader.Path));
    }

    [Fact]
    public void A_query_part_that_is_not_encoded_is_refused()
    {
        var result = Allowed();
        result.QueryParametersToSet.Add(new("a", "b c"));
        Assert.False(RequestMutations.Apply(result, Request(), Strict));
    }

    private static CheckResult Allowed() => new() { Status = CheckStatus.Ok };

    private static HeaderMap Request(params (string Name, string Value)[] more)
    {
        var headers = new HeaderMap();
        headers.Set(KnownHeader.Method, "GET"u8);
        headers.Set(KnownHeader.Path, "/"u8);
        headers.Set(KnownHeader.Authority, "a.test"u8);
        foreach (var (name, value) in more)
        {
            headers.Add(name, value);
        }
        return headers;
    }
}
