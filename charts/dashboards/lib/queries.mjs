// The sets of panels that several dashboards share: requests and TCP, by whatever labels.
import { graph } from './panels.mjs';

export const rate = (metric, filter, by) => `sum by (${by}) (rate(${metric}{${filter}}[$__rate_interval]))`;
const total = (metric, filter) => `sum(rate(${metric}{${filter}}[$__rate_interval]))`;

export const volume = (filter) => total('istio_requests_total', filter);
export const success = (filter) =>
  `sum(rate(istio_requests_total{${filter}, response_code!~"5.*"}[$__rate_interval])) / ${volume(filter)}`;
export const bytes = (metric, filter) => total(metric, filter);
export const quantile = (q, metric, filter, by) =>
  `histogram_quantile(${q}, ${rate(`${metric}_bucket`, filter, by ? `${by}, le` : 'le')})`;

const quantiles = (metric, filter, by, legend) =>
  [0.5, 0.9, 0.95, 0.99].map((q) => [quantile(q, metric, filter, by), `${legend} P${q * 100}`]);

// Both kinds of transport, as Istio's dashboards mark them.
const lock = (filter, by, legend, query) => [
  [query(`connection_security_policy="mutual_tls", ${filter}`, by), `${legend} 🔐mTLS`],
  [query(`connection_security_policy!="mutual_tls", ${filter}`, by), legend],
];

/// Incoming (or outgoing) requests and TCP of one side, by its peer.
export const traffic = (what, filter, by, legend) => [
  graph(`${what} Requests By ${legend.title} And Response Code`, 'reqps',
    lock(filter, `${by}, response_code`, `${legend.text} : {{ response_code }}`, (f, b) => rate('istio_requests_total', f, b))),
  graph(`${what} Success Rate (non-5xx responses) By ${legend.title}`, 'percentunit',
    lock(filter, by, legend.text, (f, b) => `${rate('istio_requests_total', `${f}, response_code!~"5.*"`, b)} / ${rate('istio_requests_total', f, b)}`), { max: 1 }),
  graph(`${what} Request Duration By ${legend.title}`, 'ms', quantiles('istio_request_duration_milliseconds', filter, by, legend.text)),
  graph(`${what} Request Size By ${legend.title}`, 'decbytes', quantiles('istio_request_bytes', filter, by, legend.text)),
  graph(`${what} Response Size By ${legend.title}`, 'decbytes', quantiles('istio_response_bytes', filter, by, legend.text)),
  graph(`Bytes Received from ${what} TCP Connection`, 'Bps',
    lock(filter, by, legend.text, (f, b) => rate('istio_tcp_received_bytes_total', f, b))),
  graph(`Bytes Sent to ${what} TCP Connection`, 'Bps',
    lock(filter, by, legend.text, (f, b) => rate('istio_tcp_sent_bytes_total', f, b))),
  graph(`${what} TCP Connections Opened and Closed`, 'cps', [
    [rate('istio_tcp_connections_opened_total', filter, by), `${legend.text} opened`],
    [rate('istio_tcp_connections_closed_total', filter, by), `${legend.text} closed`],
  ]),
  graph(`${what} gRPC Messages By ${legend.title}`, 'mps', [
    [rate('istio_request_messages_total', filter, by), `${legend.text} requests`],
    [rate('istio_response_messages_total', filter, by), `${legend.text} responses`],
  ]),
  graph(`${what} Failures By Response Flag`, 'reqps',
    [[rate('istio_requests_total', `${filter}, response_flags!="-"`, `${by}, response_flags`), `${legend.text} : {{ response_flags }}`]]),
];
