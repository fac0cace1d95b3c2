"""Names of what an alert may watch, with the words for each."""

ALERT_SIGNALS: dict[str, str] = {
    "instances_up": "instances of the service that answer Prometheus",
    "latency_p95_ms": "95th percentile of the answer time for predictions, in milliseconds",
    "error_share": "share of the requests that the service failed to answer (status 500 and above)",
    "refused_share": "share of the requests that were refused because of load (status 429 and 503)",
    "log_lag_records": "predictions that wait to be in the log",
    "metric_drop": "relative drop of the primary metric on late labels against the test rows; 0 unless the intervals lie apart",
    "estimated_drop": "relative drop of the primary metric as estimated before labels come; 0 unless the intervals lie apart",
    "label_share": "share of the mature predictions whose label is known",
    "drift_kl": "largest Kullback-Leibler divergence of a column from the training rows, in nats",
    "fairness_limits_broken": "fairness limits of the case that are broken on late labels",
    "monitoring_age_hours": "hours since the watching of the model last ran",
    "cpu_share": "share of the machine's processors in use",
    "memory_share": "share of the machine's memory in use",
    "disk_share": "share of the disk of the project in use",
    "gpu_memory_share": "share of the memory of the fullest GPU in use",
}
"""Signal -> what it is. How each is read from Prometheus is in :mod:`gristmill.monitoring.alerts.signals`."""
