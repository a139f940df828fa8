using System.Net;
using Envoy.Config.Endpoint.V3;
using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Upstream.Dns;
using Cluster = Envoy.Config.Cluster.V3.Cluster;

namespace MeshProxy.Proxy.Upstream.Clusters;

/// <summary>STRICT_DNS: every address of every name is a host of its own.</summary>
internal sealed class StrictDnsCluster : ClusterBase
{
    private readonly DnsOptions _options;
    private readonly ClusterLoadAssignment? _assignment;
    private readonly List<Name> _names = [];

    public StrictDnsCluster(Cluster definition, DnsOptions options, ClusterEnvironment environment)
        : base(definition, environment)
    {
        _options = options;
        _assignment = definition.LoadAssignment;
        if (_assignment is not { } assignment)
        {
            return;
        }
        Entry.Drops = DropOverloads.Read(assignment);
        // Reads all endpoints once, so that a bad one refuses the cluster; each becomes a name to resolve.
        AssignmentReader.Read(assignment, (endpoint, _) => Placeholder(endpoint));
        foreach (var group in assignment.Endpoints)
        {
            foreach (var endpoint in group.LbEndpoints)
            {
                AddName(group, endpoint);
            }
        }
    }

    public override void Dispose()
    {
        foreach (var name in _names)
        {
            name.Target.Dispose();
        }
        base.Dispose();
    }

    protected override void StartDiscovery()
    {
        if (_names.Count == 0)
        {
            Apply();
            OnHostsFound();
            return;
        }
        foreach (var name in _names)
        {
            name.Target.Resolve();
        }
    }

    private static IPEndPoint Placeholder(Endpoint endpoint)
    {
        if (endpoint.Address?.SocketAddress is not { } socket)
        {
            throw new ConfigurationException("STRICT_DNS clusters take endpoints with a socket_address only.");
        }
        if (socket.ResolverName.Length > 0)
        {
            throw new ConfigurationException("STRICT_DNS clusters must NOT have a custom resolver name set");
        }
        return new IPEndPoint(IPAddress.Any, (int)socket.PortValue);
    }

    private void AddName(LocalityLbEndpoints group, LbEndpoint endpoint)
    {
        var locality = AssignmentReader.ReadLocality(group.Locality);
        var template = AssignmentReader.Describe(
            endpoint, locality, group.Priority, MetadataEquality.Read(group.Metadata), (given, _) => Placeholder(given));
        var socket = endpoint.Endpoint!.Value.Address!.Value.SocketAddress!.Value;
        if (template.Hostname.Length == 0)
        {
            template = template with { Hostname = socket.Address };
        }
        Name? name = null;
        var target = new DnsTarget(
            Environment.MainLoop, _options, socket.Address, () => Updates.Inc(UpdateStat.UpdateAttempt), answer => OnAnswer(name!, answer));
        name = new Name(target, template);
        _names.Add(name);
    }

    private void OnAnswer(Name name, DnsAnswer answer)
    {
        if (answer.Failure is null)
        {
            Updates.Inc(UpdateStat.UpdateSuccess);
            name.Hosts = Describe(name.Template, answer);
            if (!Apply())
            {
                Updates.Inc(UpdateStat.UpdateNoRebuild);
            }
        }
        else
        {
            Updates.Inc(UpdateStat.UpdateFailure);
            if (Entry.Hosts.Sets.Length == 0)
            {
                Apply();
            }
        }
        OnHostsFound();
    }

    private static List<HostDescription> Describe(HostDescription template, DnsAnswer answer)
    {
        var port = ((IPEndPoint)template.Address).Port;
        var hosts = new List<HostDescription>(answer.Addresses.Count);
        foreach (var address in answer.Addresses)
        {
            var checkPort = template.HealthCheckAddress is IPEndPoint check ? check.Port : 0;
            hosts.Add(template with
            {
                Address = new IPEndPoint(address.Address, port),
                HealthCheckAddress = checkPort == 0 ? null : new IPEndPoint(address.Address, checkPort),
            });
        }
        return hosts;
    }

    private bool Apply()
    {
        var hosts = new HostAssignment(_assignment is { } assignment ? AssignmentReader.ReadPolicy(assignment) : HostSetPolicy.Default);
        foreach (var group in _assignment?.Endpoints ?? default)
        {
            if (group.LoadBalancingWeight is { } weight)
            {
                hosts.Priority(group.Priority).SetLocalityWeight(AssignmentReader.ReadLocality(group.Locality), weight);
            }
        }
        foreach (var name in _names)
        {
            hosts.Priority(name.Template.Priority).Hosts.AddRange(name.Hosts);
        }
        return Updater.Apply(hosts);
    }

    private sealed class Name(DnsTarget target, HostDescription template)
    {
        public DnsTarget Target { get; } = target;

        public HostDescription Template { get; } = template;

        public List<HostDescription> Hosts { get; set; } = [];
    }
}
