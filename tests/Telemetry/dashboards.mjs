#!/usr/bin/env node
// Every query of the dashboards, run by a real Prometheus that scrapes two sidecars under traffic, the control plane and the injector:
// each gives data, or is listed here with the reason why it gives none. The rules are loaded and evaluated as well.
//
//   node tests/Telemetry/dashboards.mjs [--executable out/meshproxy] [--counts FILE] [--keep]
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { queries } from '../../charts/dashboards/queries.mjs';
import { run } from '../Charts/lib/tools.mjs';
import { rules as checkRules } from '../Charts/lib/dashboards.mjs';
import { call } from '../Pod/lib/webhook.mjs';
import { callGrpc, callTcp } from './lib/applications.mjs';
import { FRONTEND } from './lib/captured.mjs';
import { startPair } from './lib/pair.mjs';
import { find, startPrometheus } from './lib/prometheus.mjs';
import { freePorts, get, start, stop, until } from './lib/processes.mjs';

// Why a query has no data here. One that has data all the same, or that no query matches, is a mistake in this list.
const Reasons = [
  [/\bcontainer_/, 'the kubelet measures containers'],
  [/\bistio_agent_/, 'the agent of a pod counts it; here proxies run without one (tests/Pod has it)'],
  [/\bgo_(goroutines|memstats_)/, 'istiod is written in Go, our control plane is not'],
  [/\bpilot_k8s_|\bgalley_|\bpilot_conflict_|\bpilot_duplicate_/, 'istiod alone reads Kubernetes and Istio resources'],
  [/\bpilot_xds_write_timeout/, 'istiod alone gives up writing to a client'],
  [/connection_security_policy="mutual_tls", reporter="source"/, 'a client always reports `unknown`; Istio\'s dashboards ask all the same'],
];

const args = process.argv.slice(2);
const option = (name) => (args.includes(name) ? args[args.indexOf(name) + 1] : null);
const here = path.dirname(fileURLToPath(import.meta.url));
const charts = path.join(here, '../../charts/dashboards');
const executable = path.resolve(option('--executable') ?? 'out/meshproxy');
const counts = (...numbers) => option('--counts') && fs.writeFileSync(option('--counts'), `${numbers.join(' ')}\n`);
const [program, promtool] = [find('prometheus'), find('promtool')];
if (!program || !promtool) {
  console.log('skip dashboards: Prometheus is missing; Debian\'s package is prometheus');
  counts(0, 0, 1);
  process.exit(0);
}
const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'meshproxy-dashboards-'));
process.on('exit', () => (args.includes('--keep') ? console.log(dir) : fs.rmSync(dir, { recursive: true, force: true })));

let passed = 0;
let failed = 0;
const report = (name, problems) => {
  if (!problems.length) return void passed++;
  failed++;
  console.log(`FAIL ${name}`);
  for (const p of problems) console.log(`  ${String(p).trim().replaceAll('\n', '\n  ')}`);
};

const pair = await startPair(executable, dir, { keep: ['listener.', 'cluster.', 'http.'], outlier: { consecutive_5xx: 1000 } });
const { ports, resources, put } = pair;
const [injector, injectorMonitoring] = await freePorts(2);
pair.processes.injector = start(executable, ['webhook', '--http', `127.0.0.1:${injector}`, '--monitoring', `127.0.0.1:${injectorMonitoring}`, '--kubelets', 'v1.33.0'], path.join(dir, 'injector.log'));
await until('the injector is ready', async () => (await get(injectorMonitoring, '/readyz')).status === 200, 60);
const { review } = JSON.parse(fs.readFileSync(path.join(here, '../Pod/webhook/deployment.json'))).request;

const mesh = { namespace: 'default' };
const prometheus = await startPrometheus(program, dir, [
  { name: 'stores', path: '/stats/prometheus', port: ports.clientAdmin, labels: { ...mesh, pod: 'stores-v1-abcde' } },
  { name: 'frontend', path: '/stats/prometheus', port: ports.serverAdmin, labels: { ...mesh, pod: 'frontend-v1-abcde' } },
  { name: 'control-plane', path: '/metrics', port: ports.monitoring, labels: { app: 'istiod', namespace: 'istio-system', pod: 'istiod-0' } },
  { name: 'injector', path: '/metrics', port: injectorMonitoring, labels: { app: 'injector', namespace: 'istio-system', pod: 'injector-0' } },
], [path.join(charts, 'rules/meshproxy.yaml')]);
pair.processes.prometheus = prometheus.process;

