import { dashboard, graph, row, stat, variable } from './panels.mjs';

const pod = 'namespace=~"$namespace", pod=~"$pod"';
const rate = (metric, by, filter = '') => `sum by (${by}) (rate(${metric}{${pod}${filter}}[$__rate_interval]))`;
const sum = (metric, by) => `sum by (${by}) (${metric}{${pod}})`;
const byPod = '{{ namespace }}/{{ pod }}';
const byCluster = '{{ cluster_name }}';

export default () =>
  dashboard({
    uid: 'meshproxy-proxy', title: 'Proxy', description: 'The proxies themselves: resources, connections, clusters, configuration, certificates.',
    variables: [
      variable('namespace', 'Namespace', 'label_values(envoy_server_live, namespace)'),
      variable('pod', 'Pod', 'label_values(envoy_server_live{namespace=~"$namespace"}, pod)'),
    ],
  }, () => [
    row('Performance',
      stat('Proxies', 'none', `count(envoy_server_live{${pod}} == 1)`),
      stat('Memory, 95th percentile', 'bytes', `quantile(0.95, container_memory_working_set_bytes{container="istio-proxy", ${pod}})`),
      stat('CPU of all proxies', 'none', `sum(rate(container_cpu_usage_seconds_total{container="istio-proxy", ${pod}}[$__rate_interval]))`),
      stat('CPU per 1k requests', 's', `sum(rate(container_cpu_usage_seconds_total{container="istio-proxy", ${pod}}[$__rate_interval])) / (sum(rate(istio_requests_total{${pod}}[$__rate_interval])) / 1000)`),
      graph('vCPU Usage', 'none', [[`sum by (namespace, pod) (rate(container_cpu_usage_seconds_total{container="istio-proxy", ${pod}}[$__rate_interval]))`, byPod]]),
      graph('Memory Usage', 'bytes', [[`sum by (namespace, pod) (container_memory_working_set_bytes{container="istio-proxy", ${pod}})`, byPod]]),
      graph('CPU Throttled', 'percentunit', [[`sum by (namespace, pod) (rate(container_cpu_cfs_throttled_periods_total{container="istio-proxy", ${pod}}[$__rate_interval])) / sum by (namespace, pod) (rate(container_cpu_cfs_periods_total{container="istio-proxy", ${pod}}[$__rate_interval]))`, byPod]], { max: 1 }),
      graph('Bytes Transferred', 'Bps', [
        [rate('istio_response_bytes_sum', 'namespace, pod'), `${byPod} responses`],
        [rate('istio_request_bytes_sum', 'namespace, pod'), `${byPod} requests`],
      ])),
    row('Connections',
      graph('Downstream Connections', 'none', [[sum('envoy_listener_downstream_cx_active', 'namespace, pod'), byPod]]),
      graph('Downstream Requests in Progress', 'none', [[sum('envoy_http_downstream_rq_active', 'namespace, pod'), byPod]]),
      graph('Upstream Connections By Cluster', 'none', [[sum('envoy_cluster_upstream_cx_active', 'cluster_name'), byCluster]]),
      graph('Upstream Connect Failures and Time-outs', 'cps', [
        [rate('envoy_cluster_upstream_cx_connect_fail', 'cluster_name'), `${byCluster} failures`],
        [rate('envoy_cluster_upstream_cx_connect_timeout', 'cluster_name'), `${byCluster} time-outs`],
      ]),
      // Istio's bootstrap takes the class out of the name as `response_code_class`, "2xx", where Envoy by itself leaves `_xx` in it.
      graph('Upstream Requests By Class', 'reqps', [[rate('envoy_cluster_upstream_rq', 'cluster_name, response_code_class', ', response_code_class!=""'), `${byCluster} {{ response_code_class }}`]]),
      graph('Upstream Time-outs and Resets', 'reqps', [
        [rate('envoy_cluster_upstream_rq_timeout', 'cluster_name'), `${byCluster} time-outs`],
        [rate('envoy_cluster_upstream_rq_rx_reset', 'cluster_name'), `${byCluster} resets received`],
      ])),
    row('Resilience',
      graph('Retries', 'reqps', [
        [rate('envoy_cluster_upstream_rq_retry', 'cluster_name'), `${byCluster} tried again`],
        [rate('envoy_cluster_upstream_rq_retry_success', 'cluster_name'), `${byCluster} then succeeded`],
        [rate('envoy_cluster_upstream_rq_retry_overflow', 'cluster_name'), `${byCluster} beyond the budget`],
      ]),
      graph('Circuit Breakers Open', 'none', [
        [`max by (cluster_name) (envoy_cluster_circuit_breakers_default_cx_open{${pod}})`, `${byCluster} connections`],
        [`max by (cluster_name) (envoy_cluster_circuit_breakers_default_rq_pending_open{${pod}})`, `${byCluster} pending requests`],
        [`max by (cluster_name) (envoy_cluster_circuit_breakers_default_rq_open{${pod}})`, `${byCluster} requests`],
      ]),
      graph('Endpoints Healthy and Ejected', 'none', [
        [`min by (cluster_name) (envoy_cluster_membership_healthy{${pod}})`, `${byCluster} healthy`],
        [`max by (cluster_name) (envoy_cluster_outlier_detection_ejections_active{${pod}})`, `${byCluster} ejected`],
      ]),
      graph('Requests Refused For Overflow', 'reqps', [[rate('envoy_cluster_upstream_rq_pending_overflow', 'cluster_name'), byCluster]])),
    row('Configuration and Identity',
      graph('Resources Loaded', 'none', [
        [sum('envoy_cluster_manager_active_clusters', 'namespace, pod'), `${byPod} clusters`],
        [sum('envoy_listener_manager_total_listeners_active', 'namespace, pod'), `${byPod} listeners`],
      ]),
      graph('Configuration Refused', 'none', [
        [`sum by (namespace, pod) (increase(envoy_cluster_manager_cds_update_rejected{${pod}}[$__rate_interval]))`, `${byPod} clusters`],
        [`sum by (namespace, pod) (increase(envoy_listener_manager_lds_update_rejected{${pod}}[$__rate_interval]))`, `${byPod} listeners`],
      ]),
      // Istio's bootstrap keeps this of the connection, and not `control_plane.connected_state`.
      graph('Connected To The Control Plane', 'none', [[`clamp_max(min by (namespace, pod) (envoy_cluster_upstream_cx_active{cluster_name="xds-grpc", ${pod}}), 1)`, byPod]], { max: 1 }),
      graph('Certificate Valid For', 's', [[`min by (namespace, pod) (istio_agent_cert_expiry_seconds{${pod}})`, byPod]]),
      graph('DNS Requests Of The Agent', 'reqps', [
        [rate('istio_agent_dns_requests_total', 'namespace, pod'), `${byPod} requests`],
        [rate('istio_agent_dns_upstream_failures_total', 'namespace, pod'), `${byPod} upstream failures`],
      ]),
      graph('Scrape Failures', 'none', [[rate('istio_agent_scrape_failures_total', 'namespace, pod, type'), `${byPod} {{ type }}`]])),
  ]);
