import { dashboard, graph, row, stat, variable } from './panels.mjs';

const pod = 'pod=~"$pod"';
const rate = (metric, by, filter = pod) => `sum by (${by}) (rate(${metric}{${filter}}[$__rate_interval]))`;

export default () =>
  dashboard({
    uid: 'meshproxy-control-plane', title: 'Control Plane', description: 'istiod and the injection webhook: pushes, errors, injection, resources.',
    variables: [variable('pod', 'istiod pod', 'label_values(istio_build{component="pilot"}, pod)')],
  }, () => [
    row('Deployed Versions',
      graph('Pilot Versions', 'none', [['sum by (tag) (istio_build{component="pilot"})', '{{ tag }}']]),
      stat('Connected Proxies', 'none', `sum(pilot_xds{${pod}})`)),
    row('Resource Usage',
      graph('Memory', 'bytes', [
        [`sum by (pod) (container_memory_working_set_bytes{container="discovery", ${pod}})`, '{{ pod }} container'],
        [`process_resident_memory_bytes{app="istiod", ${pod}}`, '{{ pod }} resident'],
        [`go_memstats_heap_inuse_bytes{app="istiod", ${pod}}`, '{{ pod }} heap in use'],
      ]),
      graph('CPU', 'none', [
        [`sum by (pod) (rate(container_cpu_usage_seconds_total{container="discovery", ${pod}}[$__rate_interval]))`, '{{ pod }} container'],
        [`rate(process_cpu_seconds_total{app="istiod", ${pod}}[$__rate_interval])`, '{{ pod }} process'],
      ]),
      graph('Goroutines', 'none', [[`go_goroutines{app="istiod", ${pod}}`, '{{ pod }}']]),
      graph('Disk', 'bytes', [[`sum by (pod) (container_fs_usage_bytes{container="discovery", ${pod}})`, '{{ pod }}']])),
    row('Push Information',
      graph('XDS Active Connections', 'none', [[`pilot_xds{${pod}}`, '{{ pod }}']]),
      graph('XDS Pushes', 'ops', [[rate('pilot_xds_pushes', 'type'), '{{ type }}']]),
      graph('Events', 'ops', [
        [rate('pilot_k8s_reg_events', 'type, event'), '{{ event }} {{ type }}'],
        [rate('pilot_k8s_cfg_events', 'type, event'), '{{ event }} {{ type }}'],
        [rate('pilot_push_triggers', 'type'), 'push {{ type }}'],
      ]),
      graph('Proxy Push Time', 's', [0.5, 0.9, 0.99, 0.999].map((q) => [`histogram_quantile(${q}, ${rate('pilot_proxy_convergence_time_bucket', 'le')})`, `P${q * 100}`])),
      graph('Push Size', 'bytes', [[`histogram_quantile(0.99, ${rate('pilot_xds_config_size_bytes_bucket', 'type, le')})`, '{{ type }} P99']]),
      graph('Pilot Errors', 'ops', [
        [`sum(pilot_xds_cds_reject{${pod}})`, 'rejected CDS'],
        [`sum(pilot_xds_eds_reject{${pod}})`, 'rejected EDS'],
        [`sum(pilot_xds_lds_reject{${pod}})`, 'rejected LDS'],
        [`sum(pilot_xds_rds_reject{${pod}})`, 'rejected RDS'],
        [rate('pilot_xds_write_timeout', 'type'), 'write time-outs'],
        [rate('pilot_xds_push_context_errors', 'pod'), 'push context errors'],
        [rate('pilot_total_xds_internal_errors', 'pod'), 'internal errors'],
        [rate('pilot_total_xds_rejects', 'type'), 'rejects {{ type }}'],
      ]),
      graph('Conflicts', 'none', [
        [`pilot_conflict_inbound_listener{${pod}}`, 'inbound listeners'],
        [`pilot_conflict_outbound_listener_tcp_over_current_tcp{${pod}}`, 'outbound TCP over TCP'],
        [`pilot_duplicate_envoy_clusters{${pod}}`, 'duplicate clusters'],
      ]),
      graph('Certificates Issued', 'ops', [
        [rate('citadel_server_csr_count', 'pod'), 'requests'],
        [rate('citadel_server_success_cert_issuance_count', 'pod'), 'issued'],
        [rate('citadel_server_csr_parsing_err_count', 'pod'), 'not understood'],
      ])),
    row('Webhooks',
      graph('Configuration Validation', 'ops', [
        [rate('galley_validation_passed', 'group, version, resource'), 'passed {{ resource }}'],
        [rate('galley_validation_failed', 'group, version, resource'), 'failed {{ resource }}'],
      ]),
      graph('Sidecar Injection', 'ops', [
        ['sum(rate(sidecar_injection_success_total[$__rate_interval]))', 'injected'],
        ['sum(rate(sidecar_injection_skip_total[$__rate_interval]))', 'let through'],
        ['sum(rate(sidecar_injection_failure_total[$__rate_interval]))', 'refused'],
      ]),
      graph('Sidecar Injection Time', 's', [0.5, 0.99].map((q) => [`histogram_quantile(${q}, sum by (le) (rate(sidecar_injection_time_seconds_bucket[$__rate_interval])))`, `P${q * 100}`])),
      stat('Injector Certificate Valid For', 's', 'min(webhook_certificate_expiry_timestamp_seconds) - time()')),
  ]);
