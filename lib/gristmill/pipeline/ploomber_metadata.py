"""Keeps Ploomber's metadata files in step with our records, so that Ploomber decides as we do.

Ploomber compares cell texts (prose too) and the clock; the records know better. Before it looks, the metadata of a fresh task is
made to say what Ploomber will find, and that of a stale task is taken away if Ploomber would not notice. A task that is in step
already is not written again.
"""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from gristmill.pipeline.contents import read_json_or_none, write_whole
from gristmill.pipeline.decisions import Decision
from gristmill.pipeline.definition import Stage, read_cells


def metadata_file(product: Path) -> Path:
    """Return where Ploomber keeps what it knows about a product."""
    return product.with_name(f".{product.name}.metadata")


def forget(stage: Stage) -> None:
    """Remove what Ploomber knows about a task, so that it counts as never run."""
    for product in stage.products.values():
        metadata_file(product).unlink(missing_ok=True)


def remember(stage: Stage, params: Mapping[str, Any], timestamp: float) -> dict[str, Any]:
    """Write what Ploomber must find for a finished task, where it does not say so already, and return it."""
    content = {
        "timestamp": timestamp,
        "stored_source_code": "\n".join(cell.source for cell in read_cells(stage.notebook)),
        "params": dict(params),
    }
    for product in stage.products.values():
        if read_json_or_none(metadata_file(product)) != content:
            write_whole(metadata_file(product), json.dumps(content))
    return content


def synchronise(decisions: Iterable[Decision]) -> None:
    """Make Ploomber's metadata agree with the decisions about all tasks of a case, given in the DAG's order."""
    timestamps: dict[str, float] = {}
    for decision in decisions:
        stage, record = decision.stage, decision.record
        if record is not None and not decision.stale:
            own = _timestamp(stage, record.finished)
            timestamps[stage.name] = max([own, *(timestamps[name] for name in stage.upstream)])
            remember(stage, record.params, timestamps[stage.name])
        elif not decision.inherited:
            forget(stage)


def _timestamp(stage: Stage, default: float) -> float:
    """Return the time that Ploomber has for a task, or ``default``."""
    for product in stage.products.values():
        content = read_json_or_none(metadata_file(product))
        if content is not None and isinstance(content.get("timestamp"), int | float):
            return float(content["timestamp"])
    return default
