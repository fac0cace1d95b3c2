"""What axe says of a page: violations that are serious or critical."""

from importlib.resources import files
from typing import Any

GRAVE = ("serious", "critical")
SETTLED = """() => Promise.allSettled(document.getAnimations()
  .filter(one => Number.isFinite(one.effect.getComputedTiming().endTime)).map(one => one.finished))"""
"""What is fading in has less contrast than it will have."""


def violations(page: Any, known: frozenset[str] = frozenset()) -> list[str]:
    """Return the grave violations on a page of the browser as "rule: element", without rules that are known not to be ours."""
    page.evaluate(SETTLED)
    page.evaluate(files("axe_playwright_python").joinpath("axe.min.js").read_text(encoding="utf-8"))
    found = page.evaluate("() => axe.run(document, {resultTypes: ['violations']})")["violations"]
    return [
        f"{one['id']}: {node['html'][:200]}"
        for one in found
        if one["impact"] in GRAVE and one["id"] not in known
        for node in one["nodes"]
    ]
