// One proxy as pilot-agent starts it (bootstrap, arguments and working directory of `agent/CASE`), replay.mjs in the place of
// istiod and a secret service in the agent's, all in the network namespace of this process.
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { Authority } from './certificates.mjs';
import { serveSecrets } from './secrets.mjs';

export const istiod = path.join(path.dirname(fileURLToPath(import.meta.url)), '../../Istiod');
const [discoveryPort, controlPort] = [15010, 15099];
export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
// pilot-agent and its proxy run as this user, which redirects know by.
export const proxyUser = 1337;

function adminOf(bootstrap) {
  const { address, port_value: port } = bootstrap.admin.address.socket_address;
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}

export class ProxyUnderTest {
  constructor({ executable, agent = 'default', serve, names = ['URI:spiffe://cluster.local/ns/default/sa/default'], concurrency = '1' }) {
    Object.assign(this, { executable, agent, serve, concurrency });
    this.directory = fs.mkdtempSync(path.join(os.tmpdir(), 'istiod-'));
    fs.chmodSync(this.directory, 0o777);
    this.authority = new Authority(this.directory);
    this.leaf = this.authority.leaf('workload', names);
    this.closing = [];
  }

  async start() {
    this.layOut();
    this.#spawn('istiod', 'node', [path.join(istiod, 'replay.mjs'), ...this.serve, '--port', `${discoveryPort}`, '--control', `${controlPort}`]);
    for (let i = 0; !(await this.control('/log').catch(() => '')) && i < 200; i++) await sleep(50);
    this.adminAddress = adminOf(JSON.parse(fs.readFileSync(path.join(this.directory, 'etc/istio/proxy/envoy-rev.json'), 'utf8')));
    const argv = fs.readFileSync(path.join(istiod, 'agent', this.agent, 'argv.txt'), 'utf8').trimEnd().split('\n').slice(1);
    // What is compared does not depend on the number of workers, and other cases run beside this one.
    if (this.concurrency) argv[argv.indexOf('--concurrency') + 1] = this.concurrency;
    this.proxy = this.#spawn('proxy', this.executable, argv, {
      cwd: this.directory, uid: proxyUser, gid: proxyUser,
      // As a pod has it whose tracer reads it.
      env: { ...process.env, OTEL_RESOURCE_ATTRIBUTES: 'service.namespace=default' },
    });
  }

  // The agent's files and sockets, below the working directory that stands for `/`.
  layOut() {
    const at = (...parts) => path.join(this.directory, ...parts);
    fs.mkdirSync(at('etc/istio/proxy'), { recursive: true });
    fs.mkdirSync(at('var/run/secrets/workload-spiffe-uds'), { recursive: true });
    fs.copyFileSync(path.join(istiod, 'agent', this.agent, 'bootstrap.json'), at('etc/istio/proxy/envoy-rev.json'));
    this.#socket(serveSecrets(at('var/run/secrets/workload-spiffe-uds/socket'), this.authority, this.leaf));
    const bridge = net.createServer((client) => {
      const server = net.connect(discoveryPort, '127.0.0.1');
      for (const [from, to] of [[client, server], [server, client]]) {
        from.pipe(to);
        from.on('error', () => to.destroy());
        from.on('close', () => to.destroy());
      }
    });
    this.#socket(bridge.listen(at('etc/istio/proxy/XDS')));
  }

  #socket(server) {
    server.on('listening', () => fs.chmodSync(server.address(), 0o777));
    this.closing.push(() => server.close());
  }

  #spawn(name, command, args, options = {}) {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options });
    child.said = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (bytes) => (child.said += bytes));
    child.on('error', (error) => (child.said += `${name}: ${error.message}`));
    this.closing.push(() => child.exitCode === null && child.pid && new Promise((ended) => child.on('exit', ended).kill('SIGKILL')));
    return child;
  }

  async control(where, method = 'GET') {
    const response = await fetch(`http://127.0.0.1:${controlPort}${where}`, { method });
    return { status: response.status, text: await response.text() };
  }

  async admin(where) {
    return (await fetch(`http://${this.adminAddress}${where}`)).text();
  }

  async dump() {
    return JSON.parse(await this.admin('/config_dump?include_eds')).configs;
  }

  // Every request istiod saw, in order; `error` is what a refusal says.
  async requests() {
    return JSON.parse((await this.control('/log')).text).filter((entry) => !entry.sent);
  }

  // Waits until `reached` answers nothing that is missing; false when that took too long or the proxy ended.
  async until(reached, patience = 30000) {
    const end = Date.now() + patience;
    for (;;) {
      const missing = await reached().catch((error) => [error.message]);
      if (missing.length === 0) return [];
      if (Date.now() > end || this.proxy.exitCode !== null) return missing;
      await sleep(100);
    }
  }

  async close() {
    for (const close of this.closing.reverse()) await close();
    fs.rmSync(this.directory, { recursive: true, force: true });
  }
}
