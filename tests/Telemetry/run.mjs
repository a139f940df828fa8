#!/usr/bin/env node
// A control plane and two sidecars configured as by istiod, executables of their own: what they tell each other of their workloads, what
// applications see of that, and what both count, read from /stats/prometheus.
//
//   node tests/Telemetry/run.mjs [--executable out/meshproxy] [--counts FILE] [--keep]
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { get, stop, until } from './lib/processes.mjs';
import { identities, startPair } from './lib/pair.mjs';
import { callGrpc, callTcp } from './lib/applications.mjs';
import { FRONTEND } from './lib/captured.mjs';
import { of, parse } from './lib/exposition.mjs';

const args = process.argv.slice(2);
const option = (name) => (args.includes(name) ? args[args.indexOf(name) + 1] : null);
const executable = path.resolve(option('--executable') ?? 'out/meshproxy');
const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'meshproxy-telemetry-'));
process.on('exit', () => args.includes('--keep') ? console.log(dir) : fs.rmSync(dir, { recursive: true, force: true }));

let passed = 0;
let failed = 0;
async function test(name, body) {
  try {
    await body();
    passed++;
  } catch (e) {
    failed++;
    console.log(`FAIL ${name}\n  ${e.message.replaceAll('\n', '\n  ')}`);
  }
}
const same = (got, want, what) => {
  const [g, w] = [JSON.stringify(got), JSON.stringify(want)];
  if (g !== w) throw new Error(`${what}:\nwant ${w}\ngot  ${g}`);
};

// Istio's labels, in the order it shows them.
const peers = {
  source_workload: 'stores-v1-abcde', source_canonical_service: 'stores', source_canonical_revision: 'v1', source_workload_namespace: 'default',
  source_principal: identities.stores, source_app: 'stores', source_version: 'v1', source_cluster: 'Kubernetes',
  destination_workload: 'frontend-v1-abcde', destination_workload_namespace: 'default', destination_principal: identities.frontend,
  destination_app: 'frontend', destination_version: 'v1', destination_service: FRONTEND, destination_canonical_service: 'frontend',
  destination_canonical_revision: 'v1', destination_service_name: FRONTEND, destination_service_namespace: 'default', destination_cluster: 'Kubernetes',
};
const both = (more) => [
  ['client', { reporter: 'source', ...peers, ...more, connection_security_policy: 'unknown' }],
  ['server', { reporter: 'destination', ...peers, ...more, connection_security_policy: 'mutual_tls' }],
];

const pair = await startPair(executable, dir, { keep: ['listener.', 'cluster.'] });
const { ports, seen } = pair;
const stats = async (side) => parse((await get(ports[`${side}Admin`], '/stats/prometheus')).body);
// Counted at the end of an exchange, which the caller may see a moment earlier.
const sample = (side, name, labels) =>
  until(`${name} at the ${side}`, async () => of(await stats(side), name, labels)[0]);

const answer = await get(ports.http, '/hello?bytes=300', { host: FRONTEND, 'x-request': 'yes' });
const refused = await get(ports.http, '/code/503', { host: FRONTEND });
const status = await callGrpc(ports.grpc, `${FRONTEND}:7070`, 0, 3);
const failing = await callGrpc(ports.grpc, `${FRONTEND}:7070`, 5, 1);
const echoed = await callTcp(ports.tcp, 'hello over tcp');

await test('traffic passes', () => same([answer.status, answer.body.length, refused.status, status, failing, echoed], [200, 300, 503, '0', '5', 'hello over tcp'], 'answers'));
await test('neither application nor caller sees peer metadata', () => {
  for (const headers of [...seen.http, ...seen.grpc, answer.headers, refused.headers])
    same(Object.keys(headers).filter((h) => h.includes('peer-metadata')), [], 'headers');
  same(seen.http[0]['x-request'], 'yes', 'the headers are those of the request');
});
for (const [code, flags] of [['200', '-'], ['503', '-']])
  for (const [side, labels] of both({ request_protocol: 'http', response_code: code, grpc_response_status: '', response_flags: flags }))
    await test(`HTTP ${code} at the ${side}`, async () => {
      const found = await sample(side, 'istio_requests_total', { request_protocol: 'http', response_code: code });
      same(Object.entries(found.labels), Object.entries(labels), 'labels, in order');
      same(found.value, 1, 'requests');
    });
for (const [grpc, messages] of [['0', 3], ['5', 1]])
  for (const [side, labels] of both({ request_protocol: 'grpc', response_code: '200', grpc_response_status: grpc, response_flags: '-' }))
    await test(`gRPC status ${grpc} at the ${side}`, async () => {
      const found = await sample(side, 'istio_requests_total', { request_protocol: 'grpc', grpc_response_status: grpc });
      same(Object.entries(found.labels), Object.entries(labels), 'labels, in order');
    });
for (const side of ['client', 'server'])
  for (const name of ['istio_request_messages_total', 'istio_response_messages_total'])
    await test(`${name} at the ${side}`, async () => {
      const found = await until('messages', async () => of(await stats(side), name).find((s) => s.value === 4));
      same(Object.entries(found.labels), Object.entries({ reporter: side === 'client' ? 'source' : 'destination', ...peers }), 'labels, in order');
    });
