#!/usr/bin/env node
// Runs the recorded cases and holds the result against what is known to pass; `./mesh conformance` and `./mesh test` call it.
//
//   node tests/gate.mjs --executable PATH [AREA...] [--only TEXT] [--jobs 2] [--ready-ms N] [-v] [--quiet]
//                       [--update-baseline] [--counts FILE] [--proxy 'COMMAND with {config}']
//
// An area is a folder of Conformance/recorded or of Pod (as pod/init; `pod` is all of those). Conformance/baseline.json says
// what passes: for an area "whole", or the names of its cases. A case of the baseline that fails is run once more alone;
// when it fails again it is lost, which alone makes this end with 1. A case that never passed is a known gap. A case of
// Conformance/exceptions.md (`AREA/NAME` first on a line of a list) is one that we answer otherwise on purpose.
// --update-baseline adds what passes now; it never takes a name away: that is an edit, with a reason, by hand.
// --quiet leaves out the differences of known gaps; --counts writes `passed failed skipped` for the caller to add up.
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import readline from 'node:readline';
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { reachable } from './lib/executable.mjs';

const tests = path.dirname(fileURLToPath(import.meta.url));
const baselineFile = path.join(tests, 'Conformance/baseline.json');
const exceptionsFile = path.join(tests, 'Conformance/exceptions.md');
// A broken build loses everything: there is nothing to learn from running all of it twice.
const MostRunAgain = 20;

function stop(sentence) {
  console.error('conformance: ' + sentence);
  process.exit(2);
}

function parseArguments(args) {
  const options = { areas: [], jobs: '2', only: '' };
  const valued = ['executable', 'only', 'jobs', 'ready-ms', 'counts', 'proxy'];
  const flags = ['quiet', 'update-baseline'];
  for (let i = 0; i < args.length; i++) {
    const name = args[i].replace(/^--/, '');
    if (args[i] === '-v') options.verbose = true;
    else if (!args[i].startsWith('--')) options.areas.push(args[i].replace(/\/$/, ''));
    else if (flags.includes(name)) options[name] = true;
    else if (valued.includes(name)) {
      options[name] = args[++i];
      if (options[name] === undefined) stop(`--${name} needs a value`);
    } else stop(`${args[i]} is no option; there are ${[...valued, ...flags].map((n) => '--' + n).join(', ')} and -v`);
  }
  if (!options.executable && !options.proxy) stop('--executable PATH or --proxy COMMAND is required');
  return options;
}

// ---- areas: a name, its case names, and how its runner is called

const folders = (dir) => fs.readdirSync(dir, { withFileTypes: true }).filter((e) => e.isDirectory());

function caseNames(area, dir) {
  return fs
    .readdirSync(dir, { withFileTypes: true })
    .filter((e) => (e.isDirectory() ? fs.existsSync(path.join(dir, e.name, 'case.json')) : e.name.endsWith('.json')))
    .map((e) => `${area}/${e.name.replace(/\.json$/, '')}`)
    .sort();
}

function allAreas() {
  const recorded = path.join(tests, 'Conformance/recorded');
  const pod = path.join(tests, 'Pod');
  const areas = folders(recorded).map((e) => ({
    name: e.name,
    runner: 'Conformance/run.mjs',
    root: recorded,
    prefix: '',
    cases: caseNames(e.name, path.join(recorded, e.name)),
  }));
  for (const e of folders(pod)) {
    const cases = caseNames('pod/' + e.name, path.join(pod, e.name));
    if (cases.length) areas.push({ name: 'pod/' + e.name, runner: 'Pod/run.mjs', root: pod, prefix: 'pod/', cases });
  }
  return areas.sort((a, b) => (a.name < b.name ? -1 : 1));
}

function chosenAreas(wanted) {
  const all = allAreas();
  if (!wanted.length) return all;
  for (const w of wanted)
    if (!all.some((a) => a.name === w || a.name.startsWith(w + '/')))
      stop(`there is no area ${w}; there are ${all.map((a) => a.name).join(', ')}`);
  return all.filter((a) => wanted.some((w) => a.name === w || a.name.startsWith(w + '/')));
}

// ---- what is known