// Traffic of every kind, good and bad, and changes of configuration, as long as queries are asked.
let asking = true;
const host = { host: FRONTEND };
const kinds = [
  () => get(ports.http, '/hello?bytes=2000', host),
  () => get(ports.http, '/code/404', host),
  () => get(ports.http, '/code/503', host),
  () => get(ports.httpIn, '/without-a-sidecar', host),
  () => get(ports.deaf, '/', { host: `${FRONTEND}:7071` }),
  () => callGrpc(ports.grpc, `${FRONTEND}:7070`, 0, 2),
  () => callGrpc(ports.grpc, `${FRONTEND}:7070`, 5, 1),
  () => callTcp(ports.tcp, 'x'.repeat(500)),
  () => call(injector, { method: 'POST', path: '/inject', headers: { 'content-type': 'application/json' }, body: JSON.stringify(review) }),
];
// Every other change brings a listener that the proxy has to refuse: two chains for the same connections.
function changed(round) {
  const now = resources.client.map((r) => (r.connect_timeout ? { ...r, connect_timeout: `${10 + round}s` } : r));
  if (round % 20 !== 0) return now;
  const listener = resources.client.find((r) => r.filter_chains);
  return [...now, { ...listener, name: 'refused', address: { socket_address: { address: '127.0.0.1', port_value: ports.nobody } }, filter_chains: [0, 1].map(() => listener.filter_chains[0]) }];
}
const traffic = (async () => {
  for (let round = 0; asking; round++) {
    await Promise.all(kinds.map((kind) => kind().catch(() => {})));
    if (round % 10 === 0) put('client', changed(round));
    await new Promise((r) => setTimeout(r, 100));
  }
})();

const all = queries(charts);
const reasonOf = (expr) => Reasons.find(([pattern]) => pattern.test(expr));
const answers = async (expr) => (await prometheus.query(expr)).some((value) => !Number.isNaN(value));
const missing = new Set(all.filter((q) => !reasonOf(q.expr)));
// A rate needs two scrapes, a quantile also samples between them.
await until('data', async () => {
  for (const q of missing) if (await answers(q.expr)) missing.delete(q);
  return missing.size === 0;
}, 40).catch(() => {});

const dataAt = Date.now();
for (const q of all) {
  const reason = reasonOf(q.expr);
  const empty = reason ? !(await answers(q.expr)) : missing.has(q);
  report(`${q.from} ${q.panel}`, empty === !!reason ? [] : [`${reason ? `has data, although: ${reason[1]}` : 'has no data'}: ${q.expr}`]);
}
report('every reason is some query\'s', Reasons.filter(([pattern]) => !all.some((q) => pattern.test(q.expr))).map(([pattern]) => pattern));
// After the data, so that alerts have seen it.
const loaded = await until('the rules are evaluated', async () => {
  const found = await prometheus.rules();
  return found.length > 0 && found.every((r) => r.health !== 'unknown' && Date.parse(r.lastEvaluation) > dataAt) && found;
});
for (const rule of loaded) report(`rule ${rule.name}`, rule.health === 'ok' ? [] : [rule.lastError]);
for (const { name, type } of loaded)
  if (type === 'recording') report(`${name} has data`, (await answers(name)) ? [] : ['it has none']);
for (const name of ['MeshServiceErrors', 'MeshProxyConfigurationRefused']) {
  const raised = await until(name, async () => ['pending', 'firing'].includes((await prometheus.rules()).find((r) => r.name === name).state), 30).catch(() => false);
  report(`what it is about raises ${name}`, raised ? [] : ['it stays inactive']);
}
report('what is scraped is Prometheus\' own format', (await prometheus.targets()).filter((t) => t.health !== 'up').map((t) => `${t.scrapePool}: ${t.lastError}`));
for (const [name, port, where] of [['sidecar', ports.clientAdmin, '/stats/prometheus'], ['control plane', ports.monitoring, '/metrics'], ['injector', injectorMonitoring, '/metrics']]) {
  const file = path.join(dir, 'metrics.txt');
  fs.writeFileSync(file, (await get(port, where)).body);
  const checked = run('sh', ['-c', '"$0" check metrics < "$1"', promtool, file]);
  // Names and help texts are Envoy's and Istio's (exit code 3: lint); what does not parse is ours.
  report(`promtool reads the metrics of the ${name}`, [0, 3].includes(checked.code) ? [] : [checked.out + checked.err]);
}
report('promtool checks and tests the rules', checkRules(charts, promtool));

asking = false;
await traffic;
await Promise.all(Object.values(pair.processes).map(stop));
console.log(`Dashboards: ${passed} passed, ${failed} failed`);
counts(passed, failed, 0);
process.exit(failed ? 1 : 0);
