// What stands behind the sidecar, and who calls it: HTTP/1.1, gRPC (one message each way a call, more if asked), TCP.
import http from 'node:http';
import http2 from 'node:http2';
import net from 'node:net';

const listen = (server, port) => new Promise((done, fail) => server.once('error', fail).listen(port, '127.0.0.1', done));
const message = (text) => {
  const body = Buffer.from(text);
  const frame = Buffer.alloc(5 + body.length);
  frame.writeUInt32BE(body.length, 1);
  body.copy(frame, 5);
  return frame;
};

// Answers with the headers it got and how long its body is to be: /code/CODE, ?bytes=N.
export async function serveHttp(port, seen) {
  await listen(http.createServer((request, response) => {
    seen.push(request.headers);
    request.resume().on('end', () => {
      const url = new URL(request.url, 'http://x');
      response.statusCode = Number(/^\/code\/(\d+)/.exec(url.pathname)?.[1] ?? 200);
      response.end('x'.repeat(Number(url.searchParams.get('bytes') ?? 10)));
    });
  }), port);
}

// /STATUS/MESSAGES: so many answers, then that status.
export async function serveGrpc(port, seen) {
  const server = http2.createServer();
  server.on('stream', (stream, headers) => {
    seen.push(headers);
    const [, status, messages] = headers[':path'].split('/');
    stream.on('data', () => {}).on('error', () => {});
    stream.on('end', () => {
      stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
      stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': status }));
      for (let i = 0; i < Number(messages); i++) stream.write(message(`answer ${i}`));
      stream.end();
    });
  });
  await listen(server, port);
}

// Sends back what comes, and the end with it.
export async function serveTcp(port) {
  await listen(net.createServer({ allowHalfOpen: true }, (socket) => socket.on('error', () => {}).pipe(socket)), port);
}

export function callGrpc(port, authority, status, messages) {
  return new Promise((done, fail) => {
    const session = http2.connect(`http://127.0.0.1:${port}`).on('error', fail);
    const stream = session.request({ ':method': 'POST', ':path': `/${status}/${messages}`, ':authority': authority, 'content-type': 'application/grpc', te: 'trailers' });
    let trailers;
    stream.on('trailers', (t) => (trailers = t)).on('error', fail).on('data', () => {});
    stream.on('close', () => session.close(() => done(trailers?.['grpc-status'])));
    for (let i = 0; i < messages; i++) stream.write(message(`question ${i}`));
    stream.end();
  });
}

export function callTcp(port, text) {
  return new Promise((done, fail) => {
    let back = '';
    const socket = net.connect(port, '127.0.0.1', () => socket.end(text));
    socket.setEncoding('utf8').on('data', (d) => (back += d)).on('error', fail).on('close', () => done(back));
  });
}
