// What the admin interface must show of configuration that was served: everything, active.
import fs from 'node:fs';
import path from 'node:path';

const section = (configs, type) => configs.find((config) => config['@type'].endsWith('.' + type)) ?? {};
const json = (file) => (fs.existsSync(file) ? JSON.parse(fs.readFileSync(file, 'utf8')).resources ?? [] : []);

/** Names a captured folder serves, by type, and the addresses of its endpoints. */
export function captured(folder) {
  const resources = (type) => json(path.join(folder, type + '.json'));
  return {
    cds: resources('cds').map((cluster) => cluster.name),
    lds: resources('lds').map((listener) => listener.name),
    rds: resources('rds').map((routes) => routes.name),
    eds: new Map(resources('eds').map((assignment) => [assignment.cluster_name, addresses(assignment)])),
  };
}

function addresses(assignment) {
  const hosts = (assignment.endpoints ?? []).flatMap((group) => group.lb_endpoints ?? []);
  return hosts.map((host) => JSON.stringify(address(host.endpoint?.address))).sort();
}

function address(given) {
  const { socket_address: socket, pipe, envoy_internal_address: internal } = given ?? {};
  if (socket) return [socket.address, socket.port_value];
  return pipe ? [pipe.path] : [internal?.server_listener_name, internal?.endpoint_id];
}

/** Differences between what was served and what `configs` (a dump) shows; a sentence each. `excused`: listeners that may warm. */
export function differences(configs, served, excused = new Set()) {
  const found = [];
  const clusters = section(configs, 'ClustersConfigDump');
  for (const warming of clusters.dynamic_warming_clusters ?? []) found.push(`cluster ${warming.cluster?.name} is not active`);
  const active = (clusters.dynamic_active_clusters ?? []).map((entry) => entry.cluster.name);
  found.push(...compare('clusters', served.cds, active));
  const shown = section(configs, 'ListenersConfigDump').dynamic_listeners ?? [];
  // One that only drains was removed.
  const listeners = shown.filter((listener) => listener.active_state || listener.warming_state || listener.error_state);
  for (const listener of listeners) {
    if (listener.error_state) found.push(`listener ${listener.name}: ${listener.error_state.details}`);
    if (listener.warming_state && !excused.has(listener.name)) found.push(`listener ${listener.name} is not active`);
  }
  found.push(...compare('listeners', served.lds, listeners.map((listener) => listener.name)));
  const routes = (section(configs, 'RoutesConfigDump').dynamic_route_configs ?? []).map((entry) => entry.route_config.name);
  if (served.rds) found.push(...compare('route tables', served.rds, routes));
  return [...found, ...endpointDifferences(configs, served.eds ?? new Map(), active)];
}

function endpointDifferences(configs, served, active) {
  const found = [];
  const shown = new Map();
  for (const entry of section(configs, 'EndpointsConfigDump').dynamic_endpoint_configs ?? []) {
    shown.set(entry.endpoint_config.cluster_name, addresses(entry.endpoint_config));
  }
  for (const [name, wanted] of served) {
    if (!active.includes(name)) continue;
    const has = shown.get(name) ?? [];
    if (wanted.join() !== has.join()) found.push(`endpoints of ${name} are ${has.join()}, not ${wanted.join()}`);
  }
  return found;
}

function compare(kind, wanted, shown) {
  const missing = wanted.filter((name) => !shown.includes(name));
  const extra = shown.filter((name) => !wanted.includes(name));
  return [
    ...(missing.length ? [`${kind} are missing: ${missing.join(', ')}`] : []),
    ...(extra.length ? [`${kind} nobody served: ${extra.join(', ')}`] : []),
  ];
}

/** Refusals among istiod's requests; a sentence each. */
export const refusals = (requests) => requests.filter((r) => r.error !== undefined).map((r) => `${r.type} was refused: ${r.error}`);
