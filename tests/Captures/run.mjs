#!/usr/bin/env node
// A proxy started as pilot-agent starts it, against configuration captured from a real istiod (see ../Istiod/README.md).
//
//   node tests/Captures/run.mjs --executable PATH [--only TEXT] [--jobs 2] [--counts FILE] [--dumps DIRECTORY] [-v]
//
// Cases:
//   accept/FOLDER/PROTOCOL   a captured folder over state of the world or delta: nothing refused, everything active
//   agent/CASE               the bootstrap and arguments of one agent: the proxy becomes ready with them
//   script/FOLDER            a recorded delta stream, change by change: nothing refused, and what is left is what is active
//   fault/NAME/PROTOCOL      broken resources, cut streams: what served before serves on, and what comes after is taken
//   traffic/NAME             requests through a captured configuration, behind real redirects (lib/traffic)
// Every case runs in a network namespace of its own (root; otherwise all are skipped). What a case finds accepted without effect
// must be in unsupported.txt, which is what `meshproxy config unsupported` would show. --dumps keeps /config_dump?include_eds of
// each accept case over delta, as SCENARIO-WORKLOAD.json: what tests/Cli.Tests read.
import fs from 'node:fs';
import path from 'node:path';
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { reachable } from '../lib/executable.mjs';
import * as cases from './lib/cases.mjs';

const self = fileURLToPath(import.meta.url);
const here = path.dirname(self);
const option = (name, fallback) => {
  const at = process.argv.indexOf('--' + name);
  return at < 0 ? fallback : process.argv[at + 1];
};
const verbose = process.argv.includes('-v');

// In a namespace of its own, one case; its result is one line of JSON.
async function child(name) {
  const result = await cases.run(name, option('executable'), option('dumps')).catch((error) => ({ faults: [error.stack] }));
  process.stdout.write('\n' + JSON.stringify({ faults: [], unsupported: [], ...result }), () => process.exit(0));
}

function isolated(name, executable) {
  return new Promise((resolve) => {
    const args = ['-n', '-m', process.execPath, self, '--case', name, '--executable', executable];
    if (option('dumps')) args.push('--dumps', path.resolve(option('dumps')));
    const proc = spawn('unshare', args, { stdio: ['ignore', 'pipe', 'inherit'] });
    let said = '';
    proc.stdout.on('data', (bytes) => (said += bytes));
    proc.on('error', (error) => resolve({ faults: [error.message], unsupported: [] }));
    proc.on('exit', () => {
      try {
        resolve(JSON.parse(said.slice(said.lastIndexOf('\n'))));
      } catch {
        resolve({ faults: [`the case ended without a result: ${said}`], unsupported: [] });
      }
    });
  });
}

async function parent() {
  const write = (...numbers) => option('counts') && fs.writeFileSync(option('counts'), numbers.join(' ') + '\n');
  const names = cases.all().filter((name) => name.includes(option('only', '')));
  if (process.getuid() !== 0) {
    console.log(`skip all ${names.length}: network namespaces want root`);
    return write(0, 0, names.length);
  }
  const executable = reachable(option('executable', ''));
  if (!executable) throw new Error('--executable PATH is required: run ./mesh build');
  const listed = new Set(fs.readFileSync(path.join(here, 'unsupported.txt'), 'utf8').split('\n').filter((line) => line && line[0] !== '#'));
  const seen = new Set();
  let passed = 0;
  const queue = [...names];
  const worker = async () => {
    for (let name = queue.shift(); name; name = queue.shift()) {
      const { faults, unsupported } = await isolated(name, executable);
      for (const feature of unsupported) {
        seen.add(feature);
        if (!listed.has(feature)) faults.push(`accepted without effect, and not in unsupported.txt: ${feature}`);
      }
      if (faults.length === 0) passed++;
      if (faults.length || verbose) console.log(`${faults.length ? 'FAIL' : 'ok  '} ${name}${faults.map((f) => '\n  ' + f).join('')}`);
    }
  };
  await Promise.all(Array.from({ length: Number(option('jobs', '2')) }, worker));
  const stale = option('only') ? [] : [...listed].filter((feature) => !seen.has(feature));
  if (stale.length) console.log(`note: unsupported.txt lists what no case met; take it out: ${stale.join(', ')}`);
  const failed = names.length - passed;
  console.log(`${passed} passed, ${failed} failed`);
  write(passed, failed, 0);
  process.exitCode = failed ? 1 : 0;
}

await (option('case') ? child(option('case')) : parent());
