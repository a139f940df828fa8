using Envoy.Config.Core.V3;
using Envoy.Service.Discovery.V3;
using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Configuration.Files;
using MeshProxy.Proxy.Observability;
using MeshProxy.Proxy.Transport;
using MeshProxy.Xds.Mapping;
using MeshProxy.Xds.Protobuf;

namespace MeshProxy.Proxy.Discovery;

/// <summary>Follows a file that holds a DiscoveryResponse. It is read at the start and whenever it is moved into its place.</summary>
internal sealed class FileSubscription : SubscriptionBase
{
    private readonly string _path;
    private readonly string _typeUrl;
    private readonly ResourceDecoder _decoder;
    private readonly List<string> _unknownFields = [];
    private readonly JsonReadOptions _reading;
    private readonly IDisposable _watch;

    /// <exception cref="ConfigurationException">The file, or the directory to watch, is not there.</exception>
    public FileSubscription(
        PathConfigSource source, string typeUrl, ResourceDecoder decoder, FileWatcher watcher, EventLoop loop, IStatsScope scope,
        ISubscriptionCallbacks callbacks)
        : base(loop, scope, TimeSpan.Zero, callbacks)
    {
        _path = source.Path;
        _typeUrl = typeUrl;
        _decoder = decoder;
        _reading = new JsonReadOptions { OnUnknownField = _unknownFields.Add };
        if (!File.Exists(_path))
        {
            throw new ConfigurationException(
                $"paths must refer to an existing path in the system: '{_path}' does not exist; a file of discovery must be there from the start.");
        }
        _watch = source.WatchedDirectory is { } directory
            ? watcher.WatchDirectory(directory.Path, Refresh)
            : watcher.WatchFile(_path, Refresh);
    }

    public override void Start() => Refresh();

    /// <summary>A file holds what it holds: its reader picks.</summary>
    public override void UpdateResourceInterest(IReadOnlyCollection<string> resourceNames)
    {
    }

    public override void Dispose()
    {
        _watch.Dispose();
        base.Dispose();
    }

    private void Refresh()
    {
        if (Disposed)
        {
            return;
        }
        Stats.Attempted();
        _unknownFields.Clear();
        DiscoveryResponse response;
        try
        {
            response = DiscoveryResponse.From(MessageFile.Load(_path, DiscoveryResponse.Descriptor, _reading));
        }
        catch (ProtobufException unreadable)
        {
            Stats.Failed();
            TellFailed(unreadable.Message);
            return;
        }
        try
        {
            _decoder.NoteUnknownFields(_unknownFields);
            Apply(Decode(response), [], response.VersionInfo, isDelta: false);
        }
        catch (Exception refused) when (refused is ConfigurationException or ProtobufException)
        {
            Stats.Rejected();
            TellFailed(refused.Message);
        }
    }

    private List<DecodedResource> Decode(DiscoveryResponse response)
    {
        var resources = new List<DecodedResource>(response.Resources.Count);
        foreach (var packed in response.Resources)
        {
            if (_decoder.Decode(packed, _typeUrl, response.VersionInfo, out _) is { } resource)
            {
                resources.Add(resource);
            }
        }
        return resources;
    }
}
