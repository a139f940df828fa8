// The agent's secret service: the workload's certificate as `default`, its roots as `ROOTCA`, files by their names. Secrets come
// one a stream, over state of the world or delta, as pilot-agent sends them.
import fs from 'node:fs';
import http2 from 'node:http2';

const type = 'type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret';
const part = (number, value) => {
  const bytes = Buffer.from(value);
  const head = [number * 8 + 2];
  let length = bytes.length;
  for (; length > 127; length >>>= 7) head.push((length & 127) | 128);
  return Buffer.concat([Buffer.from([...head, length]), bytes]);
};
const inline = (file) => part(2, fs.readFileSync(file));
const isRoot = (name) => name === 'ROOTCA' || name.startsWith('file-root');

// Field `number` of a message whose fields all have a length, as those of a first request do.
function text(message, number) {
  for (let at = 0; at < message.length; ) {
    const field = message[at++] >> 3;
    let length = 0;
    for (let shift = 0; ; shift += 7) {
      length |= (message[at] & 127) << shift;
      if (message[at++] < 128) break;
    }
    if (field === number) return message.toString('utf8', at, at + length);
    at += length;
  }
  return '';
}

function answer(name, delta, authority, leaf) {
  const content = isRoot(name)
    ? part(4, part(1, inline(authority.certificate)))
    : part(2, Buffer.concat([part(1, inline(leaf.certificate)), part(2, inline(leaf.key))]));
  const packed = Buffer.concat([part(1, type), part(2, Buffer.concat([part(1, name), content]))]);
  return delta
    ? Buffer.concat([part(2, Buffer.concat([part(3, name), part(1, '1'), part(2, packed)])), part(4, type), part(5, 'n1')])
    : Buffer.concat([part(1, '1'), part(2, packed), part(4, type), part(5, 'n1')]);
}

export function serveSecrets(socket, authority, leaf) {
  const server = http2.createServer();
  server.on('stream', (stream, headers) => {
    const delta = headers[':path'].endsWith('DeltaSecrets');
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' });
    stream.on('error', () => {});
    let answered = false;
    stream.on('data', (bytes) => {
      if (answered) return;
      answered = true;
      const message = answer(text(bytes.subarray(5), 3), delta, authority, leaf);
      const head = Buffer.alloc(5);
      head.writeUInt32BE(message.length, 1);
      stream.write(Buffer.concat([head, message]));
    });
  });
  server.listen(socket);
  return server;
}
