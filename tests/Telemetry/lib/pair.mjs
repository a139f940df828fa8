// Two sidecars, `stores` calling `frontend`, with everything of istiod's captures between them.
import fs from 'node:fs';
import path from 'node:path';
import { Workload, bootstrap, inbound, outbound, service, toApplication, toEndpoint } from './captured.mjs';
import { makeCertificates } from './certificates.mjs';
import { freePorts, get, start, until } from './processes.mjs';
import { serveGrpc, serveHttp, serveTcp } from './applications.mjs';

export const identities = {
  stores: 'spiffe://cluster.local/ns/default/sa/bookinfo-stores',
  frontend: 'spiffe://cluster.local/ns/default/sa/bookinfo-frontend',
};

export async function startPair(executable, dir, options = {}) {
  const certs = makeCertificates(dir, identities);
  const names = ['clientAdmin', 'serverAdmin', 'http', 'grpc', 'tcp', 'httpIn', 'grpcIn', 'tcpIn', 'httpApp', 'grpcApp', 'tcpApp', 'dead'];
  const numbers = await freePorts(names.length);
  const ports = Object.fromEntries(names.map((name, k) => [name, numbers[k]]));
  const [client, server] = [new Workload('stores-v1'), new Workload('frontend-v1')];
  const seen = { http: [], grpc: [] };
  await Promise.all([serveHttp(ports.httpApp, seen.http), serveGrpc(ports.grpcApp, seen.grpc), serveTcp(ports.tcpApp)]);
  const chain = (name) => (c) => c.name === name;
  const configs = {
    server: bootstrap(server, {
      ...options,
      admin: ports.serverAdmin,
      listeners: [
        inbound(server, { chains: chain('0.0.0.0_8080'), port: ports.httpIn, certs: certs.frontend }),
        inbound(server, { chains: chain('0.0.0.0_7070'), port: ports.grpcIn, certs: certs.frontend }),
        inbound(server, { chains: chain('0.0.0.0_9000'), port: ports.tcpIn, certs: certs.frontend }),
      ],
      clusters: [
        toApplication(server, { name: 'inbound|8080||', port: ports.httpApp }),
        toApplication(server, { name: 'inbound|7070||', port: ports.grpcApp }),
        toApplication(server, { name: 'inbound|9000||', port: ports.tcpApp }),
      ],
    }),
    client: bootstrap(client, {
      ...options,
      admin: ports.clientAdmin,
      listeners: [
        outbound(client, { name: '0.0.0.0_80', port: ports.http }),
        outbound(client, { name: '0.0.0.0_7070', port: ports.grpc }),
        outbound(client, { name: '10.96.0.10_9000', port: ports.tcp }),
      ],
      clusters: [
        toEndpoint(client, { name: service(80), port: ports.httpIn, certs: certs.stores }),
        toEndpoint(client, { name: service(7070), port: ports.grpcIn, certs: certs.stores }),
        toEndpoint(client, { name: service(9000), port: ports.tcpIn, certs: certs.stores }),
      ],
    }),
  };
  const processes = {};
  for (const [name, config] of Object.entries(configs)) {
    const file = path.join(dir, `${name}.json`);
    fs.writeFileSync(file, JSON.stringify(config, null, 1));
    processes[name] = start(executable, ['-c', file, '-l', 'warning', '--concurrency', '1', '--disable-hot-restart'], path.join(dir, `${name}.log`));
    const exited = new Promise((_, fail) => processes[name].on('exit', () => fail(new Error(`${name} ended:\n${fs.readFileSync(path.join(dir, `${name}.log`), 'utf8').slice(-4000)}`))));
    exited.catch(() => {});
    await Promise.race([exited, until(`${name} is ready`, async () => (await get(ports[`${name}Admin`], '/ready')).status === 200)]);
  }
  return { ports, seen, processes };
}
