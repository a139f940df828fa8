// The few kinds of panels that the dashboards are made of, in Grafana's JSON model (schema 39, Grafana 10 and later).
const source = { type: 'prometheus', uid: '${datasource}' };
let nextId;

// [expression, legend] pairs become targets A, B, C, ...
const targets = (queries, table) =>
  queries.map(([expr, legend], k) => ({
    refId: String.fromCharCode(65 + k),
    datasource: source,
    expr: expr.replace(/\s+/g, ' ').trim(),
    legendFormat: legend ?? '',
    ...(table ? { format: 'table', instant: true } : {}),
  }));

const panel = (type, title, unit, queries, more = {}) => ({
  id: nextId++,
  type,
  title,
  datasource: source,
  fieldConfig: { defaults: { unit, ...(more.max !== undefined ? { max: more.max } : {}), min: 0 }, overrides: more.overrides ?? [] },
  options: more.options ?? {},
  targets: targets(queries, type === 'table'),
  ...(more.description ? { description: more.description } : {}),
  ...(more.transformations ? { transformations: more.transformations } : {}),
});

export const stat = (title, unit, expr, more) =>
  panel('stat', title, unit, [[expr]], { ...more, options: { reduceOptions: { calcs: ['lastNotNull'] }, graphMode: 'area' } });
export const graph = (title, unit, queries, more) =>
  panel('timeseries', title, unit, queries, { ...more, options: { legend: { displayMode: 'list', placement: 'bottom' }, tooltip: { mode: 'multi', sort: 'desc' } } });

// One row a label's value, one column a query.
export const table = (title, columns) =>
  panel('table', title, 'none', columns.map(([, expr]) => [expr]), {
    transformations: [
      { id: 'merge', options: {} },
      { id: 'organize', options: { excludeByName: { Time: true }, renameByName: Object.fromEntries(columns.map(([name], k) => [`Value #${String.fromCharCode(65 + k)}`, name])) } },
    ],
    overrides: columns.map(([name, , unit]) => ({ matcher: { id: 'byName', options: name }, properties: [{ id: 'unit', value: unit }] })),
  });

export const row = (title, ...panels) => ({ title, panels });

// Lays panels out in rows of a row's own number of columns.
export function dashboard({ uid, title, description, variables = [] }, content) {
  nextId = 1;
  const panels = [];
  let y = 0;
  for (const { title: heading, panels: made } of content()) {
    panels.push({ id: nextId++, type: 'row', title: heading, collapsed: false, gridPos: { x: 0, y, w: 24, h: 1 }, panels: [] });
    y += 1;
    let x = 0;
    let tallest = 0;
    for (const p of made) {
      const [w, h] = p.type === 'stat' ? [6, 4] : p.type === 'table' ? [24, 10] : [12, 8];
      if (x + w > 24) {
        y += tallest;
        x = tallest = 0;
      }
      p.gridPos = { x, y, w, h };
      panels.push(p);
      x += w;
      tallest = Math.max(tallest, h);
    }
    y += tallest;
  }
  return {
    uid,
    title,
    description,
    tags: ['meshproxy', 'istio'],
    schemaVersion: 39,
    version: 1,
    editable: true,
    graphTooltip: 1,
    refresh: '1m',
    time: { from: 'now-30m', to: 'now' },
    timezone: '',
    templating: { list: [{ name: 'datasource', label: 'Data source', type: 'datasource', query: 'prometheus' }, ...variables] },
    annotations: { list: [] },
    links: [{ type: 'dashboards', tags: ['meshproxy'], title: 'Mesh', asDropdown: true }],
    panels,
  };
}

export const variable = (name, label, query, { multi = true } = {}) => ({
  name,
  label,
  type: 'query',
  datasource: source,
  query: { query, refId: 'V' },
  definition: query,
  refresh: 2,
  sort: 1,
  multi,
  includeAll: multi,
  ...(multi ? { current: { text: 'All', value: '$__all' }, allValue: '.*' } : {}),
});
export const reporter = {
  name: 'reporter',
  label: 'Reporter',
  type: 'custom',
  query: 'source,destination',
  multi: true,
  includeAll: true,
  allValue: 'source|destination',
  current: { text: 'destination', value: 'destination' },
  options: ['source', 'destination'].map((value) => ({ text: value, value, selected: value === 'destination' })),
};