const readBaseline = () => (fs.existsSync(baselineFile) ? JSON.parse(fs.readFileSync(baselineFile, 'utf8')) : {});

function readExceptions() {
  if (!fs.existsSync(exceptionsFile)) return new Set();
  const names = [...fs.readFileSync(exceptionsFile, 'utf8').matchAll(/^[-*] `([^`]+)`/gm)].map((m) => m[1]);
  const known = new Set(allAreas().flatMap((a) => a.cases));
  for (const n of names) if (!known.has(n)) stop(`exceptions.md names ${n}, and there is no such case: correct the name`);
  return new Set(names);
}

const expected = (baseline, area) => {
  const known = baseline[area.name] ?? [];
  return new Set(known === 'whole' ? area.cases : known);
};

// ---- running

// A folder as the runners expect one, with these cases alone: the runners themselves choose by one text.
function folderOf(area, names) {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'gate-'));
  for (const name of names) {
    const bare = name.slice(area.prefix.length);
    const folder = path.join(area.root, bare);
    if (fs.existsSync(folder)) fs.cpSync(folder, path.join(dir, bare), { recursive: true });
    else fs.cpSync(folder + '.json', path.join(dir, bare + '.json'));
  }
  // The cases behind redirects are read by another user.
  fs.chmodSync(dir, 0o755);
  return dir;
}

// Runs these cases of an area; gives { results: name -> passed, said: name -> [line], skipped: [line] }.
async function run(area, names, jobs, options, onCase) {
  const cases = folderOf(area, names);
  const out = path.join(cases, 'results');
  const args = [path.join(tests, area.runner), '--cases', cases, '--jobs', jobs, '--out', out, '-v'];
  args.push('--proxy', area.prefix ? options.podCommand : options.command);
  if (options['ready-ms'] && !area.prefix) args.push('--ready-ms', options['ready-ms']);
  const runner = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = new Promise((resolve) => runner.on('close', (code, signal) => resolve(signal ?? code)));
  const skipped = [];
  const said = new Map();
  let current = [];
  for await (const line of readline.createInterface({ input: runner.stdout })) {
    if (line.startsWith('  ')) current.push(line);
    else if (line.startsWith('skip ')) skipped.push(area.prefix + line.slice(5));
    else if (line.startsWith('FAIL ')) said.set(area.prefix + line.slice(5), (current = []));
    onCase?.(line);
  }
  const code = await ended;
  if (!fs.existsSync(out)) stop(`the runner of ${area.name} ended with ${code} and without results`);
  const results = new Map();
  for (const r of JSON.parse(fs.readFileSync(out, 'utf8'))) results.set(area.prefix + r.name, r.passed);
  fs.rmSync(cases, { recursive: true, force: true });
  return { results, said, skipped };
}

const terminal = process.stdout.isTTY;
function progress(text) {
  if (terminal) process.stdout.write('\r\x1b[K' + text);
}

// The first differences, and always the last line: what the proxy said when it did not start.
function show(title, lines, most) {
  console.log(title);
  for (const [i, l] of lines.entries()) if (i < most || l.startsWith('  proxy said:')) console.log(l);
}

async function runAgain(area, names, options) {
  const flaky = [];
  const lost = [];
  for (const [i, name] of names.entries()) {
    const again = i < MostRunAgain ? await run(area, [name], '1', options) : null;
    (again?.results.get(name) ? flaky : lost).push(name);
  }
  return { flaky, lost };
}

async function judge(area, baseline, exceptions, options) {
  const selected = area.cases.filter((n) => n.includes(options.only));
  if (!selected.length) return null;
  let done = 0;
  let bad = 0;
  const { results, said, skipped } = await run(area, selected, options.jobs, options, (line) => {
    if (/^(ok|FAIL|skip) /.test(line)) done++;
    if (line.startsWith('FAIL ')) bad++;
    progress(`${area.name}: ${done} of ${selected.length}, ${bad} differ`);
  });
  progress('');

  const must = expected(baseline, area);
  const failing = [...results].filter(([, ok]) => !ok).map(([n]) => n);
  const excepted = failing.filter((n) => exceptions.has(n));
  const suspects = failing.filter((n) => must.has(n) && !exceptions.has(n));
  const { flaky, lost } = await runAgain(area, suspects, options);
  const gaps = failing.filter((n) => !must.has(n) && !exceptions.has(n));
  const passing = [...results.keys()].filter((n) => results.get(n) || flaky.includes(n));
  const gained = passing.filter((n) => !must.has(n));

  const most = options.verbose ? 40 : 5;
  if (!options.quiet) for (const n of gaps) show('FAIL ' + n, said.get(n) ?? [], most);
  for (const n of lost) show('LOST ' + n, said.get(n) ?? [], most);
  for (const n of flaky) console.log(`flaky ${n}: failed among others, passed alone`);
  for (const line of skipped) console.log('skip ' + line);
  const skippedNames = new Set(skipped.map((l) => l.split(': ')[0]));
  const unheard = selected.filter((n) => !results.has(n) && !skippedNames.has(n));
  if (unheard.length) stop(`the runner said nothing of ${unheard[0]} (${unheard.length} such cases)`);
  return { area, selected, passing, gained, excepted, gaps, flaky, lost, skipped };
}

function line(v) {
  const notes = [];
  const whole = v.passing.length + v.excepted.length === v.area.cases.length;
  if (whole) notes.push('whole');
  if (v.gaps.length) notes.push(`known gaps ${v.gaps.length}`);
  if (v.lost.length) notes.push(`LOST ${v.lost.length}`);
  if (v.excepted.length) notes.push(`excepted ${v.excepted.length}`);
  if (v.flaky.length) notes.push(`flaky ${v.flaky.length}`);
  if (v.skipped.length) notes.push(`skipped ${v.skipped.length}`);
  if (v.gained.length) notes.push(`new ${v.gained.length}`);
  return `${v.area.name}: ${v.passing.length} of ${v.selected.length}${notes.length ? ` (${notes.join(', ')})` : ''}`;
}

// An area becomes whole when each of its cases passes or is excepted; until then its passing cases are named.
function updateBaseline(baseline, verdicts) {
  for (const { area, passing, excepted } of verdicts) {
    const names = new Set([...expected(baseline, area), ...passing].filter((n) => area.cases.includes(n)));
    const whole = area.cases.every((n) => names.has(n) || excepted.includes(n));
    baseline[area.name] = whole ? 'whole' : [...names].sort();
  }
  const sorted = Object.fromEntries(Object.entries(baseline).sort(([a], [b]) => (a < b ? -1 : 1)));
  fs.writeFileSync(baselineFile, JSON.stringify(sorted, null, 1) + '\n');
}

const options = parseArguments(process.argv.slice(2));
const areas = chosenAreas(options.areas);
const executable = options.executable && (reachable(options.executable) ?? stop(`there is no ${options.executable}: run ./mesh build`));
options.command =
  options.proxy ?? `${executable} -c {config} -l error --concurrency 1 --disable-hot-restart`;
options.podCommand = options.proxy ? options.proxy.split(/\s+/)[0] : executable;
const baseline = readBaseline();
const exceptions = readExceptions();
const verdicts = [];
for (const area of areas) {
  const verdict = await judge(area, baseline, exceptions, options);
  if (!verdict) continue;
  verdicts.push(verdict);
  if (options.quiet) console.log(line(verdict));
}
if (!verdicts.length) stop(`no case of ${areas.map((a) => a.name).join(', ')} has ${options.only} in its name`);
if (options['update-baseline']) updateBaseline(baseline, verdicts);

const sum = (key) => verdicts.reduce((n, v) => n + v[key].length, 0);
const [passed, lost] = [sum('passing'), sum('lost')];
if (!options.quiet) for (const v of verdicts) console.log(line(v));
console.log(
  `${passed} passed, ${sum('gaps') + lost} failed (known gaps ${sum('gaps')}, lost ${lost}), ` +
    `${sum('skipped')} skipped, ${sum('excepted')} excepted`,
);
if (sum('gained') && !options['update-baseline'])
  console.log(`${sum('gained')} cases pass that the baseline does not name: ./mesh conformance --update-baseline`);
if (options.counts)
  fs.writeFileSync(options.counts, `${passed} ${lost} ${sum('gaps') + sum('skipped') + sum('excepted')}\n`);
process.exit(lost ? 1 : 0);
