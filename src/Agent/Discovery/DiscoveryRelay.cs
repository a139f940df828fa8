using Envoy.Service.Discovery.V3;
using Istio.Networking.Nds.V1;
using MeshProxy.ControlPlane.Discovery;
using MeshProxy.Xds.Grpc;
using MeshProxy.Xds.Protobuf;

namespace MeshProxy.Agent.Discovery;

/// <summary>
/// Passes the proxy's discovery stream on to istiod, with our identity. The name table, which is for the agent, is
/// asked for and kept here.
/// </summary>
/// <param name="istiod">The way to istiod.</param>
/// <param name="onNames">Gets each name table, or null when names are not captured.</param>
/// <param name="log">Gets one sentence an event.</param>
internal sealed class DiscoveryRelay(IstiodConnection istiod, Action<NameTable>? onNames, Action<string> log)
{
    private static readonly string NameTableType = NameTable.Descriptor.TypeUrl;

    /// <summary>Relays one stream until one side ends it.</summary>
    /// <param name="call">The proxy's call.</param>
    /// <param name="path">Its method.</param>
    /// <param name="stop">Ends it.</param>
    public async Task<(GrpcStatus Status, string Reason)> RunAsync(GrpcCall call, string path, CancellationToken stop)
    {
        var isDelta = path.Contains("/Delta", StringComparison.Ordinal);
        await call.StartAsync(stop).ConfigureAwait(false);
        try
        {
            using var stream = await GrpcStream.OpenAsync(istiod.Client, new Uri(istiod.Base, path), istiod.Headers(), stop).ConfigureAwait(false);
            using var end = CancellationTokenSource.CreateLinkedTokenSource(stop);
            var up = SendAsync(call, stream, isDelta, end.Token);
            var down = ReceiveAsync(call, stream, isDelta, end.Token);
            var first = await Task.WhenAny(up, down).ConfigureAwait(false);
            await end.CancelAsync().ConfigureAwait(false);
            await Task.WhenAll(up, down).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await first.ConfigureAwait(false);
            return first == up ? (GrpcStatus.Ok, "") : (GrpcStatus.Unavailable, "istiod ended the stream");
        }
        catch (Exception e) when (e is HttpRequestException or IOException or ProtobufException)
        {
            log($"The stream to istiod at {istiod.Address} failed: {(e.InnerException ?? e).Message.TrimEnd('.')}.");
            return (GrpcStatus.Unavailable, e.Message);
        }
    }

    private async Task SendAsync(GrpcCall call, GrpcStream stream, bool isDelta, CancellationToken stop)
    {
        var isFirst = true;
        while (await call.ReadAsync(stop).ConfigureAwait(false) is { } request)
        {
            stream.Send(request);
            // Behind the proxy's first request, which says who we are.
            if (isFirst && onNames is not null)
                stream.Send(isDelta ? DeltaRequest("") : Request("", ""));
            isFirst = false;
        }
    }

    private async Task ReceiveAsync(GrpcCall call, GrpcStream stream, bool isDelta, CancellationToken stop)
    {
        while (await stream.ReadAsync(stop).ConfigureAwait(false) is { } response)
        {
            if (!(isDelta ? TakeDelta(stream, response) : Take(stream, response)))
                await call.WriteAsync(response, stop).ConfigureAwait(false);
        }
    }

    private bool Take(GrpcStream stream, byte[] bytes)
    {
        var response = Message.Parse<DiscoveryResponse>(bytes);
        if (response.TypeUrl != NameTableType)
            return false;
        foreach (var resource in response.Resources)
            onNames?.Invoke(resource.Unpack<NameTable>());
        stream.Send(Request(response.VersionInfo, response.Nonce));
        return true;
    }

    private bool TakeDelta(GrpcStream stream, byte[] bytes)
    {
        var response = Message.Parse<DeltaDiscoveryResponse>(bytes);
        if (response.TypeUrl != NameTableType)
            return false;
        foreach (var resource in response.Resources)
        {
            if (resource.ResourceValue is { } table)
                onNames?.Invoke(table.Unpack<NameTable>());
        }
        stream.Send(DeltaRequest(response.Nonce));
        return true;
    }

    private static byte[] Request(string version, string nonce)
    {
        var request = DiscoveryRequest.New();
        request.TypeUrl = NameTableType;
        request.VersionInfo = version;
        request.ResponseNonce = nonce;
        return request.Message.ToBytes();
    }

    private static byte[] DeltaRequest(string nonce)
    {
        var request = DeltaDiscoveryRequest.New();
        request.TypeUrl = NameTableType;
        request.ResponseNonce = nonce;
        return request.Message.ToBytes();
    }
}
