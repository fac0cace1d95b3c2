"""A small project with trivial notebooks: the engine's own test bench. Its stages bear real names, so that real rules hold."""

import json
import os
import subprocess
import sys
import warnings
from contextlib import chdir
from pathlib import Path

from gristmill.machine import THREAD_VARIABLES
from gristmill.pipeline.decisions import Decision, decide
from gristmill.pipeline.ploomber_metadata import synchronise
from gristmill.pipeline.records import Record, Records, describe_files

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # Ploomber's own imports warn
    from ploomber.constants import TaskStatus
    from ploomber.exceptions import DAGBuildError
    from ploomber.spec import DAGSpec

__all__ = ["DAGBuildError", "DAGSpec", "TaskStatus"]

BIN = Path(sys.executable).parent

CASE = """name: toy
task: binary
source: table.csv
target: left
positive_class: Yes
training: {budget_seconds: 5}
"""

PIPELINE = """
meta:
  extract_upstream: false
on_render: gristmill.pipeline.executor.attach
executor:
  dotted_path: gristmill.pipeline.executor.create
  case: "{{case}}"
tasks:
"""

ENTRY = """
  # {name}
  - source: notebooks/{name}.ipynb
    name: {name}
    upstream: [{upstream}]
    nbconvert_exporter_name: gristmill
    product:
      nb: "reports/{{{{case}}}}/{name}.html"
      {key}: "artifacts/{{{{case}}}}/{product}"
    params:
      case: "{{{{case}}}}"
      code_version: {{dotted_path: "gristmill.pipeline.staleness::fingerprint", notebook: {name}, case: "{{{{case}}}}"}}
"""

STAGES = {
    "01_ingest": ((), "snapshot", "snapshot.json"),
    "02_validate": (("01_ingest",), "quality", "quality.json"),
    "05_train_linear": (("02_validate",), "trials", "trials_linear.json"),
    "05_train_forest": (("02_validate",), "trials", "trials_forest.json"),
    "06_select": (("05_train_linear", "05_train_forest"), "selection", "selection.json"),
    "08_explain": (("06_select",), "explanation", "explanation.json"),
    "11_register": (("06_select", "08_explain"), "metrics", "metrics.json"),
}
"""Stage -> what it reads from, its product's key, its product's file."""

PARAMETERS = 'upstream = None\nproduct = None\ncase = "toy"\ncode_version = ""'

WRITE = """from pathlib import Path
from toykit import writing
inputs = [file for up in (upstream or {{}}).values() for key, file in up.items() if key != "nb"]
content = {{"stage": {name!r}, "read": [Path(file).read_text() for file in inputs]}}
writing.write(product[{key!r}], content)"""

MODULES = {
    "__init__": "",
    "writing": '"""Writes products."""\n\nimport json\nimport os\n\nfrom toykit import deep\n\n\ndef write(path, content):\n'
    '    """Write a product whole."""\n    temporary = f"{path}.tmp"\n    with open(temporary, "w") as file:\n'
    "        json.dump(deep.mark(content), file)\n    os.replace(temporary, path)\n",
    "deep": '"""Imported by writing."""\n\nMARK = 1\n\n\ndef mark(content):\n    return {**content, "mark": MARK}\n',
    "unused": "VALUE = 1\n",
}


def cell(source: str, kind: str = "code", tags: tuple[str, ...] = ()) -> dict:
    """Return one cell of a notebook."""
    extra = {"execution_count": None, "outputs": []} if kind == "code" else {}
    return {"cell_type": kind, "id": f"c{abs(hash(source)) % 10**7}", "metadata": {"tags": list(tags)}, "source": source, **extra}


def notebook(cells: list[dict]) -> str:
    """Return the JSON of a notebook."""
    kernel = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}
    return json.dumps({"cells": cells, "metadata": kernel, "nbformat": 4, "nbformat_minor": 5})


