#!/usr/bin/env node
// Every configuration captured from a real istiod is accepted whole, over state of the world and over delta.
//
//   unshare -n node tests/accept-captures.mjs --executable PATH [--only TEXT] [--dumps DIRECTORY]
//
// With --dumps the proxy's /config_dump?include_eds is kept of each delta case, as SCENARIO-WORKLOAD.json: what tests/Cli.Tests read.
//
// Each captured folder is served by Istiod/replay.mjs to a proxy with the bootstrap of a sidecar's essentials; the case passes when
// every type that the folder holds was acknowledged and nothing was refused. The ports are those of Istio, so it wants a network
// namespace of its own (it brings `lo` up there).
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { spawn, execSync } from 'node:child_process';
import http2 from 'node:http2';
import { fileURLToPath } from 'node:url';

const tests = path.dirname(fileURLToPath(import.meta.url));
const captured = path.join(tests, 'Istiod/captured');
const option = (name, fallback) => {
  const at = process.argv.indexOf('--' + name);
  return at < 0 ? fallback : process.argv[at + 1];
};
const executable = option('executable');
const only = option('only', '');
const dumps = option('dumps', '');
const patience = Number(option('patience', '20000'));
const [discoveryPort, controlPort, adminPort] = [15010, 15099, 15000];
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

