import { dashboard, graph, reporter, row, stat, variable } from './panels.mjs';
import { bytes, quantile, success, traffic, volume } from './queries.mjs';

const service = 'destination_service=~"$service"';
const peers = 'source_workload=~"$srcwl", source_workload_namespace=~"$srcns"';
const workloads = 'destination_workload=~"$dstwl", destination_workload_namespace=~"$dstns"';
const durations = (filter) => [0.5, 0.9, 0.99].map((q) => [quantile(q, 'istio_request_duration_milliseconds', filter), `P${q * 100}`]);

export default () =>
  dashboard({
    uid: 'meshproxy-service', title: 'Service', description: 'One service: who calls it and which workloads answer.',
    variables: [
      variable('service', 'Service', 'label_values(istio_requests_total, destination_service)', { multi: false }),
      reporter,
      variable('srcns', 'Client namespace', 'label_values(istio_requests_total{destination_service=~"$service"}, source_workload_namespace)'),
      variable('srcwl', 'Client workload', 'label_values(istio_requests_total{destination_service=~"$service", source_workload_namespace=~"$srcns"}, source_workload)'),
      variable('dstns', 'Service workload namespace', 'label_values(istio_requests_total{destination_service=~"$service"}, destination_workload_namespace)'),
      variable('dstwl', 'Service workload', 'label_values(istio_requests_total{destination_service=~"$service", destination_workload_namespace=~"$dstns"}, destination_workload)'),
    ],
  }, () => [
    row('General',
      stat('Client Request Volume', 'reqps', volume(`reporter="source", ${service}`)),
      stat('Client Success Rate (non-5xx responses)', 'percentunit', success(`reporter="source", ${service}`), { max: 1 }),
      stat('Server Request Volume', 'reqps', volume(`reporter="destination", ${service}`)),
      stat('Server Success Rate (non-5xx responses)', 'percentunit', success(`reporter="destination", ${service}`), { max: 1 }),
      graph('Client Request Duration', 'ms', durations(`reporter="source", ${service}`)),
      graph('Server Request Duration', 'ms', durations(`reporter="destination", ${service}`)),
      stat('TCP Received Bytes', 'Bps', bytes('istio_tcp_received_bytes_total', `reporter=~"$reporter", ${service}`)),
      stat('TCP Sent Bytes', 'Bps', bytes('istio_tcp_sent_bytes_total', `reporter=~"$reporter", ${service}`))),
    row('Client Workloads', ...traffic('Incoming', `reporter=~"$reporter", ${service}, ${peers}`, 'source_workload, source_workload_namespace',
      { title: 'Source', text: '{{ source_workload }}.{{ source_workload_namespace }}' })),
    row('Service Workloads', ...traffic('Incoming', `reporter=~"$reporter", ${service}, ${workloads}`, 'destination_workload, destination_workload_namespace',
      { title: 'Destination Workload', text: '{{ destination_workload }}.{{ destination_workload_namespace }}' })),
  ]);
