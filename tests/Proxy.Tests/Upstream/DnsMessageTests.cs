using System.Net;
using MeshProxy.Proxy.Upstream.Dns;
using Xunit;

namespace MeshProxy.Proxy.Tests.Upstream;

public sealed class DnsMessageTests
{
    private static readonly byte[] Query = DnsMessage.BuildQuery(0x1234, "a.test", DnsMessage.TypeA)!;

    [Fact]
    public void AnAddressIsRead()
    {
        var response = DnsMessage.Parse(Answer(1, [0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 10, 0, 0, 1]), Query)!;
        Assert.Equal(new DnsAddress(IPAddress.Parse("10.0.0.1"), TimeSpan.FromSeconds(60)), Assert.Single(response.Addresses));
    }

    [Fact]
    public void AnAliasShortensTheTimeToLive()
    {
        byte[] alias = [0xc0, 12, 0, 5, 0, 1, 0, 0, 0, 5, 0, 2, 0xc0, 12];
        byte[] address = [0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 10, 0, 0, 1];
        var response = DnsMessage.Parse(Answer(2, [.. alias, .. address]), Query)!;
        Assert.Equal(TimeSpan.FromSeconds(5), Assert.Single(response.Addresses).Ttl);
    }

    [Fact]
    public void AnAnswerToAnotherQuestionIsIgnored() =>
        Assert.Null(DnsMessage.Parse(Answer(0, []), DnsMessage.BuildQuery(0x1234, "b.test", DnsMessage.TypeA)));

    [Fact]
    public void CutAnswersAreRefusedWhereverTheyAreCut()
    {
        var whole = Answer(1, [0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 10, 0, 0, 1]);
        for (var length = 0; length < whole.Length; length++)
        {
            Assert.Null(DnsMessage.Parse(whole.AsSpan(0, length), Query));
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("a..b")]
    [InlineData("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.test")]
    public void NamesThatCannotBeAskedForGiveNoQuery(string name) => Assert.Null(DnsMessage.BuildQuery(1, name, DnsMessage.TypeA));

    private static byte[] Answer(byte count, byte[] records)
    {
        byte[] message = [.. Query, .. records];
        message[2] |= 0x80;
        message[7] = count;
        return message;
    }
}