function folders(directory) {
  if (fs.existsSync(path.join(directory, 'cds.bin'))) return [directory];
  const names = fs.readdirSync(directory, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  return names.flatMap((entry) => folders(path.join(directory, entry.name)));
}

const http2Options = {
  'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': {
    '@type': 'type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions',
    explicit_http_config: { http2_protocol_options: {} },
  },
};
const cluster = (name, address) => ({
  name,
  type: 'STATIC',
  connect_timeout: '1s',
  typed_extension_protocol_options: http2Options,
  load_assignment: { cluster_name: name, endpoints: [{ lb_endpoints: [{ endpoint: { address } }] }] },
});

const nodeOf = (folder) => JSON.parse(fs.readFileSync(path.join(folder, 'request.json'), 'utf8')).node;

function bootstrap(protocol, directory, folder) {
  const loopback = { socket_address: { address: '127.0.0.1', port_value: discoveryPort } };
  return {
    node: nodeOf(folder),
    admin: { address: { socket_address: { address: '127.0.0.1', port_value: adminPort } } },
    bootstrap_extensions: [
      {
        name: 'envoy.bootstrap.internal_listener',
        typed_config: { '@type': 'type.googleapis.com/envoy.extensions.bootstrap.internal_listener.v3.InternalListener' },
      },
    ],
    dynamic_resources: {
      ads_config: {
        api_type: protocol,
        transport_api_version: 'V3',
        set_node_on_first_message_only: true,
        grpc_services: [{ envoy_grpc: { cluster_name: 'xds-grpc' } }],
      },
      cds_config: { ads: {}, resource_api_version: 'V3', initial_fetch_timeout: '0s' },
      lds_config: { ads: {}, resource_api_version: 'V3', initial_fetch_timeout: '0s' },
    },
    static_resources: {
      clusters: [
        cluster('xds-grpc', loopback),
        cluster('sds-grpc', { pipe: { path: path.join(directory, 'sds') } }),
        cluster('zipkin', loopback),
      ],
    },
  };
}

// The workload's certificate and roots, as the agent's socket gives them: clusters and listeners wait for both.
const part = (number, value) => {
  const bytes = Buffer.from(value);
  const head = [number * 8 + 2];
  let length = bytes.length;
  for (; length > 127; length >>>= 7) head.push((length & 127) | 128);
  return Buffer.concat([Buffer.from([...head, length]), bytes]);
};
const inline = (file) => part(2, fs.readFileSync(file));
const secretType = 'type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret';

function secretAnswer(name, certificate, key) {
  const content =
    name === 'ROOTCA' || name.startsWith('file-root')
      ? part(4, part(1, inline(certificate)))
      : part(2, Buffer.concat([part(1, inline(certificate)), part(2, inline(key))]));
  const secret = Buffer.concat([part(1, name), content]);
  const packed = Buffer.concat([part(1, secretType), part(2, secret)]);
  return Buffer.concat([part(1, '1'), part(2, packed), part(4, secretType), part(5, 'n1')]);
}

// resource_names of a request whose fields all have a length, as those of a first request do.
function firstName(message) {
  for (let at = 0; at < message.length; ) {
    const number = message[at++] >> 3;
    let length = 0;
    for (let shift = 0; ; shift += 7) {
      length |= (message[at] & 127) << shift;
      if (message[at++] < 128) break;
    }
    if (number === 3) return message.toString('utf8', at, at + length);
    at += length;
  }
  return '';
}

function serveSecrets(socket, certificate, key) {
  const server = http2.createServer();
  server.on('stream', (stream) => {
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' });
    stream.on('error', () => {});
    let answered = false;
    stream.on('data', (bytes) => {
      if (answered) return;
      answered = true;
      const message = secretAnswer(firstName(bytes.subarray(5)), certificate, key);
      const head = Buffer.alloc(5);
      head.writeUInt32BE(message.length, 1);
      stream.write(Buffer.concat([head, message]));
    });
  });
  server.listen(socket);
  return server;
}

const get = async (port, where) => (await fetch(`http://127.0.0.1:${port}${where}`)).text();

async function settled(wanted, proxy) {
  const until = Date.now() + patience;
  let log = [];
  while (Date.now() < until && proxy.exitCode === null) {
    await sleep(200);
    log = JSON.parse(await get(controlPort, '/log').catch(() => '[]'));
    const acknowledged = new Set(log.filter((request) => request.nonce).map((request) => request.type));
    if (wanted.every((type) => acknowledged.has(type))) break;
  }
  // What is refused may be refused after the last acknowledgement of another type.
  await sleep(300);
  return JSON.parse(await get(controlPort, '/log').catch(() => '[]'));
}

async function run(folder, protocol) {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'captures-'));
  const config = path.join(directory, 'bootstrap.json');
  fs.writeFileSync(config, JSON.stringify(bootstrap(protocol, directory, folder)));
  const [certificate, key] = ['cert.pem', 'key.pem'].map((file) => path.join(directory, file));
  const subject = '-subj / -addext subjectAltName=URI:spiffe://cluster.local/ns/default/sa/default';
  execSync(
    `openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1 ${subject} -keyout ${key} -out ${certificate}`,
    { stdio: 'ignore' },
  );
  const secrets = serveSecrets(path.join(directory, 'sds'), certificate, key);
  const children = [];
  const start = (command, args) => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    child.said = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (bytes) => (child.said += bytes));
    children.push(child);
    return child;
  };
  try {
    start('node', [path.join(tests, 'Istiod/replay.mjs'), '--dir', folder, '--port', `${discoveryPort}`, '--control', `${controlPort}`]);
    while (!(await get(controlPort, '/log').catch(() => ''))) await sleep(50);
    const proxy = start(executable, ['-c', config, '-l', 'error', '--concurrency', '1', '--disable-hot-restart']);
    const log = await settled(['cds', 'eds', 'lds', 'rds'], proxy);
    const faults = log.filter((r) => r.error_detail).map((r) => `${r.type} refused: ${JSON.stringify(r.error_detail)}`);
    for (const type of ['cds', 'lds']) {
      if (!log.some((request) => request.type === type && request.nonce)) faults.push(`${type} was not acknowledged`);
    }
    if (proxy.exitCode !== null) faults.push('the proxy ended');
    if (/internal error/.test(proxy.said)) faults.push(proxy.said.slice(0, 2000));
    if (dumps && protocol === 'DELTA_GRPC') {
      const name = path.relative(captured, folder).replaceAll('/', '-');
      fs.writeFileSync(path.join(dumps, `${name}.json`), await get(adminPort, '/config_dump?include_eds'));
    }
    const unsupported = await get(adminPort, '/unsupported').catch(() => '');
    return { faults, unsupported };
  } finally {
    secrets.close();
    await Promise.all(children.map((child) => child.exitCode === null && new Promise((ended) => child.on('exit', ended).kill('SIGKILL'))));
    fs.rmSync(directory, { recursive: true, force: true });
  }
}

execSync('ip link set lo up');
let failed = 0;
let passed = 0;
for (const folder of folders(captured)) {
  for (const protocol of ['GRPC', 'DELTA_GRPC']) {
    const name = `${path.relative(captured, folder)} ${protocol}`;
    if (!name.includes(only)) continue;
    const { faults, unsupported } = await run(folder, protocol);
    if (faults.length === 0) passed++;
    else failed++;
    if (faults.length > 0) console.log(`FAIL ${name}\n  ${faults.join('\n  ')}`);
    if (process.argv.includes('-v')) console.log(`${name}:\n${unsupported}`);
  }
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed ? 1 : 0;
