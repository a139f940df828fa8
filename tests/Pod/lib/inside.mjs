// Runs inside a pod's namespace: the applications, the resolver upstream, a stand-in for istiod, and the agent under test; then the steps.
//   node inside.mjs CASE.json RESULT.json AGENT-COMMAND...
import fs from 'node:fs';
import path from 'node:path';
import http from 'node:http';
import https from 'node:https';
import http2 from 'node:http2';
import net from 'node:net';
import dgram from 'node:dgram';
import zlib from 'node:zlib';
import { spawn, execFileSync } from 'node:child_process';
import { call } from './webhook.mjs';
import * as dns from './dns-packet.mjs';

const [caseFile, resultFile, ...proxy] = process.argv.slice(2);
const test = JSON.parse(fs.readFileSync(caseFile, 'utf8'));
const dir = path.dirname(resultFile);
const here = path.dirname(new URL(import.meta.url).pathname);
const istiod = path.join(here, '../../Istiod');
const sleep = (ms) => new Promise((r) => setTimeout(r, ms));
const children = [];
const seen = {};
const podIP = test.podIP || '10.42.0.10';
const listen = (server, port, host) =>
  new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });

// ---- applications: what they were asked is kept in `seen`
const note = (app, o) => (seen[app] ||= []).push(o);
function handler(app) {
  return (req, res) => {
    const { host, 'user-agent': agent, accept, 'x-prometheus-scrape-timeout-seconds': timeout, ...rest } = req.headers;
    note(app.name, {
      method: req.method,
      path: req.url,
      host,
      ...(agent ? { 'user-agent': agent } : {}),
      ...(accept
        ? {
            accept: accept
              .split(',')
              .map((e) => {
                const [t, ...p] = e.split(';').map((x) => x.trim());
                return [t, ...p.sort()].join(';');
              })
              .join(', '),
          }
        : {}), // blanks and the order of parameters are free
      ...(timeout ? { timeout } : {}),
      from: req.socket.remoteAddress.replace('::ffff:', ''),
      version: req.httpVersion,
      headers: Object.fromEntries(Object.entries(rest).filter(([k]) => /^x-/.test(k))),
    });
    const route = app.routes?.[req.url] || app.routes?.[req.url.split('?')[0]] || app.routes?.['*'] || { status: 404 };
    setTimeout(() => {
      if (route.hang) return;
      res.writeHead(route.status || 200, route.headers || {});
      res.end(route.bodySize ? 'x'.repeat(route.bodySize) : (route.body ?? ''));
    }, route.delay || 0);
  };
}
async function startApp(app) {
  const host = app.host || podIP;
  if (app.kind === 'http') return listen(http.createServer(handler(app)), app.port, host);
  if (app.kind === 'https') {
    execFileSync(
      'openssl',
      [
        'req',
        '-x509',
        '-newkey',
        'ec',
        '-pkeyopt',
        'ec_paramgen_curve:prime256v1',
        '-nodes',
        '-keyout',
        dir + '/app.key',
        '-out',
        dir + '/app.crt',
        '-days',
        '30',
        '-subj',
        '/CN=app',
      ],
      { stdio: 'pipe' },
    );
    return listen(
      https.createServer(
        { key: fs.readFileSync(dir + '/app.key'), cert: fs.readFileSync(dir + '/app.crt') },
        handler(app),
      ),
      app.port,
      host,
    );
  }
  if (app.kind === 'tcp')
    return listen(
      net.createServer((s) => {
        note(app.name, { from: s.remoteAddress.replace('::ffff:', '') });
        s.on('error', () => {});
        s.resume();
      }),
      app.port,
      host,
    );
  if (app.kind === 'grpc') {
    const server = http2.createServer();
    server.on('stream', (s, h) => {
      const parts = [];
      s.on('data', (d) => parts.push(d));
      s.on('error', () => {});
      s.on('end', () => {
        const body = Buffer.concat(parts);
        const service = body.length > 7 ? body.subarray(7).toString() : '';
        note(app.name, {
          path: h[':path'],
          service,
          'user-agent': h['user-agent'],
          from: s.session.socket.remoteAddress.replace('::ffff:', ''),
        });
        const status = app.services[service];
        if (status === 'HANG') return;
        if (app.unimplemented) {
          s.respond({ ':status': 200, 'content-type': 'application/grpc', 'grpc-status': '12' }, { endStream: true });
          return;
        }
        if (status === undefined) {
          s.respond({ ':status': 200, 'content-type': 'application/grpc', 'grpc-status': '5' }, { endStream: true });
          return;
        }
        s.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
        s.on('wantTrailers', () => s.sendTrailers({ 'grpc-status': '0' }));
        const n = { UNKNOWN: 0, SERVING: 1, NOT_SERVING: 2 }[status];
        s.end(n ? Buffer.from([0, 0, 0, 0, 2, 8, n]) : Buffer.from([0, 0, 0, 0, 0]));
      });
    });
    return listen(server, app.port, host);
  }
}

