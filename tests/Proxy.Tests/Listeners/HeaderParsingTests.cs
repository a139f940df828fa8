using System.Text;
using MeshProxy.Proxy.Listeners.Filters;
using Xunit;

namespace MeshProxy.Proxy.Tests.Listeners;

/// <summary>The parsers of what comes before a connection's own bytes: verdicts, and that no bytes make them throw.</summary>
public sealed class HeaderParsingTests
{
    private const int HelloLimit = 16 * 1024;

    private const string V2 = "\r\n\r\n\0\r\nQUIT\n";

    [Theory]
    [InlineData("PROXY TCP4 10.0.0.1 10.0.0.2 4000 80\r\nrest", "Complete", "10.0.0.1:4000", "10.0.0.2:80")]
    [InlineData("PROXY TCP6 2001:db8::1 2001:db8::2 1 2\r\n", "Complete", "[2001:db8::1]:1", "[2001:db8::2]:2")]
    [InlineData("PROXY UNKNOWN\r\n", "Complete", "", "")]
    [InlineData("PROXY UNKNOWN ff:: ff:: 1 2\r\n", "Complete", "", "")]
    [InlineData("PROXY TCP4 10.0.0.1 10.0.0.2 4000", "NeedMoreBytes", "", "")]
    [InlineData("PROXY TCP4 10.0.0.1 10.0.0.2 1 2\n", "NeedMoreBytes", "", "")]
    [InlineData("PROXY TCP4  10.0.0.1 10.0.0.2 1 2\r\n", "Malformed", "", "")]
    [InlineData("PROXY TCP4 10.0.0.1 10.0.0.2 01 2\r\n", "Malformed", "", "")]
    [InlineData("PROXY TCP4 10.0.0.1 10.0.0.2 1 65536\r\n", "Malformed", "", "")]
    [InlineData("PROXY TCP4 10.1 10.0.0.2 1 2\r\n", "Malformed", "", "")]
    [InlineData("PROXY TCP4 0.0.0.0 10.0.0.2 1 2\r\n", "Malformed", "", "")]
    [InlineData("PROXY TCP4 255.255.255.255 10.0.0.2 1 2\r\n", "Malformed", "", "")]
    [InlineData("PROXY TCP4 224.0.0.1 10.0.0.2 1 2\r\n", "Malformed", "", "")]
    [InlineData("PROXY TCP6 10.0.0.1 10.0.0.2 1 2\r\n", "Malformed", "", "")]
    [InlineData("PROXY TCP4 10.0.0.1 10.0.0.2 1\r\n", "Malformed", "", "")]
    [InlineData("GET / HTTP/1.1\r\nhost: a\r\n\r\n", "NotFound", "", "")]
    [InlineData(V2 + "\x21\x11\0\x0c\x0a\0\0\x01\x0a\0\0\x02\x0f\xa0\0\x50", "Complete", "10.0.0.1:4000", "10.0.0.2:80")]
    [InlineData(V2 + "\x21\x11\0\x0c\x0a\0\0\x01\x0a\0\0\x02\x0f\xa0\0", "NeedMoreBytes", "", "")]
    [InlineData(V2 + "\x20\0\0\0", "Complete", "", "")]
    [InlineData(V2 + "\x21\0\0\0", "Malformed", "", "")]
    [InlineData(V2 + "\x31\x11\0\x0c\x0a\0\0\x01\x0a\0\0\x02\0\x01\0\x02", "Malformed", "", "")]
    [InlineData(V2 + "\x21\x11\0\x08\x0a\0\0\x01\x0a\0\0\x02", "Malformed", "", "")]
    public void ReadsProxyHeaders(string text, string verdict, string source, string destination)
    {
        var result = ProxyProtocolHeaderParser.Parse(Encoding.Latin1.GetBytes(text), out _, out var header);
        Assert.Equal(verdict, result.ToString());
        Assert.Equal(source, header?.Source?.ToString() ?? "");
        Assert.Equal(destination, header?.Destination?.ToString() ?? "");
    }

