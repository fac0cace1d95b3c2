"""Writes the dashboards of this folder from the lists below: `python deploy/grafana/write.py`.

Grafana's own JSON is long and says the same things over and over; a panel here is a title, a unit and its queries.
"""

import json
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent / "dashboards"
CASE = 'case="$case"'
RATE = "[$__rate_interval]"

Query = tuple[str, str]
Panel = tuple[str, str, list[Query]]
"""Title, unit as Grafana calls it, and queries with their legends."""


def quantiles(name: str) -> list[Query]:
    """Return three quantiles of a histogram."""
    inner = f"sum by (le) (rate({name}_bucket{RATE}))"
    return [(f"histogram_quantile({share}, {inner})", f"{share:.0%}") for share in (0.5, 0.95, 0.99)]


def performance(metric: str) -> list[Query]:
    """Return a metric on late labels, as estimated, and on the test rows, with the ends of the interval of the first."""
    at = f"gristmill_performance{{{CASE},{metric}"
    kinds = [(f'{at},rows="{rows}",bound="value"}}', rows) for rows in ("online", "estimate", "offline")]
    ends = [(f'{at},rows="online",bound="{end}"}}', f"online, {end}") for end in ("low", "high")]
    return kinds + ends


DASHBOARDS: dict[str, tuple[str, list[Panel]]] = {
    "training": (
        "Training",
        [
            (
                "Hours since the last build",
                "h",
                [(f"(time() - gristmill_training_finished_timestamp_seconds{{{CASE}}}) / 3600", "hours")],
            ),
            ("Rows", "short", [(f"gristmill_training_rows{{{CASE}}}", "rows")]),
            ("Features", "short", [(f"gristmill_training_features{{{CASE}}}", "features")]),
            ("Gates not passed", "short", [(f"gristmill_training_gates_failed{{{CASE}}}", "gates")]),
            ("Metrics on the test rows", "short", [(f'gristmill_training_metric{{{CASE},bound="value"}}', "{{metric}}")]),
            (
                "Duration of the last build",
                "s",
                [
                    (f"gristmill_training_build_seconds{{{CASE}}}", "from start to end"),
                    (f"gristmill_training_build_cpu_seconds{{{CASE}}}", "of processors"),
                ],
            ),
            ("Duration, by stage", "s", [(f"gristmill_training_stage_seconds{{{CASE}}}", "{{stage}}")]),
            ("Processor time, by stage", "s", [(f"gristmill_training_stage_cpu_seconds{{{CASE}}}", "{{stage}}")]),
            (
                "Most memory, by stage",
                "bytes",
                [(f"gristmill_training_stage_peak_memory_bytes{{{CASE}}}", "{{stage}}")],
            ),
            ("GPUs of the machine that built", "short", [(f"gristmill_training_gpu_info{{{CASE}}}", "{{gpu}}")]),
            ("Most memory of GPUs, last build", "bytes", [(f"gristmill_training_build_gpu_peak_memory_bytes{{{CASE}}}", "in use")]),
            ("Seconds of search, by family", "s", [(f"gristmill_training_seconds{{{CASE}}}", "{{family}}")]),
            ("Trials, by family", "short", [(f"gristmill_training_trials{{{CASE}}}", "{{family}}")]),
            ("Most memory of a trial, by family", "bytes", [(f"gristmill_training_peak_memory_bytes{{{CASE}}}", "{{family}}")]),
        ],
    ),
    "serving": (
        "Serving",
        [
            ("Instances up", "short", [('sum(up{job="gristmill-service"})', "up")]),
            (
                "Predictions a second, by version",
                "short",
                [(f"sum by (model_version) (rate(ml_predictions_total{RATE}))", "{{model_version}}")],
            ),
            ("Answer time of predictions", "s", quantiles("ml_prediction_latency_seconds")),
            ("Requests a second, by status", "short", [(f"sum by (status) (rate(gristmill_requests_total{RATE}))", "{{status}}")]),
            (
                "Share of requests that failed",
                "percentunit",
                [
                    (
                        f'(sum(rate(gristmill_requests_total{{status=~"5.."}}{RATE})) or vector(0)) / '
                        f"sum(rate(gristmill_requests_total{RATE}))",
                        "failed",
                    )
                ],
            ),
            ("Errors a second, by kind", "short", [(f"sum by (kind) (rate(gristmill_errors_total{RATE}))", "{{kind}}")]),
            (
                "Predicted classes",
                "short",
                [(f"sum by (prediction_class) (rate(ml_predictions_total{RATE}))", "{{prediction_class}}")],
            ),
            ("Confidence", "percentunit", quantiles("ml_prediction_confidence")),
            ("Rows predicted together", "short", quantiles("gristmill_batch_rows")),
            (
                "Waiting",
                "short",
                [
                    ("sum(gristmill_queue_rows)", "rows to be predicted"),
                    ("sum(gristmill_log_lag_records)", "predictions to be logged"),
                    ("sum(gristmill_requests_in_progress)", "requests in progress"),
                ],
            ),
            (
                "Share found in the cache",
                "percentunit",
                [
                    (
                        f'(sum(rate(gristmill_cache_lookups_total{{outcome="hit"}}{RATE})) or vector(0)) / '
                        f"sum(rate(gristmill_cache_lookups_total{RATE}))",
                        "hits",
                    )
                ],
            ),
            (
                "Workers by version and role",
                "short",
                [("sum by (model_version, role) (gristmill_model_info)", "{{model_version}} {{role}}")],
            ),
            ("Performance: primary metric", "short", performance('metric=~"$metric"')),
        ],
    ),
    "data_quality": (
        "Data quality",
        [
            ("Largest Kullback-Leibler divergence", "short", [(f'max(gristmill_drift{{{CASE},measure="kl"}})', "KL")]),
            (
                "Drift by column (KL), the ten largest",
                "short",
                [(f'topk(10, gristmill_drift{{{CASE},measure="kl"}})', "{{column}}")],
            ),
            (
                "Drift by column (PSI), the ten largest",
                "short",
                [(f'topk(10, gristmill_drift{{{CASE},measure="psi"}})', "{{column}}")],
            ),
            (
                "Missing values, by column",
                "percentunit",
                [(f'topk(10, gristmill_data_quality{{{CASE},measure="missing_share"}})', "{{column}}")],
            ),
            (
                "Other quality, by column",
                "short",
                [(f'topk(10, gristmill_data_quality{{{CASE},measure!="missing_share"}})', "{{column}} {{measure}}")],
            ),
            (
                "Rows answered with a warning, a second",
                "short",
                [(f"sum by (kind) (rate(gristmill_rows_flagged_total{RATE}))", "{{kind}}")],
            ),
            ("Share of mature predictions with a label", "percentunit", [(f"gristmill_label_share{{{CASE}}}", "with a label")]),
            (
                "Mature predictions",
                "short",
                [(f"gristmill_mature_predictions{{{CASE}}}", "predictions"), (f"gristmill_mature_labels{{{CASE}}}", "labels")],
            ),
            ("Disparity on late labels", "short", [(f"gristmill_fairness{{{CASE}}}", "{{feature}} {{measure}}")]),
            (
                "Hours since this was measured",
                "h",
                [(f"(time() - gristmill_monitoring_last_run_timestamp_seconds{{{CASE}}}) / 3600", "{{part}}")],
            ),
        ],
    ),
    "infrastructure": (
        "Infrastructure",
        [
            ("Processors of the machine", "percentunit", [("gristmill_machine_cpu_share", "in use")]),
            ("Memory of the machine", "percentunit", [("gristmill_machine_memory_share", "in use")]),
            ("Disk of the project", "percentunit", [("gristmill_machine_disk_share", "in use")]),
            ("GPU memory", "percentunit", [("gristmill_gpu_memory_share", "GPU {{gpu}}")]),
            (
                "Processors of the service",
                "short",
                [(f'rate(process_cpu_seconds_total{{job="gristmill-service"}}{RATE})', "cores")],
            ),
            ("Memory of the service", "bytes", [('process_resident_memory_bytes{job="gristmill-service"}', "resident")]),
            ("Open files of the service", "short", [('process_open_fds{job="gristmill-service"}', "open")]),
            ("Workers", "short", [("sum(gristmill_workers)", "workers")]),
            (
                "Hours since the service began",
                "h",
                [('(time() - process_start_time_seconds{job="gristmill-service"}) / 3600', "hours")],
            ),
        ],
    ),
    "cost": (
        "Cost and value",
        [
            (
                "Cost of processors, an hour",
                "short",
                [
                    (
                        f'sum(rate(process_cpu_seconds_total{{job="gristmill-service"}}{RATE})) * $core_hour',
                        "at the price of a core hour above",
                    )
                ],
            ),
            (
                "Cost of a million predictions",
                "short",
                [
                    (
                        f'sum(rate(process_cpu_seconds_total{{job="gristmill-service"}}{RATE})) * $core_hour / 3600 / '
                        f"sum(rate(ml_predictions_total{RATE})) * 1e6",
                        "processors alone",
                    )
                ],
            ),
            ("Cost of the last search", "short", [(f"sum(gristmill_training_seconds{{{CASE}}}) / 3600 * $core_hour", "search")]),
            (
                "What a decision was worth",
                "short",
                [(f'gristmill_business_value{{{CASE},against="value",bound="{end}"}}', end) for end in ("value", "low", "high")],
            ),
            (
                "Beyond acting on everyone, and on nobody",
                "short",
                [(f'gristmill_business_value{{{CASE},against=~"over.*",bound="value"}}', "{{against}}")],
            ),
            ("What the last week's decisions were worth", "short", [(f'gristmill_business_week{{{CASE},bound="value"}}', "week")]),
        ],
    ),
}

