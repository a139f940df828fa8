using System.Net;
using System.Text;
using Google.Protobuf.WellKnownTypes;
using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Matching;
using MeshProxy.Proxy.Observability;
using MeshProxy.Proxy.Transport;
using MeshProxy.Xds.Mapping;
using Xunit;
using Matcher = Xds.Type.Matcher.V3.Matcher;

namespace MeshProxy.Proxy.Tests.Matching;

public class MatchTreeTests
{
    private const string SourceIp =
        """{"name": "in", "typed_config": {"@type": "type.googleapis.com/envoy.extensions.matching.common_inputs.network.v3.SourceIPInput"}}""";

    [Theory]
    [InlineData("10.1.2.3", "narrow")]
    [InlineData("10.9.9.9", "wide")]
    [InlineData("11.0.0.1", "none")]
    public void Narrowest_address_range_wins_whatever_the_order(string source, string expected) =>
        Assert.Equal(expected, Find(source, Ranges(Range("10.0.0.0", 8, "wide"), Range("10.1.0.0", 16, "narrow"))));

    [Theory]
    [InlineData(false, "wide")]
    [InlineData(true, "none")]
    public void Exclusive_range_does_not_stand_in_for_a_narrower_one_that_finds_nothing(bool exclusive, string expected) =>
        Assert.Equal(expected, Find("10.1.2.3", Ranges(
            Range("10.0.0.0", 8, "wide", $", \"exclusive\": {(exclusive ? "true" : "false")}"), Range("10.1.0.0", 16, "passed", keep: true))));

    [Fact]
    public void Kept_matching_goes_on_to_the_next_matcher()
    {
        const string Predicate = "{\"single_predicate\": {\"input\": " + SourceIp + ", \"value_match\": {\"prefix\": \"10.\"}}}";
        var list = $$$$"""
            {"matcher_list": {"matchers": [
             {"predicate": {{{{Predicate}}}}, "on_match": {"action": {{{{Action("first")}}}}, "keep_matching": true}},
             {"predicate": {{{{Predicate}}}}, "on_match": {"action": {{{{Action("second")}}}}}}]}}
            """;
        Assert.Equal("second", Find("10.0.0.1", list));
    }

    [Fact]
    public void Input_that_a_place_does_not_know_is_refused() =>
        Assert.Throws<ConfigurationException>(() => Compile(Ranges(Range("10.0.0.0", 8, "a")), static type => !type.Contains("SourceIP")));

    private static string Ranges(params string[] ranges) =>
        $$$$"""
        {"matcher_tree": {"input": {{{{SourceIp}}}}, "custom_match": {"name": "ip", "typed_config":
         {"@type": "type.googleapis.com/xds.type.matcher.v3.IPMatcher", "range_matchers": [{{{{string.Join(',', ranges)}}}}]}}},
         "on_no_match": {"action": {{{{Action("none")}}}}}}
        """;

    private static string Range(string address, int length, string action, string more = "", bool keep = false) =>
        $$$$"""
        {"ranges": [{"address_prefix": "{{{{address}}}}", "prefix_len": {{{{length}}}}}]{{{{more}}}},
         "on_match": {"action": {{{{Action(action)}}}}, "keep_matching": {{{{(keep ? "true" : "false")}}}}}}
        """;

    private static string Action(string name) =>
        $$$$"""{"name": "a", "typed_config": {"@type": "type.googleapis.com/google.protobuf.StringValue", "value": "{{{{name}}}}"}}""";

    private static MatchTree<string> Compile(string json, Func<string, bool>? takesInput = null) =>
        MatchTree<string>.Compile(
            MessageJson.Parse<Matcher>(Encoding.UTF8.GetBytes(json), JsonReadOptions.Strict), null!,
            static (any, _) => any.Unpack<StringValue>().Value, "tree", takesInput);

    private static string? Find(string source, string json)
    {
        var client = new IPEndPoint(IPAddress.Parse(source), 1);
        var info = new ConnectionInfo
        {
            LocalAddress = client,
            DirectLocalAddress = client,
            RemoteAddress = client,
            DirectRemoteAddress = client,
        };
        return Compile(json).Match(new MatchContext(new StreamInfo { Downstream = info, StartTime = default, StartNanoseconds = 0 }));
    }
}
