// A root and one certificate with a SPIFFE identity for each workload, made with the openssl command.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';

export function makeCertificates(dir, identities) {
  const run = (...args) => execFileSync('openssl', args, { cwd: dir, stdio: 'pipe' });
  const key = (name) => run('ecparam', '-genkey', '-name', 'prime256v1', '-noout', '-out', `${name}.key`);
  key('root');
  run('req', '-x509', '-new', '-key', 'root.key', '-sha256', '-days', '2', '-subj', '/O=root', '-out', 'root.pem', '-addext', 'basicConstraints=critical,CA:TRUE');
  const made = {};
  for (const [name, identity] of Object.entries(identities)) {
    key(name);
    fs.writeFileSync(path.join(dir, `${name}.ext`), `subjectAltName=critical,URI:${identity}\nextendedKeyUsage=serverAuth,clientAuth\n`);
    run('req', '-new', '-key', `${name}.key`, '-subj', '/', '-out', `${name}.csr`);
    run('x509', '-req', '-in', `${name}.csr`, '-CA', 'root.pem', '-CAkey', 'root.key', '-CAcreateserial', '-days', '1', '-sha256', '-extfile', `${name}.ext`, '-out', `${name}.pem`);
    made[name] = { chain: path.join(dir, `${name}.pem`), key: path.join(dir, `${name}.key`), ca: path.join(dir, 'root.pem') };
  }
  return made;
}
