using System.Text;
using MeshProxy.Proxy.Http;
using MeshProxy.Proxy.Http.Codec.Hpack;
using Xunit;

namespace MeshProxy.Proxy.Tests.Http.Codec;

public class HpackTests
{
    /// <summary>RFC 7541 C.3 to C.6: blocks of one connection in order, with table size.</summary>
    public static TheoryData<int, string[], string[]> Examples => new()
    {
        {
            4096,
            [
                "828684410f7777772e6578616d706c652e636f6d", "828684be58086e6f2d6361636865",
                "828785bf400a637573746f6d2d6b65790c637573746f6d2d76616c7565",
            ],
            [
                ":method=GET :scheme=http :path=/ :authority=www.example.com ",
                ":method=GET :scheme=http :path=/ :authority=www.example.com cache-control=no-cache ",
                ":method=GET :scheme=https :path=/index.html :authority=www.example.com custom-key=custom-value ",
            ]
        },
        {
            4096,
            ["828684418cf1e3c2e5f23a6ba0ab90f4ff", "828684be5886a8eb10649cbf", "828785bf408825a849e95ba97d7f8925a849e95bb8e8b4bf"],
            [
                ":method=GET :scheme=http :path=/ :authority=www.example.com ",
                ":method=GET :scheme=http :path=/ :authority=www.example.com cache-control=no-cache ",
                ":method=GET :scheme=https :path=/index.html :authority=www.example.com custom-key=custom-value ",
            ]
        },
        {
            256,
            [
                "488264025885aec3771a4b6196d07abe941054d444a8200595040b8166e082a62d1bff6e919d29ad171863c78f0b97c8e9ae82ae43d3",
                "4883640effc1c0bf",
                "88c16196d07abe941054d444a8200595040b8166e084a62d1bffc05a839bd9ab77ad94e7821dd7f2e6c7b335dfdfcd5b3960d5af2708"
                + "7f3672c1ab270fb5291f9587316065c003ed4ee5b1063d5007",
            ],
            [
                ":status=302 cache-control=private date=Mon, 21 Oct 2013 20:13:21 GMT location=https://www.example.com ",
                ":status=307 cache-control=private date=Mon, 21 Oct 2013 20:13:21 GMT location=https://www.example.com ",
                ":status=200 cache-control=private date=Mon, 21 Oct 2013 20:13:22 GMT location=https://www.example.com "
                + "content-encoding=gzip set-cookie=foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1 ",
            ]
        },
    };

    [Theory]
    [MemberData(nameof(Examples))]
    public void The_examples_of_the_standard_decode(int tableSize, string[] blocks, string[] expected)
    {
        var decoder = new HpackDecoder(tableSize);
        for (var i = 0; i < blocks.Length; i++)
        {
            var sink = new Sink();
            Assert.True(decoder.Decode(Convert.FromHexString(blocks[i]), sink));
            Assert.Equal(expected[i], sink.Text);
        }
    }

    [Theory]
    [InlineData("80")]
    [InlineData("ff20")]
    [InlineData("00056162")]
    [InlineData("3fe1ff03")]
    [InlineData("0081000161")]
    [InlineData("820020")]
    [InlineData("ffffffffffffffff7f")]
    [InlineData("008461636163ffffff")]
    public void Bad_blocks_are_refused(string block) =>
        Assert.False(new HpackDecoder(4096).Decode(Convert.FromHexString(block), new Sink()));

    [Fact]
    public void What_the_encoder_writes_the_decoder_reads()
    {
        var random = new Random(7);
        var encoder = new HpackEncoder(4096);
        var decoder = new HpackDecoder(4096);
        Span<byte> block = new byte[64 * 1024];
        for (var round = 0; round < 2000; round++)
        {
            if (round % 300 == 299)
            {
                encoder.SetPeerLimit((uint)random.Next(5000));
            }
            var expected = new StringBuilder();
            var written = encoder.Begin(block);
            for (var count = random.Next(12); count > 0; count--)
            {
                var name = Encoding.ASCII.GetBytes($"x-{random.Next(40)}");
                var known = KnownHeader.None;
                if (random.Next(2) == 0)
                {
                    known = (KnownHeader)random.Next(1, KnownHeaders.Count);
                    name = KnownHeaders.Name(known).ToArray();
                }
                var value = new byte[random.Next(random.Next(2) == 0 ? 8 : 300)];
                random.NextBytes(value);
                if (random.Next(2) == 0)
                {
                    value = Encoding.ASCII.GetBytes($"v{random.Next(5)}");
                }
                expected.Append(Encoding.Latin1.GetString(name)).Append('=').Append(Encoding.Latin1.GetString(value)).Append(' ');
                written += encoder.Encode(known, name, value, block[written..]);
            }
            var sink = new Sink();
            Assert.True(decoder.Decode(block[..written], sink));
            Assert.Equal(expected.ToString(), sink.Text);
        }
    }

    [Fact]
    public void Repeated_headers_become_one_byte()
    {
        var encoder = new HpackEncoder(4096);
        Span<byte> block = new byte[256];
        Assert.True(encoder.Encode(KnownHeader.UserAgent, "user-agent"u8, "curl/8.0"u8, block) > 1);
        Assert.Equal(1, encoder.Encode(KnownHeader.UserAgent, "user-agent"u8, "curl/8.0"u8, block));
        var first = encoder.Encode(KnownHeader.Authorization, "authorization"u8, "secret"u8, block);
        Assert.Equal(first, encoder.Encode(KnownHeader.Authorization, "authorization"u8, "secret"u8, block));
        Assert.Equal(0x1f, block[0]);
    }

    [Fact]
    public void Every_symbol_survives_the_Huffman_code()
    {
        var text = Enumerable.Range(0, 256).Select(i => (byte)i).ToArray();
        var encoded = new byte[HuffmanCode.EncodedLength(text)];
        Assert.Equal(encoded.Length, HuffmanCode.Encode(text, encoded));
        var decoded = new byte[HuffmanCode.MaxDecodedLength(encoded.Length)];
        Assert.Equal(256, HuffmanCode.Decode(encoded, decoded));
        Assert.Equal(text, decoded[..256]);
    }

    [Fact]
    public void Random_blocks_never_throw()
    {
        var random = new Random(3);
        for (var round = 0; round < 50000; round++)
        {
            var block = new byte[random.Next(40)];
            random.NextBytes(block);
            new HpackDecoder(256).Decode(block, new Sink());
        }
    }

    private sealed class Sink : IHeaderSink
    {
        private readonly StringBuilder _text = new();

        public string Text => _text.ToString();

        public void OnHeader(KnownHeader known, ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
        {
            Assert.Equal(KnownHeaders.FindLower(name), known);
            _text.Append(Encoding.Latin1.GetString(name)).Append('=').Append(Encoding.Latin1.GetString(value)).Append(' ');
        }
    }
}
