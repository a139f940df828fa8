using System.Text.Json.Nodes;
using MeshProxy.Injection.Documents;
using Xunit;

namespace MeshProxy.Injection.Tests;

public class YamlTests
{
    [Theory]
    [InlineData("true")]
    [InlineData("yes")]
    [InlineData("off")]
    [InlineData("n")]
    [InlineData("null")]
    [InlineData("~")]
    [InlineData("")]
    [InlineData("1")]
    [InlineData("0x1f")]
    [InlineData("017")]
    [InlineData("1e3")]
    [InlineData("1_000")]
    [InlineData("12:30:45")]
    [InlineData("2026-01-02")]
    [InlineData(".inf")]
    [InlineData("- a")]
    [InlineData("a: b")]
    [InlineData("a #b")]
    [InlineData("{{hub}}")]
    [InlineData("*")]
    [InlineData("&a")]
    [InlineData("!x")]
    [InlineData("'quoted'")]
    [InlineData(" leading")]
    [InlineData("two\nlines\n")]
    [InlineData("two\nlines")]
    [InlineData("three\n\n")]
    [InlineData("tab\there")]
    [InlineData("trailing \nblank")]
    [InlineData("\u00e4\u4e2d\ud83d\ude00")]
    [InlineData("bell\u0007")]
    public void Text_stays_text(string text)
    {
        var document = new JsonObject { ["k"] = text, [text.Length is 0 or > 100 ? "x" : text] = 1 };
        var read = YamlReader.ReadObject(YamlWriter.Write(document), "written");
        Assert.True(JsonNode.DeepEquals(document, read), YamlWriter.Write(document));
    }

    [Theory]
    [InlineData("a: 1.10", """{"a":1.10}""")]
    [InlineData("a: 0x10\nb: 010\nc: .5\nd: +3", """{"a":16,"b":8,"c":0.5,"d":3}""")]
    [InlineData("a: yes\nb: \"yes\"\nc: !!str yes", """{"a":true,"b":"yes","c":"yes"}""")]
    [InlineData("x: &x {a: 1}\ny: {<<: *x, b: 2}", """{"x":{"a":1},"y":{"a":1,"b":2}}""")]
    [InlineData("a: 123456789012345678901234567890", """{"a":123456789012345678901234567890}""")]
    public void Values_are_read_as_Kubernetes_reads_them(string yaml, string json) =>
        Assert.True(JsonNode.DeepEquals(YamlReader.Read(yaml, "it"), JsonNode.Parse(json)));

    [Fact]
    public void Aliases_cannot_unfold_without_bound()
    {
        var bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + string.Concat(Enumerable.Range(1, 9).Select(k =>
            $"a{k}: &a{k} [{string.Join(", ", Enumerable.Repeat($"*a{k - 1}", 10))}]\n"));
        var refused = Assert.Throws<ManifestException>(() => YamlReader.Read(bomb, "document 1"));
        Assert.Contains("document 1", refused.Message);
    }

    [Theory]
    [InlineData("a: 1\n---\nb: 2\n")]
    [InlineData("---\n# c\n---\na: 1")]
    [InlineData("a: |\n  ---\n--- # next\nb: 2\n")]
    [InlineData("")]
    [InlineData("a: 1\r\n---\r\nb: 2\r\n")]
    public void Parts_joined_are_the_file(string text) =>
        Assert.Equal(text, string.Concat(ManifestText.Split(text).Select(part => part.Text)));
}
