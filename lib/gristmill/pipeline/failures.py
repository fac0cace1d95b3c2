"""Words for a notebook that failed."""

import re
from pathlib import Path

from gristmill import errors
from gristmill.errors import GristmillError
from gristmill.pipeline.worker import Outcome

_ANSI = re.compile(r"\x1b\[[0-9;]*m")
_FRAME = re.compile(r"^(?:File |Cell )(.*?)(?:, in |, line |:\d)", re.MULTILINE)
_BREAK = re.compile(r"\s*\n(?!  - )\s*")
"""A line break within a sentence; those before the items of a list stay."""

_OUR_ERRORS = {name: kind for name, kind in vars(errors).items() if isinstance(kind, type) and issubclass(kind, GristmillError)}


def stopped_by(outcome: Outcome) -> GristmillError | None:
    """Return the error of ours that ended a notebook, or None if it was anything else.

    A class of that name in another library does not count: the last frame of the traceback must be in this package, or in the
    notebook itself.
    """
    kind = _OUR_ERRORS.get(outcome.ename)
    if kind is None:
        return None
    frames = _FRAME.findall(_ANSI.sub("", outcome.traceback))
    if frames and not frames[-1].startswith("In[") and "gristmill" not in Path(frames[-1]).parts:
        return None
    return kind(_BREAK.sub(" ", outcome.evalue.strip()))


def describe(name: str, outcome: Outcome, command: str, root: Path) -> str:
    """Return what failed, where, with which traceback, and how to go on.

    Parameters
    ----------
    name
        The task.
    outcome
        How it ended.
    command
        The command that goes on with the build.
    root
        The project's root, to which paths are shown.
    """
    where = f" in code cell {outcome.cell}" if outcome.cell is not None else ""
    lines = ["", f"{name} failed{where}: {outcome.ename}: {outcome.evalue}".rstrip(": ")]
    if outcome.traceback:
        lines += ["", _ANSI.sub("", outcome.traceback).strip()]
    if outcome.ename in {"CellTimeoutError", "TimeoutError"}:
        lines += ["", "The cell did not end in the time allowed and its kernel was ended."]
    if outcome.partial:
        partial = Path(outcome.partial)
        shown = partial.relative_to(root) if root in partial.parents else partial
        lines += ["", f"What ran is in {shown} (open it in JupyterLab: it leads to the failing cell)."]
    lines += [f"Mend it, then go on with `{command}`; what is finished will not run again."]
    return "\n".join(lines)