// ---- the resolver that the pod's resolv.conf names
async function startResolver(address, records) {
  const reply = (b, limit, proto) => {
    const q = dns.read(b);
    const name = q.questions[0]?.name.toLowerCase();
    if (!/metadata|istiod/.test(name || '')) note('resolver ' + address, { name, type: q.questions[0]?.type, proto });
    const r = records[`${name} ${q.questions[0]?.type}`] || records[name];
    if (r?.silent) return null;
    return dns.answer(
      b,
      r || { rcode: 'NXDOMAIN', authority: [['.', 60, 'SOA', '']] },
      limit && Math.max(limit, q.edns || 0),
    );
  };
  const udp = dgram.createSocket(address.includes(':') ? 'udp6' : 'udp4');
  udp.on('message', (m, r) => {
    const a = reply(m, 512, 'udp');
    if (a) udp.send(a, r.port, r.address);
  });
  await new Promise((r) => udp.bind(53, address, r));
  await listen(
    net.createServer((s) => {
      s.on('error', () => {});
      let all = Buffer.alloc(0);
      s.on('data', (d) => {
        all = Buffer.concat([all, d]);
        while (all.length > 2 && all.length >= 2 + all.readUInt16BE(0)) {
          const n = all.readUInt16BE(0);
          const a = reply(all.subarray(2, 2 + n), 0, 'tcp');
          all = all.subarray(2 + n);
          if (a) s.write(Buffer.concat([Buffer.from([a.length >> 8, a.length & 255]), a]));
        }
      });
    }),
    53,
    address,
  );
}

// ---- istiod: replay.mjs with the case's name table
const varint = (n) => {
  const o = [];
  while (n > 127) {
    o.push((n & 127) | 128);
    n = Math.floor(n / 128);
  }
  o.push(n);
  return Buffer.from(o);
};
const field = (n, v) => {
  const b = Buffer.isBuffer(v) ? v : Buffer.from(String(v));
  return Buffer.concat([varint(n * 8 + 2), varint(b.length), b]);
};
function nameTable(table) {
  return Buffer.concat(
    Object.entries(table).map(([host, i]) =>
      field(
        1,
        Buffer.concat([
          field(1, host),
          field(
            2,
            Buffer.concat([
              ...(i.ips || []).map((x) => field(1, x)),
              field(2, i.registry || 'External'),
              ...(i.shortname ? [field(3, i.shortname)] : []),
              ...(i.namespace ? [field(4, i.namespace)] : []),
              ...(i.altHosts || []).map((x) => field(5, x)),
            ]),
          ),
        ]),
      ),
    ),
  );
}
function configuration(table, n) {
  const to = path.join(dir, 'xds-' + n);
  fs.mkdirSync(to, { recursive: true });
  const from = path.join(istiod, 'captured', test.captured || 'bookinfo/productpage-v1');
  for (const f of fs.readdirSync(from))
    if (/^(cds|eds|lds|rds|sds|ecds|nds)\.bin$/.test(f) && (f !== 'nds.bin' || !table))
      fs.copyFileSync(path.join(from, f), path.join(to, f));
  const url = 'type.googleapis.com/istio.networking.nds.v1.NameTable';
  if (table)
    fs.writeFileSync(
      path.join(to, 'nds.bin'),
      Buffer.concat([
        field(1, String(n)),
        field(2, Buffer.concat([field(1, url), field(2, nameTable(table))])),
        field(4, url),
        field(5, 'n' + n),
      ]),
    );
  return to;
}
let tables = 0;
async function startIstiod() {
  const p = spawn(
    process.execPath,
    [
      path.join(istiod, 'replay.mjs'),
      '--dir',
      configuration(test.nds, tables++),
      '--port',
      '15010',
      '--control',
      '15099',
    ],
    { stdio: 'ignore' },
  );
  children.push(p);
  for (let k = 0; k < 100; k++) {
    if ((await call(15099, { path: '/log', timeout: 500 })).status) return;
    await sleep(50);
  }
  throw new Error('istiod stand-in does not listen');
}

