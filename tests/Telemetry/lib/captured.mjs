// What istiod sends to two workloads, put on loopback: filters, clusters, routes, endpoints and nodes are those of the captures
// (tests/Istiod/captured/grpc-tcp), certificates come by SDS as there; only addresses and ports are others.
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const istiod = path.join(path.dirname(fileURLToPath(import.meta.url)), '../../Istiod');
const read = (...parts) => JSON.parse(fs.readFileSync(path.join(istiod, ...parts), 'utf8'));
const copy = (o) => JSON.parse(JSON.stringify(o));
const address = (port) => ({ socket_address: { address: '127.0.0.1', port_value: port } });

export const FRONTEND = 'frontend.default.svc.cluster.local';
export const service = (port) => `outbound|${port}||${FRONTEND}`;

export class Workload {
  constructor(name) {
    const of = (type) => read('captured/grpc-tcp', name, `${type}.json`).resources;
    this.node = read('captured/grpc-tcp', name, 'request.json').node;
    this.listeners = of('lds');
    this.clusters = of('cds');
    this.endpoints = of('eds');
    this.routes = of('rds');
  }
  cluster(name) {
    return copy(this.clusters.find((c) => c.name === name));
  }
}

const tlsInspector = {
  name: 'envoy.filters.listener.tls_inspector',
  typed_config: { '@type': 'type.googleapis.com/envoy.extensions.filters.listener.tls_inspector.v3.TlsInspector' },
};

// The chains of one target port of virtualInbound, as a listener: nothing redirects connections here, so ports cannot be told apart.
export function inbound(workload, { chain, port }) {
  const virtual = workload.listeners.find((l) => l.name === 'virtualInbound');
  const filter_chains = copy(virtual.filter_chains.filter((c) => c.name === chain)).map((c) => {
    delete c.filter_chain_match.destination_port;
    return c;
  });
  return [{ '@type': virtual['@type'], name: `inbound_${port}`, traffic_direction: 'INBOUND', address: address(port), listener_filters: [tlsInspector], filter_chains }];
}

// One outbound listener with its routes.
export function outbound(workload, { name, port }) {
  const listener = copy(workload.listeners.find((l) => l.name === name));
  for (const key of ['bind_to_port', 'listener_filters', 'listener_filters_timeout', 'continue_on_listener_filters_timeout', 'default_filter_chain']) delete listener[key];
  const names = [];
  for (const chain of listener.filter_chains) {
    delete chain.filter_chain_match;
    for (const filter of chain.filters) names.push(filter.typed_config.rds?.route_config_name);
  }
  return [{ ...listener, address: address(port) }, ...copy(workload.routes.filter((r) => names.includes(r.name)))];
}

// A cluster of a service with the endpoints istiod sent, at another address.
export function toEndpoint(workload, { name, port, more }) {
  const assignment = copy(workload.endpoints.find((e) => e.cluster_name === name));
  for (const locality of assignment.endpoints) for (const e of locality.lb_endpoints) e.endpoint.address = address(port);
  return [{ ...workload.cluster(name), ...more }, assignment];
}

// The cluster of the application itself.
export function toApplication(workload, { name, port }) {
  const { upstream_bind_config: _, lb_policy: __, original_dst_lb_config: ___, ...cluster } = workload.cluster(name);
  return [{
    ...cluster,
    type: 'STATIC',
    load_assignment: { cluster_name: name, endpoints: [{ lb_endpoints: [{ endpoint: { address: address(port) } }] }] },
  }];
}

// What pilot-agent gives to the proxy, with the control plane where the agent's sockets would be. `keep`: further prefixes of statistics
// to keep, as the annotation sidecar.istio.io/statsInclusionPrefixes adds them.
export function bootstrap(workload, { admin, controlPlane, keep = [] }) {
  const agent = read('agent/default/bootstrap.json');
  const { stats_config, dynamic_resources } = agent;
  stats_config.stats_matcher.inclusion_list.patterns.push(...keep.map((prefix) => ({ prefix })));
  const clusters = agent.static_resources.clusters.filter((c) => ['xds-grpc', 'sds-grpc'].includes(c.name));
  for (const c of clusters) c.load_assignment.endpoints[0].lb_endpoints[0].endpoint.address = address(controlPlane);
  return { node: workload.node, stats_config, stats_flush_interval: '1s', dynamic_resources, admin: { address: address(admin) }, static_resources: { clusters } };
}
