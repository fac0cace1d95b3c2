"""``%load_ext gristmill``: the DAG from inside a notebook.

========================  ==============================================================================
``%run_stage 06_select``  build that stage, and what it needs, if it is stale
``%run_downstream 04_..`` build that stage and everything that reads from it
``%why [STAGE]``          why a stage is stale or fresh
``products("06_select")`` its products' files, by key
``build("churn")``        build that case (``from gristmill.pipeline.magics import build``)
========================  ==============================================================================
"""

import os
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

from gristmill.errors import BuildError, CaseFileError
from gristmill.paths import project_root
from gristmill.pipeline.definition import Stage, read_stages
from gristmill.pipeline.explain import why
from gristmill.pipeline.lab_case import current_case


def stage_named(name: str, root: Path, case: str) -> Stage:
    """Return a stage by its name.

    Raises
    ------
    CaseFileError
        There is none of that name.
    """
    stages = read_stages(root, case)
    if name not in stages:
        raise CaseFileError(f"Expected one of the stages {', '.join(stages)}, got {name!r}.")
    return stages[name]


def behind(name: str, root: Path, case: str) -> list[str]:
    """Return a stage and all stages that read from it, directly or not, in the DAG's order."""
    found = [stage_named(name, root, case).name]
    for other, stage in read_stages(root, case).items():
        if other not in found and any(up in found for up in stage.upstream):
            found.append(other)
    return found


def build_command(case: str, *options: str) -> list[str]:
    """Return the command that builds a case with this environment's Ploomber."""
    return [str(Path(sys.executable).with_name("ploomber")), "build", "--env--case", case, *options]


def build(case: str, root: Path | None = None) -> None:
    """Build a case as ``ploomber build --env--case CASE`` does, and show its lines as they come.

    Parameters
    ----------
    case
        Name of the case.
    root
        The project; found from the working directory when omitted.

    Raises
    ------
    BuildError
        It failed; the lines say why.
    """
    code = _run(build_command(case), root or project_root())
    if code:
        raise BuildError(f"The build of {case} failed with exit code {code}; the lines above say why and how to go on.")


def _run(command: list[str], root: Path) -> int:
    """Run a build in the project's folder, show its lines as they come, and return its exit code."""
    environment = {key: value for key, value in os.environ.items() if key != "GRISTMILL_BUILD_ID"}
    process = subprocess.Popen(command, cwd=root, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        for line in process.stdout or ():
            sys.stdout.write(line)
    except KeyboardInterrupt:
        process.send_signal(2)
        raise
    finally:
        process.wait()
    return process.returncode


def run_stage(line: str) -> None:
    """Build the stage named in ``line``, and what it needs, as far as they are stale."""
    root, case = project_root(), current_case(project_root())
    (name,) = shlex.split(line)
    _run(build_command(case, "--partially", stage_named(name, root, case).name), root)


def run_downstream(line: str) -> None:
    """Build the stage named in ``line`` and everything that reads from it, whatever their state."""
    root, case = project_root(), current_case(project_root())
    (name,) = shlex.split(line)
    names = behind(name, root, case)
    _run(build_command(case, "--partially", names[0], "--force", "--skip-upstream"), root)
    _run(build_command(case), root)


def explain(line: str) -> None:
    """Say why the stage named in ``line``, or every stage, is stale or fresh."""
    root = project_root()
    for explanation in why(root, current_case(root), line.strip() or None):
        sys.stdout.write(explanation.sentence + "\n")


def products(name: str) -> dict[str, Path]:
    """Return product key -> file of a stage, as the last build of the current case left them."""
    root = project_root()
    return dict(stage_named(name, root, current_case(root)).products)


def register(shell: Any) -> None:
    """Make the magics and ``products`` known to an IPython shell."""
    shell.register_magic_function(run_stage, magic_name="run_stage")
    shell.register_magic_function(run_downstream, magic_name="run_downstream")
    shell.register_magic_function(explain, magic_name="why")
    shell.push({"products": products})
