using Envoy.Service.Discovery.V3;
using MeshProxy.Xds.Protobuf;
using Xunit;

namespace MeshProxy.Xds.Tests.Protobuf;

/// <summary>Everything a real istiod sent.</summary>
public sealed class CaptureTests
{
    public static TheoryData<string> Responses => [.. BinaryFiles()];

    [Theory]
    [MemberData(nameof(Responses))]
    public void ACapturedMessageSurvivesARoundTrip(string file)
    {
        var bytes = File.ReadAllBytes(Path.Combine(Repository.Captures, file));
        var message = Message.Parse(TypeOf(file), bytes);

        Assert.Empty(UnknownFieldList.Of(message));
        Assert.Equal(bytes.Length, message.ToBytes().Length);
        Assert.Equal(message, Message.Parse(message.Type, message.ToBytes()));
        Assert.Equal(message.GetHashCode(), message.Clone().GetHashCode());
    }

    internal static IEnumerable<string> BinaryFiles() =>
        Directory.EnumerateFiles(Repository.Captures, "*.bin", SearchOption.AllDirectories)
            .Select(file => Path.GetRelativePath(Repository.Captures, file))
            .Order(StringComparer.Ordinal);

    internal static MessageType TypeOf(string file)
    {
        var isRequest = Path.GetFileName(file) == "request.bin";
        return Path.GetFileName(Path.GetDirectoryName(file)) == "delta"
            ? isRequest ? DeltaDiscoveryRequest.Descriptor : DeltaDiscoveryResponse.Descriptor
            : isRequest ? DiscoveryRequest.Descriptor : DiscoveryResponse.Descriptor;
    }
}
