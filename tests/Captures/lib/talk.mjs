// Small clients and servers: HTTP and bytes, plain and with mutual TLS.
import fs from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import net from 'node:net';
import tls from 'node:tls';

const patience = 15000;
const credentials = (leaf) => (leaf ? { cert: fs.readFileSync(leaf.certificate), key: fs.readFileSync(leaf.key) } : {});
const uriOf = (socket) => socket.getPeerCertificate?.()?.subjectaltname?.replace(/^URI:/, '');

// Answers what it saw: where it was reached, over what, by whom. `leaf` null: without TLS.
export function backend(address, port, { ca, leaf, tcp }) {
  const secured = leaf && {
    ...credentials(leaf), ca: fs.readFileSync(ca), requestCert: true, rejectUnauthorized: true,
    ALPNProtocols: ['istio-http/1.1', 'istio', 'http/1.1'],
  };
  const answer = (req, res) => {
    const { alpnProtocol, servername } = req.socket;
    const seen = { at: address, path: req.url, headers: req.headers, sni: servername, alpn: alpnProtocol, peer: uriOf(req.socket) };
    res.setHeader('content-type', 'application/json');
    res.end(JSON.stringify(seen));
  };
  const echo = (socket) => {
    socket.on('error', () => {});
    socket.on('data', (bytes) => socket.write(`${address}:${bytes}`));
  };
  const server = tcp
    ? leaf ? tls.createServer(secured, echo) : net.createServer(echo)
    : leaf ? https.createServer(secured, answer) : http.createServer(answer);
  server.on('tlsClientError', () => {});
  return new Promise((resolve, reject) => {
    server.on('error', reject);
    server.listen(port, address, () => resolve(server));
  });
}

function send(module, options) {
  return new Promise((resolve) => {
    const req = module.request({ agent: false, timeout: patience, ...options }, (res) => {
      let body = '';
      res.on('data', (bytes) => (body += bytes));
      res.on('end', () => resolve({ status: res.statusCode, headers: res.headers, body, json: parse(body) }));
    });
    req.on('timeout', () => req.destroy(new Error('no answer')));
    req.on('error', (error) => resolve({ error: error.message }));
    req.end();
  });
}

function parse(body) {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

export const request = (host, port, { method = 'GET', path = '/', headers = {} } = {}) =>
  send(http, { host, port, method, path, headers });

export const requestTls = (host, port, { method = 'GET', path = '/', headers = {}, servername, ca, leaf, alpn }) =>
  send(https, {
    host, port, method, path, headers, servername, ca: fs.readFileSync(ca), ...credentials(leaf), ALPNProtocols: alpn,
    // The identity is in an URI, which Node does not compare.
    checkServerIdentity: () => undefined,
  });

// Sends and gives the first bytes that come; `closed` when none do.
export function talk(host, port, text) {
  return new Promise((resolve) => {
    const socket = net.connect(port, host, () => socket.write(text));
    socket.setTimeout(patience, () => socket.destroy());
    socket.on('data', (bytes) => {
      resolve(bytes.toString());
      socket.destroy();
    });
    socket.on('error', () => {});
    socket.on('close', () => resolve('closed'));
  });
}
