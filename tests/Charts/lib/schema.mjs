// values.schema.json from values.yaml: each value's comment says its type, `# -- (TYPE) MEANING`.
const choices = {
  platform: ['', 'openshift', 'gke', 'k3s', 'k3d', 'microk8s', 'minikube'],
  'image.pullPolicy': ['Always', 'IfNotPresent', 'Never'],
  'injector.failurePolicy': ['Fail', 'Ignore'],
  'injector.reinvocationPolicy': ['Never', 'IfNeeded'],
  'injector.certificate.mode': ['self', 'certManager', 'existingSecret'],
  'injector.service.type': ['ClusterIP', 'NodePort', 'LoadBalancer'],
  'injector.service.ipFamilyPolicy': ['SingleStack', 'PreferDualStack', 'RequireDualStack'],
  'proxy.nativeSidecar': ['auto', 'true', 'false'],
  'proxy.interceptionMode': ['REDIRECT', 'TPROXY', 'NONE'],
  'cni.provider': ['default', 'multus'],
  'cni.repair.mode': ['repair', 'delete', 'label'],
};
const ranges = {
  'injector.replicaCount': [0],
  'injector.timeoutSeconds': [1, 30],
  'injector.autoscaling.minReplicas': [1],
  'injector.autoscaling.maxReplicas': [1],
  'injector.autoscaling.targetCPUUtilizationPercentage': [1, 1000],
  'proxy.statusPort': [0, 65535],
  'proxy.startupProbe.failureThreshold': [1],
  'controlPlane.replicaCount': [0],
  'controlPlane.port': [1, 65535],
};
const patterns = { 'image.digest': '^(sha256:[0-9a-f]{64})?$', revision: '^[a-z0-9]?([-a-z0-9]*[a-z0-9])?$', 'metrics.podMonitor.interval': '^[0-9]+(ms|s|m|h)$' };
const types = { bool: 'boolean', int: 'integer', string: 'string', object: 'object', list: 'array' };

export function generate(text, chart) {
  const schema = { $schema: 'http://json-schema.org/draft-07/schema#', title: `Values of ${chart}`, type: 'object', additionalProperties: false, properties: {} };
  const stack = [{ indent: -1, node: schema, path: '' }];
  let comment = null;
  for (const line of text.split('\n')) {
    const said = /^\s*# -- \(([a-z,]+)\) (.*)$/.exec(line);
    if (said) {
      comment = { kinds: said[1].split(','), text: said[2] };
      continue;
    }
    const key = /^( *)([A-Za-z][A-Za-z0-9]*):/.exec(line);
    if (!key) continue;
    while (stack.at(-1).indent >= key[1].length) stack.pop();
    const parent = stack.at(-1);
    if (parent.free) continue;
    const name = parent.path ? `${parent.path}.${key[2]}` : key[2];
    const node = (parent.node.properties[key[2]] = comment ? leaf(name, comment) : { type: 'object', additionalProperties: false, properties: {} });
    stack.push({ indent: key[1].length, node, path: name, free: !!comment });
    comment = null;
  }
  return JSON.stringify(schema, null, 2) + '\n';
}

function leaf(name, { kinds, text }) {
  const kind = kinds.map((k) => types[k] ?? stop(`${name} has the unknown type ${k}`));
  const node = { description: text, type: kind.length > 1 ? kind : kind[0] };
  if (choices[name]) node.enum = choices[name];
  if (patterns[name]) node.pattern = patterns[name];
  if (ranges[name]) [node.minimum, node.maximum] = ranges[name];
  return node;
}

function stop(sentence) {
  throw new Error(`values.yaml: ${sentence}`);
}
