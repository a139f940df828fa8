using System.Buffers;
using System.IO.Pipelines;
using MeshProxy.Xds.Protobuf;

namespace MeshProxy.Xds.Grpc;

/// <summary>Messages of gRPC from a pipe.</summary>
public static class GrpcPipe
{
    /// <summary>The bytes of the next message, or null at the end.</summary>
    /// <param name="reader">Where they come from.</param>
    /// <param name="maximum">The longest message that is taken.</param>
    /// <param name="stop">Gives up.</param>
    /// <exception cref="ProtobufException">The message is compressed or too long.</exception>
    public static async ValueTask<byte[]?> ReadAsync(PipeReader reader, int maximum, CancellationToken stop)
    {
        while (true)
        {
            var result = await reader.ReadAsync(stop).ConfigureAwait(false);
            var buffer = result.Buffer;
            if (GrpcFrame.TryRead(ref buffer, maximum, out var message))
            {
                var bytes = message.ToArray();
                reader.AdvanceTo(buffer.Start);
                return bytes;
            }

            reader.AdvanceTo(buffer.Start, buffer.End);
            if (result.IsCompleted)
            {
                return null;
            }
        }
    }
}
