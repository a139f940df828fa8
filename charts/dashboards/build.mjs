#!/usr/bin/env node
// Writes dashboards/*.json. With --check, only says whether they are what lib/ makes.
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const here = path.dirname(fileURLToPath(import.meta.url));
const names = ['mesh', 'service', 'workload', 'proxy', 'control-plane'];
let stale = 0;
for (const name of names) {
  const made = JSON.stringify((await import(`./lib/${name}.mjs`)).default(), null, 1) + '\n';
  const file = path.join(here, 'dashboards', `${name}.json`);
  if (!process.argv.includes('--check')) fs.writeFileSync(file, made);
  else if (!fs.existsSync(file) || fs.readFileSync(file, 'utf8') !== made) {
    console.error(`${name}.json is not what lib/${name}.mjs makes: run charts/dashboards/build.mjs`);
    stale = 1;
  }
}
process.exit(stale);
