// A mesh's authority and leaves of it, made by the openssl command.
import fs from 'node:fs';
import path from 'node:path';
import { execFileSync } from 'node:child_process';

const openssl = (...args) => execFileSync('openssl', args, { stdio: ['ignore', 'pipe', 'ignore'] });
const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];

export class Authority {
  constructor(directory, name = 'ca') {
    this.directory = directory;
    this.certificate = path.join(directory, name + '.pem');
    this.key = path.join(directory, name + '-key.pem');
    openssl('req', '-x509', ...key, '-days', '2', '-subj', '/O=' + name, '-keyout', this.key, '-out', this.certificate);
  }

  // names: subject alternative names as openssl writes them, as URI:spiffe://… or DNS:…
  leaf(name, names) {
    const files = { certificate: path.join(this.directory, name + '.pem'), key: path.join(this.directory, name + '-key.pem') };
    const request = path.join(this.directory, name + '.csr');
    const extensions = path.join(this.directory, name + '.ext');
    fs.writeFileSync(extensions, `subjectAltName=${names.join(',')}\n`);
    openssl('req', '-new', ...key, '-subj', '/CN=' + name, '-keyout', files.key, '-out', request);
    openssl('x509', '-req', '-in', request, '-CA', this.certificate, '-CAkey', this.key, '-CAcreateserial', '-days', '2',
      '-extfile', extensions, '-out', files.certificate);
    return files;
  }
}
