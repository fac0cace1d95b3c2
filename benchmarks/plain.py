"""Run the code of a case's stages one after the other in this one process: no kernel, no notebook, no report.

``python benchmarks/plain.py CASE``, in a project's folder, prints the seconds of every stage as JSON. It is what a build is
compared with: the same calls of the same libraries, imported once.
"""

import json
import os
import sys
import time
import uuid
from pathlib import Path

from gristmill.pipeline.build import BUILD_ID
from gristmill.pipeline.definition import Stage, read_cells, read_stages


def run_stage(stage: Stage, upstream: dict[str, dict[str, str]], case: str) -> float:
    """Execute the code cells of one stage; return its seconds."""
    product = {key: str(path) for key, path in stage.products.items()}
    for path in stage.products.values():
        path.parent.mkdir(parents=True, exist_ok=True)
    parameters = {"upstream": upstream, "product": product, "case": case, "code_version": ""}
    names: dict[str, object] = {"__name__": "__main__"}
    begin = time.perf_counter()
    for number, cell in enumerate(read_cells(stage.notebook)):
        if cell.kind == "code":
            exec(compile(cell.source, f"{stage.name}[{number}]", "exec"), names)  # noqa: S102 - this repository's own notebooks
            names |= parameters if "parameters" in cell.tags else {}
    return time.perf_counter() - begin


def main() -> None:
    """Run all stages of the case named on the command line."""
    root, case = Path.cwd(), sys.argv[1]
    os.environ[BUILD_ID] = uuid.uuid4().hex
    stages = read_stages(root, case)
    seconds = {}
    for stage in stages.values():
        upstream = {up: {key: str(path) for key, path in stages[up].products.items()} for up in stage.upstream}
        seconds[stage.name] = run_stage(stage, upstream, case)
    sys.stderr.write(json.dumps(seconds))


if __name__ == "__main__":
    main()
