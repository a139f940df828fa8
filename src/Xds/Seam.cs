#pragma warning disable
namespace MeshProxy.Xds.Protobuf { public sealed class Message { } }
namespace Envoy.Config.Cluster.V3 { public readonly struct Cluster { } }
namespace Envoy.Config.Core.V3 { public readonly struct Node { } public readonly struct ConfigSource { } }
namespace Envoy.Config.Route.V3 { public readonly struct RetryPolicy { } }
namespace Envoy.Extensions.TransportSockets.Tls.V3 { public readonly struct SdsSecretConfig { } public readonly struct Secret { } }
