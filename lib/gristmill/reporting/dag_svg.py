"""The picture of a pipeline: an SVG that stands in a page or as a file of its own."""

import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup

from gristmill.reporting.dag import Layout, Stage, lay_out, read_stages
from gristmill.reporting.templating import environment, style_sheet

NODE_WIDTH = 112
NODE_HEIGHT = 54
GAP_X = 30
GAP_Y = 16
MARGIN = 8


@dataclass(frozen=True)
class NodeState:
    """How a stage is drawn.

    Parameters
    ----------
    state
        ``done``, ``failed``, ``missing`` (no report), ``off`` (switched off by the case), or ``plain`` (no build is shown).
    note
        A few words under the name.
    href
        Where a click leads; nothing when there is no report.
    """

    state: str = "plain"
    note: str = ""
    href: str = ""


def draw_dag(stages: list[Stage], states: Mapping[str, NodeState] | None = None, *, standalone: bool = False) -> Markup:
    """Return the picture of ``stages`` as SVG text.

    Parameters
    ----------
    stages
        The pipeline.
    states
        Stage -> how it is drawn; ``plain`` for those not named.
    standalone
        Whether the picture is a file of its own and carries its style with it.
    """
    layout = lay_out(stages)
    top = min([*layout.height.values(), *layout.lanes.values()], default=0.0)
    nodes = [_node(stage, layout, top, (states or {}).get(stage.name, NodeState())) for stage in stages]
    width = MARGIN * 2 + (max(layout.column.values(), default=0) + 1) * (NODE_WIDTH + GAP_X) - GAP_X
    height = MARGIN * 2 + (max(layout.height.values(), default=0.0) - top) * (NODE_HEIGHT + GAP_Y) + NODE_HEIGHT
    template = environment().get_template("dag.svg.j2")
    return Markup(  # noqa: S704 - the template escapes
        template.render(
            nodes=nodes,
            edges=[_edge(layout, top, *edge) for edge in layout.edges],
            size=(NODE_WIDTH, NODE_HEIGHT),
            width=width,
            height=round(height, 1),
            css=Markup(style_sheet("dag.css")) if standalone else None,  # noqa: S704 - our own file
            label="The stages of the pipeline: " + ", ".join(stage.name for stage in stages),
        ).rstrip()
        + "\n"
    )


def write_dag_picture(pipeline: Path, picture: Path) -> None:
    """Draw the pipeline in the YAML file ``pipeline`` into the SVG file ``picture``, as the README shows it."""
    picture.parent.mkdir(parents=True, exist_ok=True)
    picture.write_text(draw_dag(read_stages(pipeline), standalone=True), encoding="utf-8")


def _place(layout: Layout, top: float, name: str) -> tuple[float, float]:
    """Return the upper left corner of a stage's box, in pixels."""
    x = MARGIN + layout.column[name] * (NODE_WIDTH + GAP_X)
    return x, MARGIN + (layout.height[name] - top) * (NODE_HEIGHT + GAP_Y)


def _node(stage: Stage, layout: Layout, top: float, state: NodeState) -> dict[str, object]:
    """Return what the template needs to draw one stage."""
    x, y = _place(layout, top, stage.name)
    number, _, words = stage.name.partition("_")
    if not number.isdigit():
        number, words = "", stage.name
    lines = textwrap.wrap(words.replace("_", " "), 15)[:2]
    return {
        "name": stage.name,
        "number": number,
        "lines": lines,
        "x": x,
        "y": round(y, 1),
        "purpose": stage.purpose,
        "state": state.state,
        "note": state.note,
        "href": state.href,
        "sign": {"done": "✓", "failed": "✗", "off": "off", "missing": "–"}.get(state.state, ""),  # noqa: RUF001 - a dash is meant
    }


def _edge(layout: Layout, top: float, parent: str, child: str) -> str:
    """Return the path of one edge: a curve to the next column, or over the stages between."""
    x0, y0 = _place(layout, top, parent)
    x1, y1 = _place(layout, top, child)
    x0, y0, y1 = x0 + NODE_WIDTH, y0 + NODE_HEIGHT / 2, y1 + NODE_HEIGHT / 2
    lane = layout.lanes.get((parent, child))
    if lane is None:
        middle = (x0 + x1) / 2
        return f"M{x0:g} {y0:g}C{middle:g} {y0:g} {middle:g} {y1:g} {x1 - 5:g} {y1:g}"
    over = MARGIN + (lane - top) * (NODE_HEIGHT + GAP_Y) + NODE_HEIGHT / 2
    return _over(layout, top, parent, child, over)


def _over(layout: Layout, top: float, parent: str, child: str, over: float) -> str:
    """Return the path of an edge that leaves a stage upwards, runs at height ``over``, and comes down to the other."""
    x0, y0 = _place(layout, top, parent)
    x1, y1 = _place(layout, top, child)
    start, turn = x0 + NODE_WIDTH / 2, 12
    column = layout.column[child]
    highest = all(layout.height[name] >= layout.height[child] for name, place in layout.column.items() if place == column)
    path = f"M{start:g} {y0:g}V{over + turn:g}Q{start:g} {over:g} {start + turn:g} {over:g}"
    if highest:
        end = x1 + NODE_WIDTH / 2
        return f"{path}H{end - turn:g}Q{end:g} {over:g} {end:g} {over + turn:g}V{y1 - 5:g}"
    end, y1 = x1 - GAP_X / 2, y1 + NODE_HEIGHT / 2
    return f"{path}H{end - turn:g}Q{end:g} {over:g} {end:g} {over + turn:g}V{y1 - turn:g}Q{end:g} {y1:g} {x1 - 5:g} {y1:g}"
