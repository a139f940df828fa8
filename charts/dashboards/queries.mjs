#!/usr/bin/env node
// Every query of the dashboards and rules as JSON: [{ from, panel, expr }], with Grafana's variables replaced by what selects all,
// so that each can be run as it is against a Prometheus.
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const here = path.dirname(fileURLToPath(import.meta.url));

export function queries(folder = here) {
  const found = [];
  for (const file of fs.readdirSync(path.join(folder, 'dashboards')).sort()) {
    const board = JSON.parse(fs.readFileSync(path.join(folder, 'dashboards', file)));
    const all = Object.fromEntries(board.templating.list.map((v) => [v.name, v.allValue ?? '.*']));
    const fill = (expr) =>
      expr.replaceAll('$__rate_interval', '5m').replace(/\$\{?(\w+)\}?/g, (whole, name) => {
        if (!(name in all)) throw new Error(`${file}: ${expr} uses the unknown variable ${whole}`);
        return all[name];
      });
    for (const panel of board.panels) for (const target of panel.targets ?? []) found.push({ from: file, panel: panel.title, expr: fill(target.expr) });
    for (const v of board.templating.list) {
      const labels = /^label_values\((.*), \w+\)$/.exec(v.definition ?? '') ?? /^query_result\((.*)\)$/.exec(v.definition ?? '');
      if (labels) found.push({ from: file, panel: `variable ${v.name}`, expr: fill(labels[1]) });
    }
  }
  return found;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) console.log(JSON.stringify(queries(), null, 1));
