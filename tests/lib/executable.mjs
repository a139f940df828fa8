// Cases behind redirects run the proxy as user 1337, who must be able to reach it: a copy where everybody can.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

/** The executable where every user can run it, null when there is none. */
export function reachable(executable) {
  const full = path.resolve(executable);
  if (!fs.existsSync(full)) return null;
  for (let dir = path.dirname(full); dir !== '/'; dir = path.dirname(dir))
    if (!(fs.statSync(dir).mode & 0o001)) return copyOut(full);
  return full;
}

function copyOut(executable) {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'meshproxy-'));
  process.on('exit', () => fs.rmSync(dir, { recursive: true, force: true }));
  fs.chmodSync(dir, 0o755);
  const source = path.dirname(executable);
  // A development build is an executable among its assemblies; a native one stands alone.
  if (fs.existsSync(executable + '.dll')) fs.cpSync(source, dir, { recursive: true });
  else fs.copyFileSync(executable, path.join(dir, path.basename(executable)));
  return path.join(dir, path.basename(executable));
}
