"""The page of a case's builds: history, differences between any two, and a summary of each."""

import json
from collections.abc import Sequence
from typing import Any

from markupsafe import Markup

from gristmill.reporting.builds.chart import MOST_DRAWN, draw_history
from gristmill.reporting.builds.differences import differences, for_script
from gristmill.reporting.builds.facts import build_label, code_words, kinds_changed, metric_names, short_digest
from gristmill.reporting.builds.history import MOST_BUILDS, Entry
from gristmill.reporting.templating import render, style_sheet
from gristmill.reporting.wording import count, figure, interval, metric_label, share

_PARTS = ("train", "validation", "test", "baseline")
_MOST_CHARTS = 4
_HEADLINE = {
    "binary": ("roc_auc", "pr_auc", "f1", "brier", "log_loss"),
    "multiclass": ("log_loss", "accuracy", "f1", "roc_auc"),
    "regression": ("rmse", "mae", "r2", "mape"),
}


def render_builds(case: str, entries: Sequence[Entry]) -> str:
    """Return the page of a case's builds.

    Parameters
    ----------
    case
        Name of the case.
    entries
        Its builds, oldest first; there may be none yet.
    """
    two = entries[-2:] if len(entries) > 1 else ()
    css = style_sheet("site.css") + style_sheet("builds.css")
    return render(
        "builds.html.j2",
        site_css=Markup(css),  # noqa: S704 - our own files
        home="../index.html",
        search="../search.html",
        case=case,
        charts=_charts(entries),
        drawn=MOST_DRAWN,
        kept=MOST_BUILDS,
        compared=differences(*two) if two else None,
        builds=[describe_build(entries, place) for place in reversed(range(len(entries)))],
        data=embedded(for_script(entries)) if two else None,
        script=Markup(style_sheet("builds.js")) if two else None,  # noqa: S704 - our own file
    )


def embedded(content: Any) -> Markup:
    """Return JSON that may stand in a ``<script>`` element, whatever texts are in it."""
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    return Markup(text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e"))  # noqa: S704 - escaped


def _charts(entries: Sequence[Entry]) -> list[dict[str, Any]]:
    """Return the charts of the headline metrics."""
    if not entries:
        return []
    names = dict.fromkeys([str(entries[-1]["primary_metric"]), *_HEADLINE.get(str(entries[-1]["task"]), ())])
    known = set(metric_names(entries, "test"))
    return [{"name": metric_label(name), "svg": draw_history(entries, name)} for name in names if name in known][:_MOST_CHARTS]


def describe_build(entries: Sequence[Entry], place: int) -> dict[str, Any]:
    """Return what the page says of one build.

    Parameters
    ----------
    entries
        All builds, oldest first.
    place
        Which of them.
    """
    entry = entries[place]
    model, gates = entry["model"], entry["gates"]
    return {
        "number": entry["number"],
        "label": build_label(entry),
        "finished": build_label(entry).partition(", ")[2],
        "verdict": verdict_of(entry),
        "before": entries[place - 1]["number"] if place else None,
        "changed": kinds_changed(entries[place - 1], entry) if place else (),
        "headline": headline_of(entry),
        "facts": _facts(entry),
        "reason": model["reason"],
        "notes": model["notes"],
        "metrics": _metric_rows(entry),
        "confidence": share(entry["confidence"]),
        "gates": f"{sum(gate['passed'] is True for gate in gates)} of {sum(gate['passed'] is not None for gate in gates)}",
        "failed": [gate for gate in gates if gate["passed"] is False],
        "use": f"{model['name']}/{model['version']}" if model["version"] is not None else "",
        "steps": entry["next_steps"],
    }


def verdict_of(entry: Entry) -> dict[str, str]:
    """Return what became of a build, as ``tone`` and ``text``."""
    failed = sum(gate["passed"] is False for gate in entry["gates"])
    if failed:
        return {"tone": "bad", "text": f"{failed} gate{'s' if failed > 1 else ''} failed"}
    if entry["model"]["promoted"]:
        return {"tone": "good", "text": "promoted"}
    if entry["model"]["dry_run"]:
        return {"tone": "warn", "text": "dry run"}
    return {"tone": "plain", "text": "not promoted"}


def headline_of(entry: Entry) -> dict[str, str]:
    """Return the primary metric on the test rows."""
    name = str(entry["primary_metric"])
    score = entry["metrics"].get("test", {}).get(name, (None, None, None))
    return {"name": metric_label(name), "value": figure(score[0]), "interval": interval(score[1], score[2])}


def _facts(entry: Entry) -> list[tuple[str, str]]:
    """Return what a build was made of, as pairs of a name and a value."""
    data, code, model = entry["data"], entry["code"], entry["model"]
    weights = ", ".join(f"{name} {share(weight)}" for name, weight in model["weights"].items())
    rows = f"{count(data['rows'])} \u00d7 {data['columns']}" if isinstance(data["rows"], int) else ""
    pairs = [
        ("Chosen", model["chosen"] + (f" ({weights})" if len(model["weights"]) > 1 else "")),
        ("Model", f"{model['name']}, version {model['version']}" if model["version"] is not None else "not registered"),
        ("Data", data["source"]),
        ("Rows and columns", rows),
        ("Data version", short_digest(data["digest"])),
        ("Code version", code_words(code)),
        ("Locked environment", short_digest(code["lock"])),
        ("Gristmill", str(entry["gristmill"])),
        ("Stages that ran", f"{len(entry['ran'])} of {len(entry['seconds'])}"),
        ("Seconds of all stages", figure(round(sum(entry["seconds"].values())))),
    ]
    return [(name, value) for name, value in pairs if value]


def _metric_rows(entry: Entry) -> list[dict[str, Any]]:
    """Return every metric by the rows it was measured on."""
    names = dict.fromkeys(name for part in ("test", "validation", "train") for name in metric_names([entry], part))
    return [
        {"label": metric_label(name), **{part: _cell(entry["metrics"].get(part, {}).get(name)) for part in _PARTS}}
        for name in names
    ]


def _cell(score: Sequence[float | None] | None) -> dict[str, str]:
    """Return a score as a table shows it."""
    return (
        {"value": figure(score[0]), "interval": interval(score[1], score[2])} if score else {"value": figure(None), "interval": ""}
    )
