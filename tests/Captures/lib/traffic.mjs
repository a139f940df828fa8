// Requests through captured configuration: every address of the imagined cluster is local to this namespace, and connections are
// redirected to the proxy as istio-init does, by user; so what is sent to a service arrives at whoever listens at its endpoints.
import fs from 'node:fs';
import path from 'node:path';
import { execSync } from 'node:child_process';
import { ProxyUnderTest, istiod, proxyUser } from './proxy.mjs';
import { captured, differences } from './expectations.mjs';
import { backend, request, requestTls, talk } from './talk.mjs';

const root = path.join(istiod, 'captured');
const clusterAddresses = ['10.0.0.0/8', '198.51.100.0/24', '203.0.113.0/24'];
const spiffe = (account) => `spiffe://cluster.local/ns/default/sa/${account}`;
const service = (name) => `${name}.default.svc.cluster.local`;

// name: the folder, the pod's own address (null: a gateway, which is called directly), and the story.
export const cases = {
  'bookinfo-http-with-mutual-tls': { folder: 'bookinfo/productpage-v1', pod: '10.42.0.10', story: bookinfoHttp },
  'bookinfo-a-server-of-another-identity-is-refused': { folder: 'bookinfo/productpage-v1', pod: '10.42.0.10', story: bookinfoImpostor },
  'bookinfo-tcp-and-unknown-hosts': { folder: 'bookinfo/productpage-v1', pod: '10.42.0.10', story: bookinfoTcp },
  'bookinfo-permissive-inbound': { folder: 'bookinfo/productpage-v1', pod: '10.42.0.10', story: bookinfoInbound },
  'policies-strict-inbound': { folder: 'policies/details-v1', pod: '10.42.0.11', story: policiesInbound },
  'external-service-entry-with-static-endpoints': { folder: 'external/productpage-v1', pod: '10.42.0.10', story: externalStatic },
  'kubernetes-headless-pod-by-its-address': { folder: 'kubernetes/client-v1', pod: '10.44.0.10', story: headless },
  'gateway-servers-by-port-and-sni': { folder: 'gateway', pod: null, story: gateway },
};

export async function run(name, executable) {
  const { folder, pod, story } = cases[name];
  prepareNetwork(pod);
  const proxy = new ProxyUnderTest({
    executable, agent: pod ? 'default' : 'router', serve: ['--dir', path.join(root, folder)], names: pod ? undefined : ['DNS:secure.test'],
  });
  const faults = [];
  const mesh = new Mesh(proxy, folder, faults);
  try {
    await proxy.start();
    faults.push(...(await proxy.until(async () =>
      (await proxy.admin('/ready')).startsWith('LIVE') ? differences(await proxy.dump(), captured(path.join(root, folder))) : ['not ready'])));
    if (faults.length === 0) await story(mesh);
    if (faults.length) faults.push(proxy.proxy.said.slice(-1500));
    return { faults };
  } finally {
    mesh.close();
    await proxy.close();
  }
}

function prepareNetwork(pod) {
  const run = (command) => execSync(command, { stdio: 'ignore' });
  for (const range of clusterAddresses) run(`ip route add local ${range} dev lo`);
  if (!pod) return;
  const rule = (text) => run(`iptables -t nat -A OUTPUT -p tcp ${text}`);
  rule(`-m owner --uid-owner ${proxyUser} -j RETURN`);
  rule('-d 127.0.0.0/8 -j RETURN');
  rule(`-d ${pod} -j REDIRECT --to-ports 15006`);
  rule('-j REDIRECT --to-ports 15001');
}

