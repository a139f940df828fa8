// Validates an object against Kubernetes' own schemas: types and required fields by the validators of kubernetes-models, names of
// fields by its type declarations, because an unknown field is what the API server would drop without a word.
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const modules = path.join(path.dirname(fileURLToPath(import.meta.url)), '../node_modules');
const packages = {
  'monitoring.coreos.com': '@kubernetes-models/prometheus-operator',
  'cert-manager.io': '@kubernetes-models/cert-manager',
};
// Kinds of others, of which no schema is at hand.
const unknown = new Set(['k8s.cni.cncf.io/v1 NetworkAttachmentDefinition']);
const root = (name) => path.join(modules, name);

function home(apiVersion) {
  const group = apiVersion.includes('/') ? apiVersion.split('/')[0] : '';
  const name = packages[group];
  if (name) return { name, folder: path.join(root(name), apiVersion) };
  return { name: 'kubernetes-models', folder: path.join(root('kubernetes-models'), apiVersion) };
}

export async function problems(object) {
  const title = `${object.apiVersion} ${object.kind}`;
  if (unknown.has(title)) return [];
  const { folder } = home(object.apiVersion);
  const file = path.join(folder, object.kind);
  if (!fs.existsSync(file + '.js')) return [`${title}: there is no such kind`];
  const model = (await import(file + '.js'))[object.kind];
  const found = [];
  try {
    new model(object).validate();
  } catch (e) {
    found.push(e.message);
  }
  strangers(object, file + '.d.ts', '', found);
  return found.map((p) => `${title} ${object.metadata?.name}: ${p}`);
}

const declarations = new Map();
function declaration(file) {
  if (!declarations.has(file)) declarations.set(file, parse(fs.readFileSync(file, 'utf8'), file));
  return declarations.get(file);
}

// The first interface of a file is its type; its fields are lines of `"name"?: Type;` at one level of indentation.
function parse(text, file) {
  const imports = new Map([...text.matchAll(/import \{ (\w+) \} from "([^"]+)"/g)].map((m) => [m[1], m[2]]));
  const body = /export interface \w+[^{]*\{\n([\s\S]*?)\n\}/.exec(text)?.[1];
  if (!body) return null;
  const fields = new Map([...body.matchAll(/^ {4}"([^"]+)"\??: (.*)$/gm)].map((m) => [m[1], m[2]]));
  const resolve = (type) => {
    const from = imports.get(type);
    if (!from) return null;
    const target = from.startsWith('.') ? path.resolve(path.dirname(file), from) : path.join(root('@kubernetes-models/apimachinery'), from.replace('@kubernetes-models/apimachinery', ''));
    const declared = target.replace(/\.js$/, '') + '.d.ts';
    return fs.existsSync(declared) ? declared : null;
  };
  return { fields, resolve };
}

function strangers(value, file, at, found) {
  const type = declaration(file);
  if (!type || typeof value !== 'object' || value === null) return;
  for (const [name, child] of Object.entries(value)) {
    if (!type.fields.has(name)) {
      found.push(`${at}/${name}: there is no such field`);
      continue;
    }
    const declared = /^(?:Array<)?(\w+)>?;/.exec(type.fields.get(name))?.[1];
    const target = declared && type.resolve(declared);
    if (!target) continue;
    for (const [k, member] of (Array.isArray(child) ? child : [child]).entries()) strangers(member, target, `${at}/${name}${Array.isArray(child) ? `/${k}` : ''}`, found);
  }
}
