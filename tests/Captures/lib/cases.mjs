// The cases by name, and how each kind is run.
import fs from 'node:fs';
import path from 'node:path';
import { execSync } from 'node:child_process';
import { ProxyUnderTest, istiod, proxyUser } from './proxy.mjs';
import { captured, differences, refusals } from './expectations.mjs';
import * as traffic from './traffic.mjs';

const root = path.join(istiod, 'captured');

function folders(directory) {
  if (fs.existsSync(path.join(directory, 'cds.bin'))) return [directory];
  const names = fs.readdirSync(directory, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  return names.flatMap((entry) => folders(path.join(directory, entry.name)));
}

export function all() {
  const captures = folders(root).map((folder) => path.relative(root, folder));
  return [
    ...captures.flatMap((folder) => ['sotw', 'delta'].map((protocol) => `accept/${folder}/${protocol}`)),
    ...fs.readdirSync(path.join(istiod, 'agent')).map((name) => `agent/${name}`),
    ...captures.filter((folder) => fs.existsSync(path.join(root, folder, 'delta'))).map((folder) => `script/${folder}`),
    ...Object.keys(faults).flatMap((name) => protocolsOf(name).map((protocol) => `fault/${name}/${protocol}`)),
    ...Object.keys(traffic.cases).map((name) => `traffic/${name}`),
  ];
}

export async function run(name, executable, dumps) {
  execSync('ip link set lo up');
  // The volume that the telemetry scenario's pods have for their access logs.
  execSync(`mount -t tmpfs tmpfs /var/log && mkdir /var/log/mesh && chown ${proxyUser} /var/log/mesh`);
  // Gateways listen on ports below 1024.
  fs.writeFileSync('/proc/sys/net/ipv4/ip_unprivileged_port_start', '0');
  const [kind, ...rest] = name.split('/');
  const runners = { accept, agent, script, fault, traffic: (parts) => traffic.run(parts[0], executable) };
  return runners[kind](rest, executable, dumps);
}

// Which agent's bootstrap a workload has.
function agentOf(folder, delta) {
  if (!delta) return 'state-of-the-world';
  if (folder.startsWith('ambient')) return 'ambient-and-dns';
  return /gateway/.test(folder) ? 'router' : 'default';
}

// Listeners of which a chain waits for a secret that istiod does not have, as recorded.
const waitForSecrets = { 'kubernetes/istio-ingressgateway': new Set(['0.0.0.0_8443', '0.0.0.0_443']) };

async function accept(parts, executable, dumps) {
  const protocol = parts.pop();
  const folder = parts.join('/');
  const served = captured(path.join(root, folder));
  const proxy = new ProxyUnderTest({ executable, agent: agentOf(folder, protocol === 'delta'), serve: ['--dir', path.join(root, folder)] });
  try {
    await proxy.start();
    const faults = await proxy.until(async () => differences(await proxy.dump(), served, waitForSecrets[folder]));
    if (dumps && protocol === 'delta')
      fs.writeFileSync(path.join(dumps, folder.replaceAll('/', '-') + '.json'), await proxy.admin('/config_dump?include_eds'));
    return await verdict(proxy, faults);
  } finally {
    await proxy.close();
  }
}

async function agent([name], executable) {
  const proxy = new ProxyUnderTest({
    executable, agent: name, serve: ['--dir', path.join(root, 'bookinfo/productpage-v1')], concurrency: null,
  });
  try {
    await proxy.start();
    const served = captured(path.join(root, 'bookinfo/productpage-v1'));
    const faults = await proxy.until(async () =>
      (await proxy.admin('/ready')).startsWith('LIVE') ? differences(await proxy.dump(), served) : ['the proxy is not ready']);
    return await verdict(proxy, faults);
  } finally {
    await proxy.close();
  }
}

async function script([...parts], executable) {
  const folder = parts.join('/');
  const recording = path.join(root, folder, 'delta');
  // Not the ambient agent's: it asks for its own endpoints, which the recording does not have.
  const agent = /gateway/.test(folder) ? 'router' : 'default';
  const proxy = new ProxyUnderTest({ executable, agent, serve: ['--delta-script', recording] });
  try {
    await proxy.start();
    const steps = JSON.parse(fs.readFileSync(path.join(recording, 'index.json'), 'utf8')).steps;
    const changes = steps.filter((step) => step.change).length;
    for (let change = 0; change <= changes; change++) {
      if (change > 0) await proxy.control('/next', 'POST');
      const served = left(steps, change);
      const faults = await proxy.until(async () => [
        ...(await pending(proxy)),
        ...differences(await proxy.dump(), served, waitForSecrets[folder]),
      ]);
      if (faults.length) return await verdict(proxy, [`after change ${change}:`, ...faults]);
    }
    return await verdict(proxy, []);
  } finally {
    await proxy.close();
  }
}

// Over delta, replay.mjs does not send endpoints again with a changed cluster, as istiod does and a warming cluster needs.
const protocolsOf = (name) => (name === 'another-folder-after-that' ? ['sotw'] : ['sotw', 'delta']);

// A control plane that misbehaves: what served before serves on, and what comes after is taken.
const faults = {
  'broken-listener': (proxy, served) => broken(proxy, served, 'lds'),
  'broken-cluster': (proxy, served) => broken(proxy, served, 'cds'),
  'broken-endpoints': (proxy, served) => broken(proxy, served, 'eds'),
  'broken-routes': (proxy, served) => broken(proxy, served, 'rds'),
  'stream-is-cut': cut,
  'another-folder-after-that': changed,
};

async function fault([name, protocol], executable) {
  const folder = path.join(root, 'bookinfo/productpage-v1');
  const served = captured(folder);
  const proxy = new ProxyUnderTest({ executable, agent: agentOf('bookinfo', protocol === 'delta'), serve: ['--dir', folder] });
  try {
    await proxy.start();
    const start = await proxy.until(async () => differences(await proxy.dump(), served));
    const found = start.length ? start : await faults[name](proxy, served);
    return await verdict(proxy, found, name.startsWith('broken'));
  } finally {
    await proxy.close();
  }
}

async function broken(proxy, served, type) {
  await proxy.control(`/break?type=${type}`, 'POST');
  const missing = await proxy.until(async () =>
    (await proxy.requests()).some((r) => r.type === type && r.error) ? [] : [`the broken ${type} was not refused`]);
  if (missing.length) return missing;
  const texts = (await proxy.requests()).filter((r) => r.error).map((r) => r.error);
  const live = (await proxy.admin('/ready')).startsWith('LIVE') ? [] : ['the proxy is not ready any more'];
  return [
    ...live,
    ...texts.filter((text) => /\n|Exception|\bat MeshProxy/.test(text)).map((text) => `no sentence: ${text}`),
    ...differences(await proxy.dump(), served),
  ];
}

async function cut(proxy, served) {
  const before = (await proxy.requests()).length;
  await proxy.control('/cut', 'POST');
  const back = await proxy.until(async () => {
    const after = (await proxy.requests()).slice(before);
    return ['cds', 'lds', 'eds', 'rds'].filter((type) => !after.some((r) => r.type === type)).map((type) => `${type} is not asked for again`);
  });
  return back.length ? back : differences(await proxy.dump(), served);
}

async function changed(proxy) {
  const folder = path.join(root, 'traffic/productpage-v1');
  await cut(proxy, captured(folder));
  await proxy.control(`/use?dir=${encodeURIComponent(folder)}`, 'POST');
  return proxy.until(async () => differences(await proxy.dump(), captured(folder)));
}

// What a recording has served up to a change: names alone, as the responses hold them.
function left(steps, change) {
  const names = { cds: new Set(), lds: new Set() };
  let position = 0;
  for (const step of steps) {
    if (step.change && ++position > change) break;
    for (const name of step.resources ?? []) names[step.type]?.add(name);
    for (const name of step.removed ?? []) names[step.type]?.delete(name);
  }
  return { cds: [...names.cds], lds: [...names.lds] };
}

// Responses of the recording not yet sent, and responses not yet answered.
async function pending(proxy) {
  const state = JSON.parse((await proxy.control('/script')).text);
  const log = JSON.parse((await proxy.control('/log')).text);
  const answered = new Set(log.map((entry) => entry.nonce).filter(Boolean));
  const open = log.filter((entry) => entry.sent && !answered.has(entry.with));
  return [
    // Names of another type in a recording belong to whoever subscribes to it (workload discovery has no user here).
    ...state.pending.filter((r) => !['wds', 'address', 'nds', 'sds'].includes(r.type)).map((r) => `${r.file} waits for ${r.waits}`),
    ...open.map((entry) => `${entry.sent} was not answered`),
  ];
}

export async function verdict(proxy, faults, refuses = false) {
  const found = [...faults];
  if (proxy.proxy.exitCode !== null) found.push(`the proxy ended with ${proxy.proxy.exitCode}`);
  if (found.length || /internal error/i.test(proxy.proxy.said)) found.push(proxy.proxy.said.slice(0, 2000));
  if (!refuses) found.push(...refusals(await proxy.requests().catch(() => [])));
  const unsupported = await proxy.admin('/unsupported').catch(() => '');
  return { faults: found.filter(Boolean), unsupported: unsupported.split('\n').filter(Boolean).map(feature) };
}

// A line of the admin interface without how often it was met.
const feature = (line) => line.replace(/, \d+ times$/, '');