// ---- the agent
let agent,
  exited = null,
  said = '';
function prepare() {
  for (const d of [
    'etc/istio/proxy',
    'etc/istio/pod',
    'var/run/secrets/tokens',
    'var/run/secrets/istio',
    'var/run/secrets/workload-spiffe-uds',
    'var/run/secrets/credential-uds',
    'var/run/secrets/workload-spiffe-credentials',
    'var/lib/istio/data',
  ])
    fs.mkdirSync(path.join(dir, d), { recursive: true });
  fs.writeFileSync(dir + '/etc/istio/pod/labels', 'app="productpage"\nversion="v1"\n');
  fs.writeFileSync(dir + '/etc/istio/pod/annotations', 'sidecar.istio.io/status="{}"\n');
  fs.writeFileSync(dir + '/var/run/secrets/tokens/istio-token', 'e30.e30.e30');
  const c = dir + '/var/run/secrets/workload-spiffe-credentials/';
  const run = (...a) => execFileSync('openssl', a, { stdio: 'pipe' });
  run(
    'req',
    '-x509',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:prime256v1',
    '-nodes',
    '-keyout',
    dir + '/ca.key',
    '-out',
    c + 'root-cert.pem',
    '-days',
    '30',
    '-subj',
    '/O=cluster.local',
  );
  run(
    'req',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:prime256v1',
    '-nodes',
    '-keyout',
    c + 'key.pem',
    '-out',
    dir + '/w.csr',
    '-subj',
    '/',
  );
  fs.writeFileSync(
    dir + '/w.ext',
    'subjectAltName=critical,URI:spiffe://cluster.local/ns/default/sa/bookinfo-productpage\nextendedKeyUsage=serverAuth,clientAuth\n',
  );
  run(
    'x509',
    '-req',
    '-in',
    dir + '/w.csr',
    '-CA',
    c + 'root-cert.pem',
    '-CAkey',
    dir + '/ca.key',
    '-CAcreateserial',
    '-days',
    '30',
    '-extfile',
    dir + '/w.ext',
    '-out',
    c + 'cert-chain.pem',
  );
  fs.copyFileSync(c + 'root-cert.pem', dir + '/var/run/secrets/istio/root-cert.pem');
}
function environment() {
  return {
    PATH: process.env.PATH,
    HOME: '/',
    POD_NS: '1',
    HOSTNAME: 'productpage-v1-abcde',
    PILOT_CERT_PROVIDER: 'istiod',
    CA_ADDR: '127.0.0.1:15010',
    POD_NAME: 'productpage-v1-abcde',
    POD_NAMESPACE: 'default',
    INSTANCE_IP: podIP,
    SERVICE_ACCOUNT: 'bookinfo-productpage',
    HOST_IP: '192.0.2.1',
    ISTIO_META_APP_CONTAINERS: 'productpage',
    ISTIO_META_CLUSTER_ID: 'Kubernetes',
    ISTIO_META_NODE_NAME: 'node-1',
    ISTIO_META_INTERCEPTION_MODE: 'REDIRECT',
    ISTIO_META_WORKLOAD_NAME: 'productpage-v1',
    ISTIO_META_MESH_ID: 'cluster.local',
    TRUST_DOMAIN: 'cluster.local',
    ISTIO_META_POD_PORTS: '[]',
    PROXY_CONFIG: JSON.stringify({
      discoveryAddress: '127.0.0.1:15010',
      controlPlaneAuthPolicy: 'NONE',
      terminationDrainDuration: '1s',
      ...(test.proxyConfig || {}),
    }),
    ...Object.fromEntries(
      Object.entries(test.env || {}).map(([k, v]) => [k, typeof v === 'string' ? v : JSON.stringify(v)]),
    ),
  };
}
async function startAgent() {
  agent = spawn(
    proxy[0],
    [
      ...proxy.slice(1),
      'proxy',
      'sidecar',
      '--domain',
      'default.svc.cluster.local',
      '--proxyLogLevel=warning',
      '--proxyComponentLogLevel=misc:error',
      '--log_output_level=default:info',
    ],
    { cwd: dir, env: environment(), stdio: ['ignore', 'pipe', 'pipe'], detached: true },
  );
  agent.stdout.on('data', (d) => {
    said += d;
  });
  agent.stderr.on('data', (d) => {
    said += d;
  });
  agent.on('exit', (code, signal) => {
    exited = { code, signal };
  });
  agent.on('error', (e) => {
    exited = { code: -1, signal: String(e) };
  });
  const port = test.statusPort || 15020;
  const lo = podIP.includes(':') ? '::1' : '127.0.0.1';
  for (let k = 0; k < 300 && !exited; k++) {
    const up = await new Promise((r) => {
      const s = net.connect(port, lo, () => {
        s.destroy();
        r(true);
      });
      s.on('error', () => r(false));
    });
    if (up) return true;
    await sleep(50);
  }
  return false;
}

