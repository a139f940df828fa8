import { dashboard, graph, row, stat, table } from './panels.mjs';
import { quantile, rate, success, volume } from './queries.mjs';

const destination = 'reporter=~"source|waypoint"';
const workload = 'destination_workload, destination_workload_namespace, destination_service';

export default () =>
  dashboard({ uid: 'meshproxy-mesh', title: 'Mesh', description: 'The whole mesh: traffic, success, workloads and versions.' }, () => [
    row('Global Traffic',
      stat('Traffic Volume', 'reqps', volume(destination)),
      stat('Success Rate', 'percentunit', success(destination), { max: 1 }),
      stat('4xxs', 'reqps', volume(`${destination}, response_code=~"4.*"`)),
      stat('5xxs', 'reqps', volume(`${destination}, response_code=~"5.*"`)),
      table('HTTP/gRPC Workloads', [
        ['Requests', rate('istio_requests_total', destination, workload), 'reqps'],
        ['P50 Latency', quantile(0.5, 'istio_request_duration_milliseconds', destination, workload), 'ms'],
        ['P90 Latency', quantile(0.9, 'istio_request_duration_milliseconds', destination, workload), 'ms'],
        ['P99 Latency', quantile(0.99, 'istio_request_duration_milliseconds', destination, workload), 'ms'],
        ['Success Rate', `${rate('istio_requests_total', `${destination}, response_code!~"5.*"`, workload)} / ${rate('istio_requests_total', destination, workload)}`, 'percentunit'],
      ]),
      table('TCP Services', [
        ['Bytes Received', rate('istio_tcp_received_bytes_total', destination, workload), 'Bps'],
        ['Bytes Sent', rate('istio_tcp_sent_bytes_total', destination, workload), 'Bps'],
      ])),
    row('Component Versions',
      graph('Component Versions', 'none', [['sum by (component, tag) (istio_build)', '{{ component }}: {{ tag }}']]),
      graph('mTLS Share of Requests', 'percentunit', [
        ['sum(rate(istio_requests_total{reporter="destination", connection_security_policy="mutual_tls"}[$__rate_interval])) / sum(rate(istio_requests_total{reporter="destination"}[$__rate_interval]))', 'mutual TLS'],
      ], { max: 1 })),
  ]);
