// A Prometheus that scrapes what a test started: the one on the path, or the one tests/Charts unpacked from Debian's package.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePorts, get, start, until } from './processes.mjs';

const unpacked = path.join(path.dirname(fileURLToPath(import.meta.url)), '../../Charts/.tools/prometheus/usr/bin');

/// The path of a program of the package; null without it.
export const find = (name) => [name, path.join(unpacked, name)].find((p) => spawnSync(p, ['--version'], { stdio: 'ignore' }).status === 0) ?? null;

// jobs: [{ name, path, port, labels }]; rules: files.
export async function startPrometheus(program, dir, jobs, rules) {
  const [port] = await freePorts(1);
  const file = path.join(dir, 'prometheus.yaml');
  fs.writeFileSync(file, JSON.stringify({
    global: { scrape_interval: '500ms', scrape_timeout: '500ms', evaluation_interval: '1s' },
    rule_files: rules,
    scrape_configs: jobs.map((j) => ({ job_name: j.name, metrics_path: j.path, static_configs: [{ targets: [`127.0.0.1:${j.port}`], labels: j.labels }] })),
  }));
  const args = [`--config.file=${file}`, `--storage.tsdb.path=${path.join(dir, 'tsdb')}`, `--web.listen-address=127.0.0.1:${port}`, '--log.level=warn'];
  const process = start(program, args, path.join(dir, 'prometheus.log'));
  await until('Prometheus is ready', async () => (await get(port, '/-/ready')).status === 200, 30);
  const api = async (where) => {
    const { body } = await get(port, `/api/v1/${where}`);
    const answer = JSON.parse(body);
    if (answer.status !== 'success') throw new Error(`${decodeURIComponent(where)}: ${answer.error}`);
    return answer.data;
  };
  return {
    process,
    rules: async () => (await api('rules')).groups.flatMap((g) => g.rules),
    targets: async () => (await api('targets')).activeTargets,
    // Values of an instant query, NaN included.
    query: async (expr) => (await api(`query?query=${encodeURIComponent(expr)}`)).result.map((r) => Number(r.value[1])),
  };
}