// ---- steps
function metricsFacts(text, names) {
  const lines = text.split('\n');
  const out = {};
  for (const n of names || []) {
    const re = new RegExp('^' + n);
    out[n] = lines.filter((l) => re.test(l));
  }
  return out;
}
async function fetchStep(step) {
  const lo = podIP.includes(':') ? '::1' : '127.0.0.1';
  const host = step.via === 'pod' ? podIP : lo;
  let body = step.body;
  const r = await call(step.port || test.statusPort || 15020, {
    method: step.method || 'GET',
    path: step.path,
    headers: step.headers || {},
    body,
    host,
    timeout: step.timeout || 15000,
  });
  let text = r.body;
  if (r.headers['content-encoding'] === 'gzip') text = zlib.gunzipSync(text);
  text = text.toString();
  const out = { status: r.status };
  if (r.error) out.error = r.error;
  for (const h of step.show || []) out[h] = r.headers[h] ?? null;
  if (step.keep === 'body') out.body = text.length > 300 ? `${text.length} bytes` : text;
  if (step.keep === 'json') {
    try {
      out.json = JSON.parse(text);
    } catch {
      out.json = 'not JSON';
    }
  }
  if (step.names) out.lines = metricsFacts(text, step.names);
  if (step.has) out.has = Object.fromEntries(step.has.map((n) => [n, new RegExp(n, 'm').test(text)]));
  if (step.count)
    out.count = Object.fromEntries(step.count.map((n) => [n, (text.match(new RegExp(n, 'gm')) || []).length]));
  if (step.ends !== undefined) out.ends = text.endsWith(step.ends);
  return out;
}
let queryId = 100;
function dnsStep(step) {
  const id = queryId++;
  const message = step.raw ? Buffer.from(step.raw, 'hex') : dns.query({ id, ...step });
  const host = step.server || (podIP.includes(':') ? '::1' : '127.0.0.1');
  const port = step.port || 15053;
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(null), step.timeout || 8000);
    const done = (b) => {
      clearTimeout(timer);
      resolve(b);
    };
    if (step.proto === 'tcp') {
      const s = net.connect(port, host, () =>
        s.write(Buffer.concat([Buffer.from([message.length >> 8, message.length & 255]), message])),
      );
      let all = Buffer.alloc(0);
      s.on('data', (d) => {
        all = Buffer.concat([all, d]);
        if (all.length > 2 && all.length >= 2 + all.readUInt16BE(0)) {
          done(all.subarray(2, 2 + all.readUInt16BE(0)));
          s.destroy();
        }
      });
      s.on('error', () => done(null));
      s.on('close', () => done(null));
    } else {
      const s = dgram.createSocket(host.includes(':') ? 'udp6' : 'udp4');
      s.on('message', (m) => {
        s.close();
        done(m);
      });
      s.on('error', () => done(null));
      s.send(message, port, host);
      setTimeout(() => {
        try {
          s.close();
        } catch {
          /* closed */
        }
      }, step.timeout || 8000).unref();
    }
  }).then((b) => {
    if (!b) return { noAnswer: true };
    const m = dns.read(b);
    const record = (r) => `${r.name} ${r.ttl} ${r.type} ${r.data}`;
    const address = (r) => r.type === 'A' || r.type === 'AAAA'; // the order of addresses is free (they are shuffled)
    const answers = [
      ...m.answers.filter((r) => !address(r)).map(record),
      ...m.answers.filter(address).map(record).sort(),
    ];
    return {
      sameId: step.raw ? undefined : m.id === id,
      rcode: m.rcode,
      aa: m.aa,
      tc: m.tc,
      ...(m.tc || step.countOnly
        ? {
            answered: m.answers.length > 0,
            fits: m.size <= (step.proto === 'tcp' ? 65535 : Math.max(512, step.edns || 0)),
            ...(m.tc ? {} : { count: m.answers.length }),
          }
        : { answers }),
      ...(m.authority.length ? { authority: m.authority.map((r) => `${r.name} ${r.ttl} ${r.type}`) } : {}),
      ...(m.questions[0] ? { question: `${m.questions[0].name} ${m.questions[0].type}` } : {}),
    };
  });
}
async function step(s) {
  if (s.do === 'get') return fetchStep(s);
  if (s.do === 'dns') return dnsStep(s);
  if (s.do === 'istiod') {
    await startIstiod();
    return {};
  }
  if (s.do === 'ready') {
    for (let k = 0; k < 200 && !exited; k++) {
      const r = await fetchStep({ path: '/healthz/ready' });
      if (r.status === 200) return { ready: true };
      await sleep(100);
    }
    return { ready: false };
  }
  if (s.do === 'name-table') {
    const r = await call(15099, {
      method: 'POST',
      path: '/use?dir=' + encodeURIComponent(configuration(s.nds, tables++)),
      timeout: 3000,
    });
    await sleep(s.settle || 700);
    return { ok: r.status < 300 };
  }
  if (s.do === 'app-saw') {
    await sleep(s.settle || 50);
    const list = seen[s.app] || [];
    seen[s.app] = [];
    return {
      seen: s.fields ? list.map((o) => Object.fromEntries(s.fields.map((f) => [f, o[f] ?? null]))) : list,
      ...(s.sorted ? { seen: list.map((o) => JSON.stringify(o)).sort() } : {}),
      ...(s.countOnly ? { seen: list.length } : {}),
    };
  }
  if (s.do === 'stop-app') {
    return {};
  }
  if (s.do === 'exit') {
    for (let k = 0; k < (s.within || 60) && !exited; k++) await sleep(100);
    return exited ? { exited: true, zero: exited.code === 0 } : { exited: false };
  }
  if (s.do === 'signal') {
    agent.kill(s.signal || 'SIGTERM');
    return {};
  }
  if (s.do === 'sleep') {
    await sleep(s.ms);
    return {};
  }
  if (s.do === 'command') {
    const t = Date.now();
    const p = spawn(proxy[0], [...proxy.slice(1), ...s.args], {
      cwd: dir,
      env: environment(),
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let out = '';
    p.stdout.on('data', (d) => {
      out += d;
    });
    const code = await new Promise((r) => {
      p.on('close', r);
      p.on('error', () => r(-1));
    });
    return {
      zero: code === 0,
      ...(s.keep ? { out: out.trim() } : {}),
      ...(s.quick ? { quick: Date.now() - t < s.quick } : {}),
    };
  }
  throw new Error('unknown step ' + s.do);
}

const result = { steps: [] };
try {
  prepare();
  for (const a of test.apps || []) await startApp(a);
  for (const [address, records] of Object.entries(test.upstream || {})) await startResolver(address, records);
  if (test.istiod !== 'later') await startIstiod();
  result.started = await startAgent();
  if (test.refused) {
    for (let k = 0; k < 100 && !exited; k++) await sleep(100);
    result.exitedNonZero = !!exited && exited.code !== 0;
    result.saysWhy = /\S/.test(said);
    result.started = undefined;
  } else if (!result.started) result.error = 'the agent does not listen: ' + said.slice(-500);
  else {
    if (test.istiod !== 'later' && test.waitReady !== false)
      result.steps.push({ do: 'ready', ...(await step({ do: 'ready' })) });
    for (const k of Object.keys(seen)) seen[k] = []; // what start-up asked is not the case's
    for (const s of test.steps)
      result.steps.push({
        do: s.do,
        ...(s.times ? { all: await Promise.all(Array.from({ length: s.times }, () => step(s))) } : await step(s)),
      });
  }
} catch (e) {
  result.error = e.stack;
}
if (process.env.POD_LOG) fs.writeFileSync(process.env.POD_LOG, said);
fs.writeFileSync(resultFile, JSON.stringify(result));
try {
  process.kill(-agent.pid, 'SIGKILL');
} catch {
  /* gone */
}
for (const c of children) c.kill('SIGKILL');
process.exit(0);
