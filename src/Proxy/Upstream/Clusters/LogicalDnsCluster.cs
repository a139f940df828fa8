using System.Net;
using MeshProxy.Proxy.Configuration;
using MeshProxy.Proxy.Upstream.Dns;
using Cluster = Envoy.Config.Cluster.V3.Cluster;

namespace MeshProxy.Proxy.Upstream.Clusters;

/// <summary>LOGICAL_DNS: one host whose address is the newest answer's first; connections that are there stay.</summary>
internal sealed class LogicalDnsCluster : ClusterBase
{
    private readonly HostDescription _template;
    private readonly HostSetPolicy _policy;
    private readonly DnsTarget _target;
    private readonly Dictionary<Locality, uint>? _weights;
    private HostImpl? _host;

    public LogicalDnsCluster(Cluster definition, DnsOptions options, ClusterEnvironment environment)
        : base(definition, environment)
    {
        if (definition.LoadAssignment is not { Endpoints.Count: 1 } assignment || assignment.Endpoints[0].LbEndpoints.Count != 1)
        {
            throw new ConfigurationException(
                $"LOGICAL_DNS clusters must have a single locality_lb_endpoint and a single lb_endpoint: {definition.Name}");
        }
        var group = assignment.Endpoints[0];
        var endpoint = group.LbEndpoints[0];
        if (endpoint.Endpoint?.Address?.SocketAddress is not { } socket)
        {
            throw new ConfigurationException($"LOGICAL_DNS clusters take an endpoint with a socket_address only: {definition.Name}");
        }
        if (socket.ResolverName.Length > 0)
        {
            throw new ConfigurationException("LOGICAL_DNS clusters must NOT have a custom resolver name set");
        }
        var locality = AssignmentReader.ReadLocality(group.Locality);
        var port = (int)socket.PortValue;
        _template = AssignmentReader.Describe(
            endpoint, locality, 0, MetadataEquality.Read(group.Metadata), (_, _) => new IPEndPoint(IPAddress.Any, port));
        if (_template.Hostname.Length == 0)
        {
            _template = _template with { Hostname = socket.Address };
        }
        _weights = group.LoadBalancingWeight is { } weight ? new Dictionary<Locality, uint> { [locality] = weight } : null;
        _policy = AssignmentReader.ReadPolicy(assignment);
        Entry.Drops = DropOverloads.Read(assignment);
        _target = new DnsTarget(
            environment.MainLoop, options, socket.Address, () => Updates.Inc(UpdateStat.UpdateAttempt), OnAnswer);
    }

    public override void Dispose()
    {
        _target?.Dispose();
        base.Dispose();
    }

    protected override void StartDiscovery()
    {
        Publish([Set([])], [], []);
        _target.Resolve();
    }

    private void OnAnswer(DnsAnswer answer)
    {
        if (answer.Failure is not null)
        {
            Updates.Inc(UpdateStat.UpdateFailure);
        }
        else
        {
            Updates.Inc(UpdateStat.UpdateSuccess);
            if (answer.Addresses.Count > 0)
            {
                Take(answer);
            }
            else
            {
                Updates.Inc(UpdateStat.UpdateEmpty);
            }
        }
        OnHostsFound();
    }

    private void Take(DnsAnswer answer)
    {
        var port = ((IPEndPoint)_template.Address).Port;
        var all = new EndPoint[answer.Addresses.Count];
        for (var i = 0; i < all.Length; i++)
        {
            all[i] = new IPEndPoint(answer.Addresses[i].Address, port);
        }
        var facts = _template with
        {
            Address = all[0],
            AdditionalAddresses = all[1..],
            HealthCheckAddress = _template.HealthCheckAddress is IPEndPoint check
                ? new IPEndPoint(answer.Addresses[0].Address, check.Port)
                : null,
        };
        if (_host is not null)
        {
            _host.Update(facts);
            return;
        }
        _host = CreateHost(facts);
        Publish([Set([_host])], [_host], []);
    }

    private HostSet Set(HostImpl[] hosts) => new(0, hosts, _weights, _policy, OwnLocality);
}
