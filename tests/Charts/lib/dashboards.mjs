// Dashboards and rules: made from their sources, unique, small enough for a ConfigMap, and every query one that Prometheus parses.
import fs from 'node:fs';
import path from 'node:path';
import { run } from './tools.mjs';
import { queries } from '../../../charts/dashboards/queries.mjs';

// A ConfigMap holds 1 MiB.
const LargestFile = 1 << 20;

export function boards(folder) {
  const found = [];
  const built = run(process.execPath, [path.join(folder, 'build.mjs'), '--check']);
  if (built.code) found.push(built.err);
  const seen = new Set();
  for (const file of fs.readdirSync(path.join(folder, 'dashboards'))) {
    const text = fs.readFileSync(path.join(folder, 'dashboards', file), 'utf8');
    const board = JSON.parse(text);
    if (text.length > LargestFile) found.push(`${file} is too large for a ConfigMap`);
    for (const id of [board.uid, board.title]) {
      if (seen.has(id)) found.push(`${file}: ${id} is taken`);
      seen.add(id);
    }
    const ids = board.panels.map((p) => p.id);
    if (new Set(ids).size !== ids.length) found.push(`${file}: two panels have the same id`);
    for (const p of board.panels) if (p.type !== 'row' && p.datasource.uid !== '${datasource}') found.push(`${file}: ${p.title} has a fixed data source`);
    found.push(...overlaps(board).map((o) => `${file}: ${o}`));
  }
  return found;
}

function overlaps({ panels }) {
  const found = [];
  for (const [k, a] of panels.entries())
    for (const b of panels.slice(k + 1)) {
      const [p, q] = [a.gridPos, b.gridPos];
      if (p.x < q.x + q.w && q.x < p.x + p.w && p.y < q.y + q.h && q.y < p.y + p.h) found.push(`${a.title} covers ${b.title}`);
    }
  return found;
}

// promtool reads queries in rules only: one rule a query.
export function parsed(folder, promtool, scratch) {
  const rules = queries(folder).map(({ expr }, k) => `  - {record: 'query:q${k}', expr: ${JSON.stringify(expr)}}`);
  const file = path.join(scratch, 'queries.yaml');
  fs.writeFileSync(file, `groups:\n- name: queries\n  rules:\n${rules.join('\n')}\n`);
  const checked = run(promtool, ['check', 'rules', file]);
  return checked.code ? [checked.out + checked.err] : [];
}

export function rules(folder, promtool) {
  const found = [];
  for (const [verb, file] of [['check', 'meshproxy.yaml'], ['test', 'meshproxy_test.yaml']]) {
    const r = run(promtool, [verb, 'rules', file], { cwd: path.join(folder, 'rules') });
    if (r.code) found.push(r.out + r.err);
  }
  return found;
}
