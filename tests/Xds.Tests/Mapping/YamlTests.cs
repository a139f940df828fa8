using Envoy.Config.Core.V3;
using Google.Protobuf.WellKnownTypes;
using MeshProxy.Xds.Mapping;
using MeshProxy.Xds.Protobuf;
using Xunit;

namespace MeshProxy.Xds.Tests.Mapping;

public sealed class YamlTests
{
    [Theory]
    [InlineData("12", "12")]
    [InlineData("0x10", "16")]
    [InlineData("010", "8")]
    [InlineData("1.5", "1.5")]
    [InlineData("yes", "true")]
    [InlineData("OFF", "false")]
    [InlineData("yEs", "\"yEs\"")]
    [InlineData("~", "null")]
    [InlineData("'12'", "\"12\"")]
    [InlineData("\"true\"", "\"true\"")]
    [InlineData("9007199254740993", "\"9007199254740993\"")]
    [InlineData("1.2.3.4", "\"1.2.3.4\"")]
    [InlineData("{a: [1, &x b], c: *x}", """{"a":[1,"b"],"c":"b"}""")]
    [InlineData("{a: 1, a: 2}", """{"a":2}""")]
    [InlineData("{!ignore a: 1, b: 2}", """{"b":2}""")]
    [InlineData(">-\n  one\n  two", "\"one two\"")]
    [InlineData("1\n---\n2", "1")]
    [InlineData("", "null")]
    public void ScalarsMeanWhatTheyMeanToEnvoy(string yaml, string json) =>
        Assert.Equal(json, MessageJson.ParseYaml<Value>(yaml, JsonReadOptions.Strict).Message.ToJsonText(JsonWriteOptions.Compact));

    [Theory]
    [InlineData("a: [b", "the YAML is malformed at line")]
    [InlineData("a: *b", "anchor b, which is not defined")]
    [InlineData("&a [*a]", "anchor a, which is not defined")]
    [InlineData("<<: {id: a}", "<<: there is no field <<")]
    [InlineData("id: 12", "id: the number 12 stands where text is expected")]
    [InlineData("- 1", "a list stands where an object")]
    public void WhatIsNotAMessageIsRefused(string yaml, string sentence)
    {
        var error = Assert.Throws<ProtobufException>(() => MessageJson.ParseYaml<Node>(yaml, JsonReadOptions.Strict));

        Assert.Contains(sentence, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AliasesCannotGrowWithoutEnd()
    {
        var yaml = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + string.Concat(Enumerable.Range(1, 9).Select(i =>
            $"a{i}: &a{i} [{string.Join(", ", Enumerable.Repeat($"*a{i - 1}", 10))}]\n"));

        var error = Assert.Throws<ProtobufException>(() => MessageJson.ParseYaml<Struct>(yaml, JsonReadOptions.Strict));

        Assert.Contains("use fewer aliases", error.Message, StringComparison.Ordinal);
    }
}
