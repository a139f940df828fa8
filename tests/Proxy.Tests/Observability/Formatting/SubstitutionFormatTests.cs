using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Http;
using MeshProxy.Proxy.Observability;
using Xunit;

namespace MeshProxy.Proxy.Tests.Observability.Formatting;

public class SubstitutionFormatTests
{
    [Theory]
    [InlineData("100%% of %REQ(:METHOD)%%REQ(:PATH)% {\"a\":1}", "100% of GET/a?q=one%20x&e= {\"a\":1}")]
    [InlineData("%REQ(x-none?:AUTHORITY):3%|%REQ(x-none)%|%REQ(:path):0%", "a.t|-|")]
    [InlineData("%REQ(host)%", "a.test")]
    [InlineData("%PATH%|%PATH(NQ)%|%PATH(WQ:ORIG)%", "/a?q=one%20x&e=|/a|-")]
    [InlineData("%QUERY_PARAM(q)%|%QUERY_PARAM(e)%|%QUERY_PARAM(n)%|%QUERY_PARAMS%", "one x||-|q=one%20x&e=")]
    [InlineData("%START_TIME%", "2024-01-02T03:04:05.678Z")]
    [InlineData("%START_TIME(%s.%6f|%1f-%f)%", "1704164645.678901|6-678901200")]
    [InlineData("%START_TIME(%d/%b/%Y:%T %z|%H:%M:%E3S)%", "02/Jan/2024:03:04:05 +0000|03:04:05.678")]
    [InlineData("%DOWNSTREAM_REMOTE_ADDRESS%|%DOWNSTREAM_REMOTE_PORT%", "10.1.2.3:0|0")]
    [InlineData("%DOWNSTREAM_DIRECT_REMOTE_ADDRESS%", "[2001:db8:1:2::3]:999")]
    [InlineData("%DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT(16)%|%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT(64)%", "2001::/16|10.1.2.3/32")]
    [InlineData("%RESPONSE_CODE%|%RESPONSE_FLAGS%|%PROTOCOL%|%UPSTREAM_HOST%|%CONNECTION_ID%", "0|-|-|-|7")]
    [InlineData("%COALESCE({\"operators\":[{\"command\":\"REQ\",\"param\":\"x-a\"},{\"command\":\"REQ\",\"param\":\":path\",\"max_length\":2}]})%", "/a")]
    [InlineData("%ACCESS_LOG_TYPE% [%LOCAL_REPLY_BODY%]", "NotSet []")]
    public void OperatorsPrintTheirValues(string format, string expected) =>
        Assert.Equal(expected, SubstitutionFormat.Compile(format).Text(LogContexts.Http()));

    [Theory]
    [InlineData("%REQ%")]
    [InlineData("%PROTOCOL(x)%")]
    [InlineData("%PROTOCOL:3%")]
    [InlineData("%REQ(:PATH):abc%")]
    [InlineData("%REQ(a?b?c)%")]
    [InlineData("%REQ(:PATH")]
    [InlineData("%NO_SUCH_COMMAND%")]
    [InlineData("50% of")]
    [InlineData("%COMMON_DURATION(DS_RX_BEG:US_RX_BEG:years)%")]
    [InlineData("%METADATA(X:ns:k)%")]
    [InlineData("%REQ_WITHOUT_QUERY(:PATH)%")]
    public void WhatIsNotUnderstoodIsRefused(string format) =>
        Assert.Throws<ConfigurationException>(() => SubstitutionFormat.Compile(format));

    [Fact]
    public void FlagsPrintInTheOrderTheyWereSet()
    {
        var info = LogContexts.Info();
        info.SetFlag(ResponseFlags.UpstreamRetryLimitExceeded);
        info.SetFlag(ResponseFlags.UpstreamConnectionFailure);

        Assert.Equal("URX,UF UpstreamRetryLimitExceeded,UpstreamConnectionFailure",
            SubstitutionFormat.Compile("%RESPONSE_FLAGS% %RESPONSE_FLAGS_LONG%").Text(LogContexts.Http(info)));
    }

    [Fact]
    public void OmittedValuesPrintNothing() =>
        Assert.Equal("[] [-]", SubstitutionFormat.Compile("[%REQ(x)%] [%RESPONSE_FLAGS%]", omitEmpty: true).Text(LogContexts.Http()));