VARIABLES: dict[str, dict[str, Any]] = {
    "case": {"type": "query", "query": "label_values(gristmill_training_rows, case)", "refresh": 2},
    "metric": {"type": "query", "query": "label_values(gristmill_performance_drop, metric)", "refresh": 2},
    "core_hour": {"type": "textbox", "query": "0.05", "label": "Price of a core hour"},
}
SOURCE = {"type": "prometheus", "uid": "gristmill"}


CUSTOM = {"fillOpacity": 5, "showPoints": "auto"}


def said_of_nothing(title: str) -> dict[str, str]:
    """Return what a panel says where there is no data: of a machine without a GPU that there is none, else Grafana's own words."""
    return {"noValue": "none"} if "GPU" in title else {}


def panel(number: int, one: Panel) -> dict[str, Any]:
    """Return a panel as Grafana has it, two in a row."""
    title, unit, queries = one
    return {
        "id": number + 1,
        "type": "timeseries",
        "title": title,
        "datasource": SOURCE,
        "gridPos": {"h": 8, "w": 12, "x": 12 * (number % 2), "y": 8 * (number // 2)},
        "fieldConfig": {"defaults": {"unit": unit, **said_of_nothing(title), "custom": CUSTOM}, "overrides": []},
        "options": {"legend": {"displayMode": "list", "placement": "bottom"}, "tooltip": {"mode": "multi"}},
        "targets": [
            {"refId": chr(ord("A") + place), "expr": expression, "legendFormat": legend, "datasource": SOURCE}
            for place, (expression, legend) in enumerate(queries)
        ],
    }


def dashboard(name: str) -> dict[str, Any]:
    """Return a dashboard as Grafana has it."""
    title, panels = DASHBOARDS[name]
    used = json.dumps(panels)
    variables = [
        {"name": variable, **content, **({"datasource": SOURCE} if content["type"] == "query" else {})}
        for variable, content in VARIABLES.items()
        if f"${variable}" in used
    ]
    return {
        "uid": f"gristmill-{name.replace('_', '-')}",
        "title": f"Gristmill: {title}",
        "tags": ["gristmill"],
        "timezone": "utc",
        "schemaVersion": 38,
        "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "templating": {"list": variables},
        "panels": [panel(number, one) for number, one in enumerate(panels)],
    }


def text(name: str) -> str:
    """Return the file of a dashboard."""
    return json.dumps(dashboard(name), indent=1) + "\n"


if __name__ == "__main__":
    for known in DASHBOARDS:
        (FOLDER / f"{known}.json").write_text(text(known), encoding="utf-8")
