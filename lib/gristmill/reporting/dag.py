"""The stages of a pipeline as a graph: read from ``pipeline.yaml``, reduced to the edges that matter, and laid out.

The layout is by layers (Sugiyama et al. 1981): a stage stands in the column after the last of those it needs. An edge that
passes over a column runs above all stages, in a lane of its own.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePath

import yaml

from gristmill.errors import BuildError


@dataclass(frozen=True)
class Stage:
    """One task of a pipeline."""

    name: str
    upstream: tuple[str, ...] = ()
    purpose: str = ""


@dataclass(frozen=True)
class Layout:
    """Where stages stand: a column, and a height within it; heights grow downwards and may be halves."""

    column: Mapping[str, int]
    height: Mapping[str, float]
    edges: tuple[tuple[str, str], ...]
    lanes: Mapping[tuple[str, str], float] = field(default_factory=dict)


def read_stages(pipeline: Path) -> list[Stage]:
    """Return the stages that the file ``pipeline`` names, in its order; the comment above an entry is its purpose.

    Raises
    ------
    BuildError
        The file is missing or holds no tasks.
    """
    try:
        text = pipeline.read_text(encoding="utf-8")
        tasks = yaml.safe_load(text)["tasks"]
    except (OSError, yaml.YAMLError, KeyError, TypeError) as error:
        raise BuildError(
            f"Expected a pipeline with a list of `tasks` in {pipeline}, but {error!r}. Restore the file from git."
        ) from error
    purposes = dict(re.findall(r"^ *# *(.+)\n *- source: *(\S+)", text, flags=re.MULTILINE))
    by_source = {source: purpose for purpose, source in purposes.items()}
    stages = []
    for task in tasks:
        source = str(task["source"])
        name = str(task.get("name") or PurePath(source).stem)
        stages.append(Stage(name, _as_names(task.get("upstream")), by_source.get(source, "")))
    return stages


def _as_names(upstream: object) -> tuple[str, ...]:
    """Return the names that an ``upstream`` entry holds."""
    if isinstance(upstream, str):
        return (upstream,)
    return tuple(str(name) for name in upstream) if isinstance(upstream, list) else ()


def essential_edges(stages: list[Stage]) -> tuple[tuple[str, str], ...]:
    """Return the edges without those that a longer path implies (the transitive reduction)."""
    needs = {stage.name: [name for name in stage.upstream if any(name == other.name for other in stages)] for stage in stages}
    above: dict[str, set[str]] = {}

    def ancestors(name: str) -> set[str]:
        if name not in above:
            above[name] = set()
            above[name] = {found for parent in needs[name] for found in (parent, *ancestors(parent))}
        return above[name]

    return tuple(
        (parent, name)
        for name in needs
        for parent in needs[name]
        if not any(parent in ancestors(other) for other in needs[name] if other != parent)
    )


def lay_out(stages: list[Stage]) -> Layout:
    """Return where each stage stands, and which edges to draw."""
    edges = essential_edges(stages)
    column = _columns(stages, edges)
    passing = {parent for parent, child in edges if column[child] - column[parent] > 1}
    height: dict[str, float] = {}
    for place in range(max(column.values(), default=-1) + 1):
        members = [stage.name for stage in stages if column[stage.name] == place]
        members.sort(key=lambda name: name not in passing)
        for index, name in enumerate(members):
            height[name] = index - (len(members) - 1) / 2
    top = min(height.values(), default=0.0)
    sources = sorted(passing, key=lambda name: -column[name])
    lanes = {
        (parent, child): top - 0.75 - 0.5 * sources.index(parent) for parent, child in edges if column[child] - column[parent] > 1
    }
    return Layout(column=column, height=height, edges=edges, lanes=lanes)


def _columns(stages: list[Stage], edges: tuple[tuple[str, str], ...]) -> dict[str, int]:
    """Return each stage's column: one more than the last of those it needs."""
    column = {stage.name: 0 for stage in stages}
    for _ in stages:
        for parent, child in edges:
            column[child] = min(max(column[child], column[parent] + 1), len(stages))
    return column
