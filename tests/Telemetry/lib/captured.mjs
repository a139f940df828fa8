// Two sidecars as istiod configures them, put on loopback: filters, clusters, routes and nodes are those of the captures
// (tests/Istiod/captured/grpc-tcp); only addresses, discovered parts (routes, endpoints, secrets) and ports are filled in here.
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const istiod = path.join(path.dirname(fileURLToPath(import.meta.url)), '../../Istiod');
const read = (...parts) => JSON.parse(fs.readFileSync(path.join(istiod, ...parts), 'utf8'));
const copy = (o) => JSON.parse(JSON.stringify(o));
const address = (port) => ({ socket_address: { address: '127.0.0.1', port_value: port } });
const hcm = 'envoy.filters.network.http_connection_manager';
const FRONTEND = 'frontend.default.svc.cluster.local';

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

// Secrets come from files instead of the agent; nothing else of the TLS settings changes.
function withFiles(o, certs) {
  if (Array.isArray(o)) return o.map((x) => withFiles(x, certs));
  if (!o || typeof o !== 'object') return o;
  const out = {};
  for (const [key, value] of Object.entries(o)) {
    if (key === 'tls_certificate_sds_secret_configs')
      out.tls_certificates = [{ certificate_chain: { filename: certs.chain }, private_key: { filename: certs.key } }];
    else if (key === 'combined_validation_context')
      out.validation_context = { ...value.default_validation_context, trusted_ca: { filename: certs.ca } };
    else out[key] = withFiles(value, certs);
  }
  return out;
}

const tlsInspector = {
  name: 'envoy.filters.listener.tls_inspector',
  typed_config: { '@type': 'type.googleapis.com/envoy.extensions.filters.listener.tls_inspector.v3.TlsInspector' },
};

// The chains of one target port of virtualInbound (or of no port: TCP that istiod knows nothing of), as a listener.
export function inbound(workload, { chains, port, certs }) {
  const virtual = workload.listeners.find((l) => l.name === 'virtualInbound');
  const filter_chains = copy(virtual.filter_chains.filter(chains)).map((c) => {
    delete c.filter_chain_match.destination_port;
    return c;
  });
  return withFiles({ name: `inbound_${port}`, traffic_direction: 'INBOUND', address: address(port), listener_filters: [tlsInspector], filter_chains }, certs);
}

// One outbound listener, its routes put in.
export function outbound(workload, { name, port }) {
  const listener = copy(workload.listeners.find((l) => l.name === name));
  for (const key of ['@type', 'bind_to_port', 'listener_filters', 'listener_filters_timeout', 'continue_on_listener_filters_timeout', 'default_filter_chain']) delete listener[key];
  for (const chain of listener.filter_chains) {
    delete chain.filter_chain_match;
    for (const filter of chain.filters) {
      if (filter.name !== hcm) continue;
      const { rds, ...manager } = filter.typed_config;
      const { '@type': _, ...table } = copy(workload.routes.find((r) => r.name === rds.route_config_name));
      filter.typed_config = { ...manager, route_config: { ...table, validate_clusters: false } };
    }
  }
  return { ...listener, address: address(port) };
}

// An EDS cluster with the endpoints istiod sent, at another address.
export function toEndpoint(workload, { name, port, certs }) {
  const { eds_cluster_config: _, '@type': __, ...cluster } = workload.cluster(name);
  const { '@type': ___, ...assignment } = copy(workload.endpoints.find((e) => e.cluster_name === name));
  for (const locality of assignment.endpoints) for (const e of locality.lb_endpoints) e.endpoint.address = address(port);
  return withFiles({ ...cluster, type: 'STATIC', load_assignment: assignment }, certs);
}

// The cluster of the application itself.
export function toApplication(workload, { name, port }) {
  const { '@type': _, upstream_bind_config: __, lb_policy: ___, original_dst_lb_config: ____, ...cluster } = workload.cluster(name);
  return {
    ...cluster,
    type: 'STATIC',
    load_assignment: { cluster_name: name, endpoints: [{ lb_endpoints: [{ endpoint: { address: address(port) } }] }] },
  };
}

// What pilot-agent gives to the proxy, reduced to what a scrape sees. `keep`: further prefixes of statistics to keep, as the annotation
// sidecar.istio.io/statsInclusionPrefixes adds them.
export function bootstrap(workload, { admin, listeners, clusters, keep = [] }) {
  const agent = read('agent/default/bootstrap.json');
  const stats_config = copy(agent.stats_config);
  stats_config.stats_matcher.inclusion_list.patterns.push(...keep.map((prefix) => ({ prefix })));
  return {
    node: workload.node,
    stats_config,
    stats_flush_interval: '1s',
    admin: { address: address(admin) },
    static_resources: { listeners, clusters },
  };
}

export const service = (port) => `outbound|${port}||${FRONTEND}`;
export { FRONTEND };