for (const [side, labels] of both({ request_protocol: 'tcp', response_flags: '-' }))
  for (const [name, value] of [['connections_opened_total', 1], ['connections_closed_total', 1], ['sent_bytes_total', 14], ['received_bytes_total', 14]])
    await test(`istio_tcp_${name} at the ${side}`, async () => {
      const found = await sample(side, `istio_tcp_${name}`);
      same(Object.entries(found.labels), Object.entries(labels), 'labels, in order');
      same(found.value, value, 'value');
    });
for (const side of ['client', 'server'])
  for (const name of ['request_duration_milliseconds', 'request_bytes', 'response_bytes'])
    await test(`istio_${name} at the ${side}`, async () => {
      const buckets = await until('merged samples', async () => {
        const found = of(await stats(side), `istio_${name}_bucket`, { request_protocol: 'http', response_code: '200' });
        return found.at(-1)?.value === 1 && found;
      });
      same(buckets.map((b) => b.labels.le), ['0.5', '1', '5', '10', '25', '50', '100', '250', '500', '1000', '2500', '5000', '10000', '30000', '60000', '300000', '600000', '1800000', '3600000', '+Inf'], 'buckets');
      same(of(await stats(side), `istio_${name}_count`, { request_protocol: 'http', response_code: '200' })[0].value, 1, 'count');
    });
await test('response bytes are those of the wire: body, headers and framing', async () => {
  const sum = of(await stats('client'), 'istio_response_bytes_sum', { request_protocol: 'http', response_code: '200' })[0].value;
  if (sum <= 300 || sum > 1000) throw new Error(`300 bytes of body came as ${sum}`);
});
await test('the version of Istio', async () => {
  for (const side of ['client', 'server']) same(of(await stats(side), 'istio_build').map((s) => s.labels), [{ component: 'proxy', tag: '1.31.0' }], side);
});
await test('both sides count the TCP exchange, and what is no such exchange', async () => {
  const server = (await get(ports.serverAdmin, '/stats?filter=metadata_exchange')).body;
  const client = (await get(ports.clientAdmin, '/stats?filter=metadata_exchange')).body;
  for (const [side, text] of [['server', server], ['client', client]])
    for (const name of ['alpn_protocol_found', 'metadata_added'])
      if (!new RegExp(`metadata_exchange\\.${name}: 1$`, 'm').test(text)) throw new Error(`${side} lacks ${name}:\n${text}`);
});
await test('a caller without a sidecar', async () => {
  await get(ports.httpIn, '/code/404', { host: FRONTEND });
  const found = await sample('server', 'istio_requests_total', { response_code: '404' });
  const { source_workload, source_canonical_service, source_canonical_revision, source_workload_namespace, source_principal, destination_principal, connection_security_policy } = found.labels;
  same([source_workload, source_canonical_service, source_canonical_revision, source_workload_namespace, source_principal, destination_principal, connection_security_policy],
    ['unknown', 'unknown', 'latest', 'unknown', 'unknown', 'unknown', 'none'], 'labels');
});
await test('a caller cannot give itself the name of another peer by its id', async () => {
  const id = 'sidecar~10.42.0.12~stores-v1-abcde.default~default.svc.cluster.local';
  await get(ports.httpIn, '/code/418', { host: FRONTEND, 'x-envoy-peer-metadata-id': id, 'x-envoy-peer-metadata': Buffer.from('\n\x1c\n\rWORKLOAD_NAME\x12\x0b\x1a\tsomebody1').toString('base64') });
  same((await sample('server', 'istio_requests_total', { response_code: '418' })).labels.source_workload, 'somebody1', 'source_workload');
});
await test('who sends metadata is told the server\'s', async () => {
  const { headers } = await get(ports.httpIn, '/', { host: FRONTEND, 'x-envoy-peer-metadata-id': 'me', 'x-envoy-peer-metadata': '' });
  same(headers['x-envoy-peer-metadata-id'], 'sidecar~10.42.0.10~frontend-v1-abcde.default~default.svc.cluster.local', 'id');
  const told = Buffer.from(headers['x-envoy-peer-metadata'] ?? '', 'base64').toString('latin1');
  for (const part of ['CLUSTER_ID', 'LABELS', 'NAMESPACE', 'OWNER', 'WORKLOAD_NAME', 'frontend-v1-abcde', 'service.istio.io/canonical-name'])
    if (!told.includes(part)) throw new Error(`${part} is missing in ${told}`);
  const without = await get(ports.httpIn, '/', { host: FRONTEND });
  same(Object.keys(without.headers).filter((h) => h.includes('peer-metadata')), [], 'headers of an answer to who sent none');
});

await Promise.all(Object.values(pair.processes).map(stop));
console.log(`Telemetry: ${passed} passed, ${failed} failed`);
if (option('--counts')) fs.writeFileSync(option('--counts'), `${passed} ${failed} 0\n`);
process.exit(failed ? 1 : 0);