    [Fact]
    public void MetadataPrintsStringsBareAndTheRestAsJson()
    {
        var info = LogContexts.Info();
        info.DynamicMetadata.Set("ns", "text", MetadataValue.From("hello"));
        info.DynamicMetadata.Set("ns", "obj", new MetadataValue.StructNode(new Dictionary<string, MetadataValue>
        {
            ["other"] = MetadataValue.From(1.5),
            ["inner"] = MetadataValue.From("x"),
        }));

        Assert.Equal("hello|{\"inner\":\"x\",\"other\":1.5}|x|-|hel",
            SubstitutionFormat.Compile(
                "%DYNAMIC_METADATA(ns:text)%|%DYNAMIC_METADATA(ns:obj)%|%DYNAMIC_METADATA(ns:obj:inner)%|%DYNAMIC_METADATA(none)%|%METADATA(DYNAMIC:ns:text):3%")
                .Text(LogContexts.Http(info)));
    }

    [Fact]
    public void AStringInTheFilterStateHasQuotesUnlessPlain()
    {
        var info = LogContexts.Info();
        info.FilterState.Set("k", new StringFilterState("v"));

        Assert.Equal("v|\"v\"|-", SubstitutionFormat.Compile("%FILTER_STATE(k:PLAIN)%|%FILTER_STATE(k)%|%FILTER_STATE(n)%")
            .Text(LogContexts.Http(info)));
    }

    [Theory]
    [InlineData("application/grpc", "4", "DeadlineExceeded|DEADLINE_EXCEEDED|4")]
    [InlineData("application/grpc+proto", "99", "99|99|99")]
    [InlineData("text/plain", "4", "-|-|-")]
    public void AGrpcStatusIsNamedForGrpcRequests(string contentType, string status, string expected) =>
        Assert.Equal(expected, SubstitutionFormat.Compile("%GRPC_STATUS%|%GRPC_STATUS(SNAKE_STRING)%|%GRPC_STATUS_NUMBER%").Text(
            LogContexts.Http(null, LogContexts.Headers(("content-type", contentType)), null, LogContexts.Headers(("grpc-status", status)))));

    [Fact]
    public void AJsonFormatKeepsTypesAndOrdersKeys()
    {
        var format = Struct(
            ("z", MetadataValue.From("%REQ(:PATH)%")), ("a", MetadataValue.From("%RESPONSE_CODE%")),
            ("both", MetadataValue.From("%RESPONSE_CODE% %REQ(x)%")), ("none", MetadataValue.From("%REQ(x)%")),
            ("k", new MetadataValue.ListNode([MetadataValue.From("%REQ(:METHOD)%"), MetadataValue.From(2), MetadataValue.Null])),
            ("percent", MetadataValue.From("50%%")), ("empty", Struct()));

        Assert.Equal(
            "{\"a\":0,\"both\":\"0 -\",\"empty\":{},\"k\":[\"GET\",2,null],\"none\":null,\"percent\":\"50%\",\"z\":\"/a?q=one%20x&e=\"}\n",
            SubstitutionFormat.CompileStruct(format).Text(LogContexts.Http()));
    }

    [Fact]
    public void AJsonFormatThatOmitsEmptyValuesDropsWhatBecomesEmpty()
    {
        var format = Struct(
            ("none", MetadataValue.From("%REQ(x)%")), ("nested", Struct(("none", MetadataValue.From("%REQ(x)%")))),
            ("list", new MetadataValue.ListNode([MetadataValue.From("%REQ(x)%"), MetadataValue.From("%REQ(:METHOD)%")])),
            ("mixed", MetadataValue.From("a%REQ(x)%b")));

        Assert.Equal("{\"list\":[\"GET\"],\"mixed\":\"ab\"}\n",
            SubstitutionFormat.CompileStruct(format, omitEmpty: true).Text(LogContexts.Http()));
    }

    [Fact]
    public void JsonStringsAreEscapedAndStayUtf8()
    {
        var headers = new HeaderMap();
        headers.Add("x-q"u8, "a\"b\\c\td\u00fc\x01"u8);
        headers.Add("x-latin"u8, [0xFC]);

        Assert.Equal("{\"l\":\"ü\",\"q\":\"a\\\"b\\\\c\\tdü\\u0001\"}\n", SubstitutionFormat.CompileStruct(
            Struct(("q", MetadataValue.From("%REQ(x-q)%")), ("l", MetadataValue.From("%REQ(x-latin)%")))).Text(LogContexts.Http(null, headers)));
    }

    private static MetadataValue.StructNode Struct(params (string Key, MetadataValue Value)[] fields) =>
        new(fields.ToDictionary(field => field.Key, field => field.Value));
}