// Backends at the endpoints, clients with the identities of a mesh, and what was found wrong.
class Mesh {
  constructor(proxy, folder, faults) {
    this.proxy = proxy;
    this.faults = faults;
    this.servers = [];
    const names = new Set(fs.readFileSync(path.join(root, folder, 'cds.json'), 'utf8').match(/spiffe:\/\/[^"]+/g) ?? []);
    // One certificate with every identity the clusters ask for.
    this.everyone = proxy.authority.leaf('everyone', [...names, spiffe('default')].map((name) => `URI:${name}`));
  }

  identity(account) {
    return this.proxy.authority.leaf(account, [`URI:${spiffe(account)}`]);
  }

  async listen(address, port, { leaf = this.everyone, plain = false, tcp = false } = {}) {
    const server = await backend(address, port, { ca: this.proxy.authority.certificate, leaf: plain ? null : leaf, tcp });
    this.servers.push(server);
    return server;
  }

  expect(what, wanted, found) {
    if (JSON.stringify(wanted) !== JSON.stringify(found)) {
      this.faults.push(`${what}: expected ${JSON.stringify(wanted)}, got ${JSON.stringify(found)}`);
    }
  }

  close() {
    for (const server of this.servers) server.close();
  }
}

async function bookinfoHttp(mesh) {
  const hosts = ['10.42.0.13', '10.42.0.14', '10.42.0.15'];
  for (const host of hosts) await mesh.listen(host, 9080);
  await mesh.listen('10.42.0.11', 9080);
  const seen = new Set();
  for (let i = 0; i < 40 && seen.size < hosts.length; i++) {
    const answer = await request('10.96.0.13', 9080, { path: '/reviews/0', headers: { host: 'reviews:9080' } });
    mesh.expect('status of reviews', 200, answer.status);
    seen.add(answer.json?.at);
    mesh.expect('SNI', `outbound_.9080_._.${service('reviews')}`, answer.json?.sni);
    mesh.expect('client', spiffe('default'), answer.json?.peer);
    mesh.expect('ALPN is of the mesh', true, /^istio/.test(answer.json?.alpn ?? ''));
  }
  mesh.expect('endpoints reached', hosts, [...seen].sort());
  const details = await request('10.96.0.11', 9080, { path: '/details/0', headers: { host: service('details') } });
  mesh.expect('details came from', '10.42.0.11', details.json?.at);
  mesh.expect('path', '/details/0', details.json?.path);
}

async function bookinfoImpostor(mesh) {
  await mesh.listen('10.42.0.12', 9080, { leaf: mesh.identity('somebody-else') });
  const answer = await request('10.96.0.12', 9080, { headers: { host: 'ratings:9080' } });
  mesh.expect('status', 503, answer.status);
}

async function bookinfoTcp(mesh) {
  await mesh.listen('10.42.0.30', 3306, { tcp: true });
  mesh.expect('bytes through mutual TLS', '10.42.0.30:ping', await talk('10.96.0.30', 3306, 'ping'));
  await mesh.listen('203.0.113.9', 80, { plain: true });
  const unknown = await request('203.0.113.9', 80, { headers: { host: 'elsewhere.test' } });
  mesh.expect('an unknown host is passed through to', '203.0.113.9', unknown.json?.at);
  await mesh.listen('203.0.113.9', 7777, { plain: true, tcp: true });
  mesh.expect('an unknown port is passed through', '203.0.113.9:hello', await talk('203.0.113.9', 7777, 'hello'));
}

async function bookinfoInbound(mesh) {
  await mesh.listen('10.42.0.10', 9080, { plain: true });
  const plain = await request('10.42.0.10', 9080, { path: '/productpage', headers: { host: 'productpage:9080' } });
  mesh.expect('plaintext', [200, '10.42.0.10', undefined], [plain.status, plain.json?.at, plain.json?.headers?.['x-forwarded-client-cert']]);
  const caller = mesh.identity('bookinfo-reviews');
  const secure = await requestTls('10.42.0.10', 9080, inbound(mesh, caller, 'productpage', { path: '/productpage' }));
  mesh.expect('mutual TLS', [200, '10.42.0.10'], [secure.status, secure.json?.at]);
  mesh.expect('the caller is named', true, (secure.json?.headers?.['x-forwarded-client-cert'] ?? '').includes(`URI=${spiffe('bookinfo-reviews')}`));
}

async function policiesInbound(mesh) {
  await mesh.listen('10.42.0.11', 9080, { plain: true });
  const plain = await request('10.42.0.11', 9080, { headers: { host: 'details:9080' } });
  mesh.expect('plaintext into strict mutual TLS', 'closed', plain.status ?? 'closed');
  const productpage = mesh.identity('bookinfo-productpage');
  const status = async (leaf, options) => (await requestTls('10.42.0.11', 9080, inbound(mesh, leaf, 'details', options))).status;
  mesh.expect('the allowed principal', 200, await status(productpage, { path: '/details/0', headers: { 'x-tenant': 'a' } }));
  mesh.expect('a tenant by prefix', 200, await status(productpage, { path: '/details/0', headers: { 'x-tenant': 'blue' } }));
  mesh.expect('another tenant', 403, await status(productpage, { path: '/details/0', headers: { 'x-tenant': 'c' } }));
  mesh.expect('a path that is not allowed', 403, await status(productpage, { path: '/admin/x', headers: { 'x-tenant': 'a' } }));
  mesh.expect('a method that is not allowed', 403, await status(productpage, { method: 'POST', headers: { 'x-tenant': 'a' } }));
  mesh.expect('another principal', 403, await status(mesh.identity('bookinfo-ratings'), { path: '/details/0', headers: { 'x-tenant': 'a' } }));
}

async function externalStatic(mesh) {
  for (const host of ['198.51.100.4', '198.51.100.5']) await mesh.listen(host, 5432, { plain: true, tcp: true });
  const answer = await talk('198.51.100.9', 5432, 'select');
  mesh.expect('a static endpoint answers', true, ['198.51.100.4:select', '198.51.100.5:select'].includes(answer));
}

async function headless(mesh) {
  await mesh.listen('10.44.0.30', 5432, { tcp: true });
  mesh.expect('the pod that was meant', '10.44.0.30:select', await talk('10.44.0.30', 5432, 'select'));
}

async function gateway(mesh) {
  await mesh.listen('10.42.0.10', 9080);
  for (const host of ['10.42.0.13', '10.42.0.14', '10.42.0.15']) await mesh.listen(host, 9080);
  // The gateway has that port on all addresses.
  execSync('iptables -t nat -A OUTPUT -p tcp -d 10.42.0.30 --dport 3306 -j DNAT --to-destination 10.42.0.30:13306');
  await mesh.listen('10.42.0.30', 13306, { tcp: true });
  const plain = (path, headers) => request('127.0.0.1', 8080, { path, headers: { host: 'bookinfo.test', ...headers } });
  mesh.expect('a path of the first route', [200, '10.42.0.10'], await plain('/productpage').then((a) => [a.status, a.json?.at]));
  mesh.expect('a path nobody serves', 404, (await plain('/other')).status);
  mesh.expect('a header that must not be there', 404, (await plain('/reviews/1', { 'x-block': '1' })).status);
  mesh.expect('without it', 200, (await plain('/reviews/1')).status);
  mesh.expect('a host nobody serves', 404, (await request('127.0.0.1', 8080, { headers: { host: 'other.test' } })).status);
  const redirect = await request('127.0.0.1', 8081, { path: '/productpage', headers: { host: 'secure.test' } });
  mesh.expect('plaintext where HTTPS is wanted', [301, 'https://secure.test/productpage'], [redirect.status, redirect.headers?.location]);
  const secure = (name, leaf) => requestTls('127.0.0.1', 8443, {
    path: '/productpage', headers: { host: name }, servername: name, leaf, ca: mesh.proxy.authority.certificate, alpn: ['http/1.1'],
  });
  mesh.expect('TLS by its name', [200, '10.42.0.10'], await secure('secure.test').then((a) => [a.status, a.json?.at]));
  mesh.expect('mutual TLS without a certificate', 'closed', (await secure('mutual.test')).status ?? 'closed');
  mesh.expect('mutual TLS of another name', 'closed', (await secure('mutual.test', mesh.identity('client'))).status ?? 'closed');
  const known = mesh.proxy.authority.leaf('known', ['DNS:client.test']);
  mesh.expect('mutual TLS of the name that is let in', 200, (await secure('mutual.test', known)).status);
  mesh.expect('TLS of a name nobody has', 'closed', (await secure('nobody.test')).status ?? 'closed');
  mesh.expect('TCP', '10.42.0.30:ping', await talk('127.0.0.1', 3306, 'ping'));
}

const inbound = (mesh, leaf, name, options) => ({
  ...options,
  headers: { host: `${name}:9080`, ...options.headers },
  servername: `outbound_.9080_._.${service(name)}`,
  ca: mesh.proxy.authority.certificate,
  leaf,
  alpn: ['istio-http/1.1', 'istio', 'http/1.1'],
});
