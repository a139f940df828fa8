using System.Text;
using MeshProxy.Proxy.Http;
using Xunit;

namespace MeshProxy.Proxy.Tests.Http;

public class HeaderMapTests
{
    [Fact]
    public void Every_known_header_is_found_by_its_name_in_any_case()
    {
        for (var i = 1; i < KnownHeaders.Count; i++)
        {
            var name = Encoding.ASCII.GetString(KnownHeaders.Name((KnownHeader)i));
            Assert.Equal((KnownHeader)i, KnownHeaders.Find(Encoding.ASCII.GetBytes(name)));
            Assert.Equal((KnownHeader)i, KnownHeaders.Find(Encoding.ASCII.GetBytes(name.ToUpperInvariant())));
        }
        Assert.Equal(KnownHeader.None, KnownHeaders.Find("x-unknown"u8));
        Assert.Equal(KnownHeader.None, KnownHeaders.Find("content-lengtj"u8));
        Assert.Equal(KnownHeader.None, KnownHeaders.Find(""u8));
    }

    [Fact]
    public void Entries_keep_their_order_and_are_replaced_in_place()
    {
        var map = new HeaderMap();
        map.Add("X-A", "1");
        map.Add("accept", "2");
        map.Add("x-a", "3");
        map.Set("x-a"u8, "longer value"u8);
        Assert.Equal("x-a=longer value accept=2", Codec.CodecRecorder.Show(map));
        Assert.Equal(1, map.Remove(KnownHeader.Accept));
        Assert.False(map.Contains(KnownHeader.Accept));
        Assert.Equal(1, map.Count);
        Assert.Equal("x-a".Length + "longer value".Length, map.ByteSize);
    }

    [Fact]
    public void Received_lines_of_single_headers_are_joined()
    {
        var map = new HeaderMap();
        map.AddReceived("Via"u8, ""u8);
        map.AddReceived("via"u8, "a"u8);
        map.AddReceived("via"u8, ""u8);
        map.AddReceived("via"u8, "b"u8);
        map.AddReceived("x"u8, "1"u8);
        map.AddReceived("x"u8, "2"u8);
        Assert.Equal("via=a,b x=1 x=2", Codec.CodecRecorder.Show(map));
    }

    [Fact]
    public void A_first_entry_far_back_is_found_after_removals()
    {
        var map = new HeaderMap();
        for (var i = 0; i < 300; i++)
        {
            map.Add($"x-{i}", "v");
        }
        map.Add(KnownHeader.Te, "a"u8);
        map.Add(KnownHeader.Te, "b"u8);
        Assert.Equal("a", map.GetString(KnownHeader.Te));
        map.RemoveAt(map.IndexOf(KnownHeader.Te, 0));
        Assert.Equal("b", map.GetString(KnownHeader.Te));
        map.Remove(KnownHeader.Te);
        Assert.False(map.Contains(KnownHeader.Te));
    }

    [Fact]
    public void A_returned_map_is_rented_again_empty()
    {
        var map = HeaderMap.Rent();
        map.Add("a", "b");
        map.Return();
        map.Return();
        var again = HeaderMap.Rent();
        Assert.Same(map, again);
        Assert.Equal(0, again.Count);
        Assert.NotSame(again, HeaderMap.Rent());
    }
}
