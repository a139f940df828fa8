// Reads Prometheus' text form into [{ name, labels, value }].
export function parse(text) {
  const samples = [];
  for (const line of text.split('\n')) {
    if (!line || line[0] === '#') continue;
    const [, name, inside, value] = /^([A-Za-z_:][\w:]*)(?:\{(.*)\})? (\S+)$/.exec(line) ?? [];
    if (!name) throw new Error(`no sample: ${line}`);
    const labels = {};
    for (const [, key, quoted] of (inside ?? '').matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)) labels[key] = quoted.replace(/\\(.)/g, (_, c) => (c === 'n' ? '\n' : c));
    samples.push({ name, labels, value: Number(value) });
  }
  return samples;
}

export const of = (samples, name, wanted = {}) =>
  samples.filter((s) => s.name === name && Object.entries(wanted).every(([k, v]) => s.labels[k] === v));
