import { dashboard, graph, reporter, row, stat, variable } from './panels.mjs';
import { bytes, quantile, success, traffic, volume } from './queries.mjs';

const destination = 'destination_workload=~"$workload", destination_workload_namespace=~"$namespace"';
const source = 'source_workload=~"$workload", source_workload_namespace=~"$namespace"';

export default () =>
  dashboard({
    uid: 'meshproxy-workload', title: 'Workload', description: 'One workload: what it answers and what it calls.',
    variables: [
      variable('namespace', 'Namespace', 'query_result(sum by (destination_workload_namespace) (istio_requests_total))', { multi: false }),
      variable('workload', 'Workload', 'label_values(istio_requests_total{destination_workload_namespace=~"$namespace"}, destination_workload)', { multi: false }),
      reporter,
      variable('srcns', 'Inbound workload namespace', `label_values(istio_requests_total{${destination}}, source_workload_namespace)`),
      variable('srcwl', 'Inbound workload', `label_values(istio_requests_total{${destination}, source_workload_namespace=~"$srcns"}, source_workload)`),
      variable('dstsvc', 'Destination service', `label_values(istio_requests_total{${source}}, destination_service)`),
    ],
  }, () => [
    row('General',
      stat('Incoming Request Volume', 'reqps', volume(`reporter=~"$reporter", ${destination}`)),
      stat('Incoming Success Rate (non-5xx responses)', 'percentunit', success(`reporter=~"$reporter", ${destination}`), { max: 1 }),
      stat('TCP Server Traffic', 'Bps', `${bytes('istio_tcp_sent_bytes_total', `reporter=~"$reporter", ${destination}`)} + ${bytes('istio_tcp_received_bytes_total', `reporter=~"$reporter", ${destination}`)}`),
      stat('TCP Client Traffic', 'Bps', `${bytes('istio_tcp_sent_bytes_total', `reporter=~"$reporter", ${source}`)} + ${bytes('istio_tcp_received_bytes_total', `reporter=~"$reporter", ${source}`)}`),
      graph('Request Duration', 'ms', [0.5, 0.9, 0.99].map((q) => [quantile(q, 'istio_request_duration_milliseconds', `reporter=~"$reporter", ${destination}`), `P${q * 100}`]))),
    row('Inbound Workloads', ...traffic('Incoming', `reporter=~"$reporter", ${destination}, source_workload=~"$srcwl", source_workload_namespace=~"$srcns"`,
      'source_workload, source_workload_namespace', { title: 'Source', text: '{{ source_workload }}.{{ source_workload_namespace }}' })),
    row('Outbound Services', ...traffic('Outgoing', `reporter="source", ${source}, destination_service=~"$dstsvc"`, 'destination_service',
      { title: 'Destination', text: '{{ destination_service }}' })),
  ]);