    [Fact]
    public void AnswersTheSameForAHeaderThatComesInPieces()
    {
        var whole = Encoding.Latin1.GetBytes("PROXY TCP4 10.0.0.1 10.0.0.2 4000 80\r\n");
        for (var length = 0; length < whole.Length; length++)
        {
            Assert.Equal(ProxyProtocolVerdict.NeedMoreBytes, ProxyProtocolHeaderParser.Parse(whole.AsSpan(0, length), out _, out _));
        }
    }

    [Fact]
    public void NoBytesMakeTheProxyHeaderParserThrow()
    {
        var random = new Random(7);
        string[] starts = ["", "PROXY TCP4 ", "PROXY TCP6 ", "PROXY ", V2, V2 + "\x21\x11", V2 + "\x21\x21\0\x30"];
        for (var i = 0; i < 20_000; i++)
        {
            var tail = new byte[random.Next(140)];
            random.NextBytes(tail);
            byte[] bytes = [.. Encoding.Latin1.GetBytes(starts[i % starts.Length]), .. tail];
            var verdict = ProxyProtocolHeaderParser.Parse(bytes, out _, out var header);
            Assert.Equal(verdict == ProxyProtocolVerdict.Complete, header is not null);
            Assert.True(header is null || header.Length <= bytes.Length);
        }
    }

    [Fact]
    public void ReadsNameAndProtocolsOfAHello()
    {
        Assert.Equal(ClientHelloVerdict.Complete, ClientHello.Parse(Hello(), HelloLimit, out var hello));
        Assert.Equal("a.test", hello.ServerName);
        Assert.Equal(["h2", "http/1.1"], hello.ApplicationProtocols);
    }

    [Fact]
    public void WaitsForEveryByteOfAHello()
    {
        var whole = Hello();
        for (var length = 0; length < whole.Length; length++)
        {
            Assert.Equal(ClientHelloVerdict.NeedMoreBytes, ClientHello.Parse(whole.AsSpan(0, length), HelloLimit, out _));
        }
    }

    [Fact]
    public void NoChangeOfBytesMakesTheHelloParserThrow()
    {
        var random = new Random(11);
        var whole = Hello();
        for (var i = 0; i < 20_000; i++)
        {
            var bytes = whole.ToArray();
            for (var change = random.Next(1, 6); change > 0; change--)
            {
                bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            }
            ClientHello.Parse(bytes.AsSpan(0, random.Next(bytes.Length + 1)), HelloLimit, out _);
        }
    }

    [Fact]
    public void NoRandomBytesMakeTheHelloParserThrow()
    {
        var random = new Random(13);
        for (var i = 0; i < 20_000; i++)
        {
            var bytes = new byte[random.Next(64)];
            random.NextBytes(bytes);
            if (bytes.Length > 5 && (i & 1) == 0)
            {
                (bytes[0], bytes[1], bytes[5]) = (22, 3, 1);
            }
            ClientHello.Parse(bytes, HelloLimit, out _);
        }
    }

    // RFC 8446 4.1.2 with server_name (RFC 6066 3) and application_layer_protocol_negotiation (RFC 7301 3.1).
    private static byte[] Hello()
    {
        byte[] names = [0, .. Vector("A.test"u8)];
        byte[] protocols = [2, .. "h2"u8, 8, .. "http/1.1"u8];
        byte[] extensions = [0, 0, .. Vector(Vector(names)), 0, 16, .. Vector(Vector(protocols))];
        byte[] body = [3, 3, .. new byte[32], 0, 0, 2, 0x13, 0x01, 1, 0, .. Vector(extensions)];
        byte[] message = [1, 0, .. Vector(body)];
        return [22, 3, 1, .. Vector(message)];
    }

    private static byte[] Vector(ReadOnlySpan<byte> content) => [(byte)(content.Length >> 8), (byte)content.Length, .. content];
}
