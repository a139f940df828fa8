using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Matching.Cel;
using MeshProxy.Proxy.Observability;
using MeshProxy.Proxy.Tests.Observability;
using Xunit;

namespace MeshProxy.Proxy.Tests.Matching.Cel;

public class CelExpressionTests
{
    [Theory]
    [InlineData("1 + 2 * 3 == 7")]
    [InlineData("-2 - -3 == 1 && 7 % 4 == 3 && 7 / 2 == 3")]
    [InlineData("1.5 + 0.5 == 2.0 && 1 == 1u && 1 < 1.5")]
    [InlineData("'a' < 'b' && \"a\\tb\" == 'a\\x09b' && r'\\d' == '\\\\d' && '''a'b''' == \"a'b\"")]
    [InlineData("true ? 'x' == 'x' : false")]
    [InlineData("!(1 in [2, 3]) && 2 in [2, 3] && 'k' in {'k': 1}")]
    [InlineData("{'a': [1, 2]}.a[1] == 2 && {'a': 1}['a'] == 1")]
    [InlineData("[1, 2, 3].all(x, x > 0) && [1, 2].exists(x, x == 2) && [1, 2].exists_one(x, x == 2)")]
    [InlineData("[1, 2, 3].filter(x, x > 1).map(y, y * 2) == [4, 6]")]
    [InlineData("size('äb') == 2 && size([1]) == 1 && 'abc'.size() == 3")]
    [InlineData("'abc'.startsWith('a') && 'abc'.endsWith('c') && 'abc'.contains('b') && 'abc'.matches('^a.c$')")]
    [InlineData("int('42') == 42 && string(1) == '1' && double('1.5') == 1.5 && uint(3) == 3u && bool('true')")]
    [InlineData("duration('1h30m') == duration('5400s') && duration('90s') > duration('1m')")]
    [InlineData("timestamp('2024-01-02T03:04:05Z').getFullYear() == 2024 && timestamp('2024-01-02T03:04:05Z').getHours() == 3")]
    [InlineData("type(1) == int")]
    [InlineData("(1 / 0 == 1) || true")]
    [InlineData("!(false && 1 / 0 == 1)")]
    [InlineData("request.method == 'GET' && request.path == '/a?q=one%20x&e=' && request.url_path == '/a' && request.query == 'q=one%20x&e='")]
    [InlineData("request.headers['X-A'] == '1,2' && 'x-a' in request.headers && has(request.headers)")]
    [InlineData("!('x-none' in request.headers) && !has(response.code) && !has(request.headers.none)")]
    [InlineData("metadata.filter_metadata['ns']['k'] == 'v' && metadata.filter_metadata.ns.n == 1.0")]
    [InlineData("source.port == 0 && destination.address == '127.0.0.1:80' && connection.mtls == false && response.flags == 0")]
    [InlineData("request.time < timestamp('2025-01-01T00:00:00Z')")]
    public void Holds(string expression) => Assert.True(CelExpression.Compile(expression).Matches(Context()), expression);

    [Theory]
    [InlineData("request.headers['x-none'] == 'a'")]
    [InlineData("'a' + 'b' == 'ab'")]
    [InlineData("1 / 0 == 0")]
    [InlineData("9223372036854775807 + 1 > 0")]
    [InlineData("response.code == 200")]
    [InlineData("nothing == 1")]
    [InlineData("'1' == 1")]
    [InlineData("1")]
    public void DoesNotHoldForErrorsAndOtherTypes(string expression) => Assert.False(CelExpression.Compile(expression).Matches(Context()));

    [Theory]
    [InlineData("'a' + 'b' == 'ab' && 1 + 1 == 2")]
    [InlineData("request.method + ' ' + request.url_path == 'GET /a'")]
    [InlineData("'a,b,,c'.split(',') == ['a', 'b', '', 'c'] && 'ab'.split('') == ['a', 'b']")]
    [InlineData("'banana'.replace('an', 'o') == 'booa' && 'a'.replace('', 'x') == 'a'")]
    public void Text_functions_are_there_when_switched_on(string expression)
    {
        var environment = new CelEnvironment { JoinsStrings = true, HasStringFunctions = true };
        Assert.True(CelExpression.Compile(expression, environment).Matches(Context()), expression);
    }

    [Theory]
    [InlineData("'a,b'.split(',') == ['a', 'b']")]
    [InlineData("'a'.replace('a', 'b') == 'b'")]
    public void Text_functions_are_refused_else(string expression) =>
        Assert.Throws<ConfigurationException>(() => CelExpression.Compile(expression));

    [Theory]
    [InlineData("response.code >=")]
    [InlineData("(1")]
    [InlineData("'open")]
    [InlineData("1 2")]
    [InlineData("no_such_function(1)")]
    [InlineData("'a'.matches('(')")]
    [InlineData("a ? b")]
    [InlineData("#")]
    public void WhatIsNoExpressionIsRefused(string expression) =>
        Assert.Throws<ConfigurationException>(() => CelExpression.Compile(expression));

    [Fact]
    public void DeepNestingIsRefused() =>
        Assert.Throws<ConfigurationException>(() => CelExpression.Compile(new string('(', 100_000)));

    private static LogContext Context()
    {
        var info = LogContexts.Info();
        info.DynamicMetadata.Set("ns", "k", MetadataValue.From("v"));
        info.DynamicMetadata.Set("ns", "n", MetadataValue.From(1));
        return LogContexts.Http(info, LogContexts.Headers(
            (":method", "GET"), (":path", "/a?q=one%20x&e="), (":authority", "a.test"), ("x-a", "1"), ("x-a", "2")));
    }
}