def stage_notebook(name: str, key: str) -> str:
    """Return the notebook of a trivial stage."""
    reading = 'rows = Path("table.csv").read_text()' if name == "01_ingest" else "rows = None"
    cells = [
        cell(f"# Run {name}", "markdown"),
        cell(PARAMETERS, tags=("parameters",)),
        cell("from pathlib import Path\n" + reading),
        cell(WRITE.format(name=name, key=key)),
    ]
    return notebook(cells)


def make_toy(root: Path) -> Path:
    """Write the toy project into ``root`` and return it."""
    for folder in ("notebooks", "configs", "toykit"):
        (root / folder).mkdir(parents=True)
    entries = [
        ENTRY.format(name=name, upstream=", ".join(upstream), key=key, product=product)
        for name, (upstream, key, product) in STAGES.items()
    ]
    (root / "pipeline.yaml").write_text(PIPELINE + "".join(entries))
    (root / "env.yaml").write_text("case: toy\n")
    (root / "requirements.lock").write_text("# made by a test\npandas==2.3.1 \\\n    --hash=sha256:00\nnumpy==2.3.0\n")
    (root / "configs" / "toy.yaml").write_text(CASE)
    (root / "table.csv").write_text("age,left\n1,Yes\n2,No\n")
    for name, text in MODULES.items():
        (root / "toykit" / f"{name}.py").write_text(text)
    for name, (_, key, _) in STAGES.items():
        (root / "notebooks" / f"{name}.ipynb").write_text(stage_notebook(name, key))
    return root


def pretend_built(root: Path, case: str = "toy") -> None:
    """Leave what a build leaves, without running a kernel: products, records and Ploomber's metadata."""
    decisions = decide(root, case)
    records = Records(root, case)
    for decision in decisions.values():
        for product in decision.stage.products.values():
            product.parent.mkdir(parents=True, exist_ok=True)
            product.write_text(f"{product.name} of {case}")
        keep(root, records, decision)
    synchronise(decide(root, case).values())


def keep(root: Path, records: Records, decision: Decision, run_id: str = "first", finished: float = 1_700_000_000.0) -> None:
    """Write the record of one task as a build would."""
    stage = decision.stage
    runs = {name: record.run_id for name in stage.upstream if (record := records.read(name)) is not None}
    params = {"case": records.case, "code_version": decision.fingerprint}
    files = describe_files(root, stage)
    ingredients = dict(decision.ingredients)
    records.write(Record(stage.name, run_id, "build", finished, 1.0, 100.0, decision.fingerprint, ingredients, runs, files, params))


def stale_to_ploomber(root: Path, *, force: bool = False) -> tuple[str, ...]:
    """Return what Ploomber would run in the toy project, whose modules have to be importable."""
    with chdir(root), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        dag = DAGSpec(str(root / "pipeline.yaml")).to_dag()
        dag.render(force=force, show_progress=False)
    return tuple(name for name in STAGES if dag[name].exec_status != TaskStatus.Skipped)


def environment(**extra: str) -> dict[str, str]:
    """Return the environment a command of the toy project runs in."""
    path = f"{BIN}{os.pathsep}{os.environ['PATH']}"
    theirs = {"GRISTMILL_BUILD_ID", "MLFLOW_TRACKING_URI", *THREAD_VARIABLES}  # what a build sets for its kernels is its own doing
    kept = {key: value for key, value in os.environ.items() if key not in theirs}
    ours = os.environ.get("PYTHONPATH")  # by it, a worktree's package comes before the installed one
    importable = f".{os.pathsep}{ours}" if ours else "."
    return {**kept, "PATH": path, "PYTHONPATH": importable, **extra}


def ploomber(root: Path, *arguments: str, **extra: str) -> subprocess.CompletedProcess[str]:
    """Run Ploomber in the toy project."""
    command = [str(BIN / "ploomber"), *arguments]
    return subprocess.run(command, cwd=root, env=environment(**extra), capture_output=True, text=True, timeout=300, check=False)
