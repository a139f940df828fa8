// Starts programs and ends those it started, and no others.
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import net from 'node:net';

const running = new Set();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(1));

export function start(program, args, log) {
  const out = fs.openSync(log, 'a');
  const child = spawn(program, args, { stdio: ['ignore', out, out] });
  fs.closeSync(out);
  running.add(child);
  child.on('exit', () => running.delete(child));
  return child;
}

export function stop(child) {
  if (child.exitCode !== null || child.signalCode) return Promise.resolve();
  child.kill('SIGTERM');
  return new Promise((done) => {
    const forced = setTimeout(() => child.kill('SIGKILL'), 5000);
    child.on('exit', () => (clearTimeout(forced), done()));
  });
}

// Ports that are free now: bound all at once, so that none is given twice.
export async function freePorts(count) {
  const servers = await Promise.all(
    Array.from({ length: count }, () => new Promise((done, fail) => {
      const server = net.createServer().once('error', fail).listen(0, '127.0.0.1', () => done(server));
    })),
  );
  const ports = servers.map((s) => s.address().port);
  await Promise.all(servers.map((s) => new Promise((done) => s.close(done))));
  return ports;
}

export function get(port, path, headers = {}) {
  return new Promise((done, fail) => {
    const request = http.request({ host: '127.0.0.1', port, path, headers, agent: false }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (d) => (body += d));
      response.on('end', () => done({ status: response.statusCode, headers: response.headers, body }));
    });
    request.on('error', fail).setTimeout(10000, () => request.destroy(new Error(`no answer from ${port}${path}`)));
    request.end();
  });
}

// Asks again until the answer is as wanted; says what was asked and last seen when it never is.
export async function until(what, ask, seconds = 15) {
  const end = Date.now() + seconds * 1000;
  let last;
  for (;;) {
    try {
      const answer = await ask();
      if (answer) return answer;
      last = answer;
    } catch (e) {
      last = e;
    }
    if (Date.now() > end) throw new Error(`${what}: not within ${seconds} s${last instanceof Error ? ` (${last.message})` : ''}`);
    await new Promise((r) => setTimeout(r, 50));
  }
}
