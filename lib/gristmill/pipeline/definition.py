"""What ``pipeline.yaml`` says, read without Ploomber, so that asking costs milliseconds.

Ploomber stays the one that builds; this is the same file as seen by those who only ask: staleness, ``gristmill why``, the lock.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from gristmill.errors import CaseFileError

PIPELINE_FILE = "pipeline.yaml"
"""The DAG that builds when none is named."""

_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_PLACEHOLDER = re.compile(r"\{\{\s*(\w+)\s*\}\}")


@dataclass(frozen=True)
class Stage:
    """One entry of the pipeline file, with its placeholders filled in.

    Attributes
    ----------
    name
        The task's name, such as ``05_train_linear``.
    notebook
        The notebook it runs, absolute.
    upstream
        Names of the tasks whose products it reads.
    products
        Product key -> file, absolute; ``nb`` is the report.
    entry
        The entry as it stands in the file, without what is computed.
    """

    name: str
    notebook: Path
    upstream: tuple[str, ...]
    products: Mapping[str, Path]
    entry: Mapping[str, Any]


def read_stages(root: Path, case: str, pipeline: str = PIPELINE_FILE) -> dict[str, Stage]:
    """Return the stages of a pipeline file for one case, each after the stages it reads from.

    Raises
    ------
    CaseFileError
        The file is missing or is not a pipeline, or a stage waits for one that does not exist or for itself.
    """
    file = root / pipeline
    env = root / env_file(pipeline)
    try:
        text = file.read_text(encoding="utf-8")
        defaults = env.read_text(encoding="utf-8") if env.is_file() else ""
    except OSError as error:
        raise CaseFileError(f"Expected the pipeline {file}, but it cannot be read: {error.strerror}.") from error
    entries = _parse(text, defaults, case, str(file))
    stages = {stage.name: stage for stage in (_stage(root, entry, pipeline) for entry in entries)}
    return _in_order(stages, pipeline)


def env_file(pipeline: str) -> str:
    """Return the file with the defaults of a pipeline file's placeholders, relative to the root as that is."""
    return pipeline.replace("pipeline", "env", 1)


@lru_cache(maxsize=32)
def _parse(text: str, defaults: str, case: str, source: str) -> tuple[dict[str, Any], ...]:
    """Return the entries of a pipeline file's text with the placeholders filled in."""
    try:
        content = yaml.load(text, Loader=_Loader)  # noqa: S506 - a safe loader, in C where there is one
        values = {**(yaml.load(defaults, Loader=_Loader) or {}), "case": case}  # noqa: S506
        entries = content["tasks"]
    except (yaml.YAMLError, KeyError, TypeError) as error:
        raise CaseFileError(f"{source}: expected a pipeline with a list `tasks:`, but {error}. Mend that file.") from error
    return tuple(_filled(entry, values) for entry in entries)


def _filled(value: Any, values: Mapping[str, Any]) -> Any:
    """Return ``value`` with every ``{{name}}`` in its texts replaced."""
    if isinstance(value, Mapping):
        return {key: _filled(item, values) for key, item in value.items()}
    if isinstance(value, list):
        return [_filled(item, values) for item in value]
    if isinstance(value, str):
        return _PLACEHOLDER.sub(lambda match: str(values.get(match[1], match[0])), value)
    return value


def _stage(root: Path, entry: dict[str, Any], pipeline: str) -> Stage:
    """Return one entry as a stage."""
    try:
        source, product = entry["source"], entry["product"]
    except (KeyError, TypeError) as error:
        raise CaseFileError(f"{pipeline}: expected every task to have `source` and `product`, got {entry!r}.") from error
    products = product if isinstance(product, Mapping) else {"nb": product}
    upstream = entry.get("upstream") or []
    params = {key: value for key, value in (entry.get("params") or {}).items() if key != "code_version"}
    return Stage(
        name=entry.get("name") or Path(source).stem,
        notebook=root / source,
        upstream=tuple(sorted([upstream] if isinstance(upstream, str) else upstream)),
        products={key: root / path for key, path in products.items()},
        entry={**entry, "params": params},
    )


def _in_order(stages: dict[str, Stage], pipeline: str) -> dict[str, Stage]:
    """Return the stages so that each stands after all it reads from; among equals, in the file's order."""
    ordered: dict[str, Stage] = {}
    waiting = dict(stages)
    while waiting:
        ready = [name for name, stage in waiting.items() if not any(up in waiting for up in stage.upstream)]
        if not ready:
            raise CaseFileError(f"{pipeline}: the tasks {', '.join(waiting)} wait for one another. Mend their `upstream`.")
        for name in ready:
            ordered[name] = waiting.pop(name)
    for stage in ordered.values():
        unknown = [up for up in stage.upstream if up not in stages]
        if unknown:
            raise CaseFileError(f"{pipeline}: {stage.name} reads from {unknown[0]!r}, which is not one of {', '.join(stages)}.")
    return ordered


def find_stage(root: Path, case: str, notebook: str, pipeline: str = PIPELINE_FILE) -> Stage | None:
    """Return the stage called ``notebook`` (or that runs it), or None where the pipeline has none."""
    stages = read_stages(root, case, pipeline)
    return stages.get(notebook) or next((stage for stage in stages.values() if stage.notebook.stem == notebook), None)


@dataclass(frozen=True)
class Cell:
    """A cell of a notebook: kind, text and tags."""

    kind: str
    source: str
    tags: tuple[str, ...]


def read_cells(notebook: Path) -> list[Cell]:
    """Return a notebook's cells, without those that a tool has injected.

    Raises
    ------
    CaseFileError
        The file is missing or is not a notebook.
    """
    try:
        content = json.loads(notebook.read_text(encoding="utf-8"))
        cells = [Cell(raw["cell_type"], _text(raw["source"]), tuple(raw["metadata"].get("tags", ()))) for raw in content["cells"]]
    except OSError as error:
        raise CaseFileError(f"Expected the notebook {notebook}, but it cannot be read: {error.strerror}.") from error
    except (ValueError, KeyError, TypeError) as error:
        raise CaseFileError(f"Expected a Jupyter notebook in {notebook}, but it is damaged ({error!r}). Restore it.") from error
    return [cell for cell in cells if not {"injected-parameters", "debugging-settings"} & set(cell.tags)]


def _text(source: str | list[str]) -> str:
    """Return a cell's text, which a notebook may hold as a list of lines."""
    return source if isinstance(source, str) else "".join(source)
