using System.Buffers.Text;
using System.Text;
using MeshProxy.Proxy.Configuration;

namespace MeshProxy.Proxy.Http.Router;

/// <summary>How a route finds its cluster (http-semantics 4).</summary>
internal abstract class ClusterChoice
{
    public abstract RouteEntry Choose(RouteEntry route, in RouteRequest request);

    public sealed class Fixed : ClusterChoice
    {
        public static readonly Fixed Instance = new();

        public override RouteEntry Choose(RouteEntry route, in RouteRequest request) => route;
    }

    /// <summary>cluster_header; a missing header is the empty name, which no cluster has.</summary>
    public sealed class FromHeader(string name) : ClusterChoice
    {
        private readonly byte[] _name = Encoding.ASCII.GetBytes(name.ToLowerInvariant());

        public override RouteEntry Choose(RouteEntry route, in RouteRequest request) =>
            route.WithCluster(request.Headers.GetString(_name) ?? "");
    }

    /// <summary>weighted_clusters: cumulative intervals in list order.</summary>
    public sealed class Weighted(IRuntime runtime, string runtimeKeyPrefix, string headerName, bool useHashPolicy) : ClusterChoice
    {
        private readonly byte[] _header = Encoding.ASCII.GetBytes(headerName.ToLowerInvariant());
        private string[] _keys = [];
        private Entry[] _entries = [];
        private ulong _total;

        public readonly record struct Entry(string Name, ulong Weight, RouteEntry? Route, byte[] ClusterHeader);

        public void Complete(Entry[] entries)
        {
            _entries = entries;
            _keys = Array.ConvertAll(entries, entry => $"{runtimeKeyPrefix}.{entry.Name}");
            foreach (var entry in entries)
            {
                _total += entry.Weight;
            }
        }

        public override RouteEntry Choose(RouteEntry route, in RouteRequest request)
        {
            var draw = Draw(route, request);
            var total = _total;
            if (runtimeKeyPrefix.Length > 0)
            {
                total = 0;
                for (var i = 0; i < _entries.Length; i++)
                {
                    total += WeightOf(i);
                }
            }
            var selected = total == 0 ? 0 : draw % total;
            var end = 0UL;
            for (var i = 0; i < _entries.Length; i++)
            {
                end += WeightOf(i);
                if (selected < end)
                {
                    return Variant(_entries[i], request);
                }
            }
            return Variant(_entries[0], request);
        }

        private static RouteEntry Variant(in Entry entry, in RouteRequest request) => entry.ClusterHeader.Length == 0
            ? entry.Route!
            : entry.Route!.WithCluster(request.Headers.GetString(entry.ClusterHeader) ?? "");

        private ulong WeightOf(int index) => runtimeKeyPrefix.Length == 0
            ? _entries[index].Weight
            : runtime.GetInteger(_keys[index], _entries[index].Weight);

        private ulong Draw(RouteEntry route, in RouteRequest request)
        {
            if (_header.Length > 0 && request.Headers.TryGet(_header, out var value)
                && Utf8Parser.TryParse(value, out ulong given, out var used) && used == value.Length)
            {
                return given;
            }
            return useHashPolicy && route.Action?.Hash?.Hash(request.Headers, request.StreamInfo, null) is { } hash
                ? hash
                : request.Random;
        }
    }
}
