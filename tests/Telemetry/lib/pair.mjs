// Two sidecars, `stores` calling `frontend`, and a control plane that gives them what istiod gave: all executables of their own.
import fs from 'node:fs';
import path from 'node:path';
import { Workload, bootstrap, inbound, outbound, service, toApplication, toEndpoint } from './captured.mjs';
import { freePorts, get, start, until } from './processes.mjs';
import { serveGrpc, serveHttp, serveTcp } from './applications.mjs';

export const identities = {
  stores: 'spiffe://cluster.local/ns/default/sa/bookinfo-stores',
  frontend: 'spiffe://cluster.local/ns/default/sa/bookinfo-frontend',
};

export async function startPair(executable, dir, { keep = [], outlier } = {}) {
  const names = ['controlPlane', 'monitoring', 'clientAdmin', 'serverAdmin', 'http', 'grpc', 'tcp', 'deaf', 'httpIn', 'grpcIn', 'tcpIn', 'httpApp', 'grpcApp', 'tcpApp', 'nobody'];
  const numbers = await freePorts(names.length);
  const ports = Object.fromEntries(names.map((name, k) => [name, numbers[k]]));
  const workloads = { client: new Workload('stores-v1'), server: new Workload('frontend-v1') };
  const seen = { http: [], grpc: [] };
  await Promise.all([serveHttp(ports.httpApp, seen.http), serveGrpc(ports.grpcApp, seen.grpc), serveTcp(ports.tcpApp)]);
  const more = outlier && { outlier_detection: outlier };
  const { client, server } = workloads;
  const resources = {
    server: [
      ...inbound(server, { chain: '0.0.0.0_8080', port: ports.httpIn }),
      ...inbound(server, { chain: '0.0.0.0_7070', port: ports.grpcIn }),
      ...inbound(server, { chain: '0.0.0.0_9000', port: ports.tcpIn }),
      ...toApplication(server, { name: 'inbound|8080||', port: ports.httpApp }),
      ...toApplication(server, { name: 'inbound|7070||', port: ports.grpcApp }),
      ...toApplication(server, { name: 'inbound|9000||', port: ports.tcpApp }),
    ],
    client: [
      ...outbound(client, { name: '0.0.0.0_80', port: ports.http }),
      ...outbound(client, { name: '0.0.0.0_7070', port: ports.grpc }),
      ...outbound(client, { name: '10.96.0.10_9000', port: ports.tcp }),
      ...outbound(client, { name: '0.0.0.0_7071', port: ports.deaf }),
      ...toEndpoint(client, { name: service(80), port: ports.httpIn, more }),
      ...toEndpoint(client, { name: service(7070), port: ports.grpcIn }),
      ...toEndpoint(client, { name: service(9000), port: ports.tcpIn }),
      // Nobody listens there: what a service looks like whose pods are gone.
      ...toEndpoint(client, { name: service(7071), port: ports.nobody }),
    ],
  };
  const folder = path.join(dir, 'resources');
  const put = (side, list) => {
    const own = path.join(folder, workloads[side].node.id);
    fs.mkdirSync(own, { recursive: true });
    fs.writeFileSync(path.join(own, '.new'), JSON.stringify(list));
    fs.renameSync(path.join(own, '.new'), path.join(own, 'all.json'));
  };
  for (const side of ['client', 'server']) put(side, resources[side]);

  const processes = {};
  const run = async (name, args, ready) => {
    const log = path.join(dir, `${name}.log`);
    processes[name] = start(executable, args, log);
    const exited = new Promise((_, fail) => processes[name].on('exit', () => fail(new Error(`${name} ended:\n${fs.readFileSync(log, 'utf8').slice(-4000)}`))));
    exited.catch(() => {});
    await Promise.race([exited, until(`${name} is ready`, ready, 60)]).catch((e) => {
      throw new Error(`${e.message}\n${fs.readFileSync(log, 'utf8').slice(-4000)}`);
    });
  };
  const answers = (port, where) => async () => (await get(port, where)).status === 200;
  await run('control-plane', ['control-plane', '--dir', folder, '--listen', `127.0.0.1:${ports.controlPlane}`, '--monitoring', `127.0.0.1:${ports.monitoring}`], answers(ports.monitoring, '/readyz'));
  for (const side of ['client', 'server']) {
    const file = path.join(dir, `${side}.json`);
    fs.writeFileSync(file, JSON.stringify(bootstrap(workloads[side], { admin: ports[`${side}Admin`], controlPlane: ports.controlPlane, keep }), null, 1));
    await run(side, ['-c', file, '-l', 'warning', '--concurrency', '1', '--disable-hot-restart'], answers(ports[`${side}Admin`], '/ready'));
  }
  return { ports, seen, processes, resources, put };
}
