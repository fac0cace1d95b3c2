"""What the engine costs: `python benchmarks/build.py` prints a table and writes benchmarks/results/build.json.

Every figure is a ratio or a difference measured side by side in this run. Give `--real` to add a full build of the default case
against its stages' code in one plain process (minutes).
"""

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from gristmill.pipeline.definition import read_stages

REPOSITORY = Path(__file__).resolve().parents[1]
BIN = Path(sys.executable).parent
N_NOTEBOOKS = 20

CASE = "name: bench\ntask: binary\nsource: table.csv\ntarget: left\npositive_class: Yes\n"
ENTRY = """
  - source: notebooks/{name}.ipynb
    name: {name}
    upstream: [{upstream}]
    product:
      nb: "{reports}/{name}.html"
      out: "{artifacts}/{name}.json"
    params: {{case: bench{version}}}
"""
OURS = """meta: {extract_upstream: false}
on_render: gristmill.pipeline.executor.attach
executor: {dotted_path: gristmill.pipeline.executor.create, case: bench}
tasks:
"""
STOCK = "meta: {{extract_upstream: false}}\nexecutor: {executor}\ntasks:\n"


def notebook(code: str) -> str:
    """Return a notebook of a parameters cell and one cell of code."""
    parameters = 'upstream = None\nproduct = None\ncase = ""\ncode_version = ""'
    cells = [
        {
            "cell_type": "code",
            "id": f"c{number}",
            "metadata": {"tags": tags},
            "source": source,
            "execution_count": None,
            "outputs": [],
        }
        for number, (source, tags) in enumerate([(parameters, ["parameters"]), (code, [])])
    ]
    kernel = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}
    return json.dumps({"cells": cells, "metadata": kernel, "nbformat": 4, "nbformat_minor": 5})


def make_project(root: Path) -> None:
    """Write a project of twenty trivial notebooks: one first, eighteen beside one another, one last."""
    for folder in ("notebooks", "configs"):
        (root / folder).mkdir(parents=True)
    names = [f"n{number:02d}" for number in range(N_NOTEBOOKS)]
    (root / "configs/bench.yaml").write_text(CASE)
    (root / "table.csv").write_text("left\nYes\nNo\n")
    for name in names:
        (root / f"notebooks/{name}.ipynb").write_text(notebook('open(product["out"], "w").write("{}")'))
    for file, head in {
        "pipeline.yaml": OURS,
        "pipeline.serial.yaml": STOCK.format(executor="serial"),
        "pipeline.parallel.yaml": STOCK.format(executor="parallel"),
    }.items():
        kind = file.split(".")[1]
        text = head
        for name in names:
            before = [] if name == names[0] else names[1:-1] if name == names[-1] else [names[0]]
            version = (
                f', code_version: {{dotted_path: "gristmill.pipeline.staleness::fingerprint", notebook: {name}, case: bench}}'
                if kind == "yaml"
                else ""
            )
            text += ENTRY.format(
                name=name, upstream=", ".join(before), reports=f"reports/{kind}", artifacts=f"artifacts/{kind}", version=version
            )
        (root / file).write_text(text)


def timed(command: list[str], cwd: Path) -> tuple[float, float]:
    """Run a command; return its wall-clock seconds and the processor seconds of it and all it started."""
    before, begin = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(command, cwd=cwd, env=_environment(), check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.perf_counter() - begin, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _environment() -> dict[str, str]:
    """Return this process's environment without what would slow every import."""
    return {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}


def twenty(root: Path) -> dict[str, float]:
    """Return the seconds of twenty trivial notebooks with our executor and with Ploomber's two."""
    seconds = {}
    for label, file in (("ours", "pipeline.yaml"), ("parallel", "pipeline.parallel.yaml"), ("serial", "pipeline.serial.yaml")):
        wall, processor = timed([str(BIN / "ploomber"), "build", "--entry-point", file], root)
        seconds[f"{label}_seconds"], seconds[f"{label}_cpu_seconds"] = wall, processor
    return seconds


def no_op(root: Path, repeats: int) -> dict[str, float]:
    """Return the median seconds of a build that has nothing to do, and of importing Ploomber's command line."""
    builds = [timed([str(BIN / "ploomber"), "build"], root) for _ in range(repeats)]
    imports = [timed([str(BIN / "python"), "-c", "import ploomber.cli"], root) for _ in range(repeats)]
    build, bare = median(cpu for _, cpu in builds), median(cpu for _, cpu in imports)
    return {"no_op_cpu_seconds": build, "import_cpu_seconds": bare, "no_op_ratio": build / bare}


def scheduler_share(root: Path) -> dict[str, float]:
    """Return the share of a core that the build's own process takes while one notebook sleeps for 30 s."""
    (root / "notebooks/n00.ipynb").write_text(notebook('import time; time.sleep(30); open(product["out"], "w").write("{}")'))
    build = subprocess.Popen([str(BIN / "ploomber"), "build", "--partially", "n00"], cwd=root, stdout=subprocess.DEVNULL)
    while not (root / "reports/yaml/n00.ipynb").exists():
        time.sleep(0.2)
    time.sleep(3)
    before, begin = _cpu_of(build.pid), time.perf_counter()
    time.sleep(20)
    share = (_cpu_of(build.pid) - before) / (time.perf_counter() - begin)
    build.wait()
    return {"scheduler_share_of_a_core": share}


def _cpu_of(pid: int) -> float:
    """Return the processor seconds that one process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def real_project(root: Path) -> Path:
    """Copy what a build of the default case needs into ``root`` and return it."""
    root.mkdir(parents=True)
    for name in ("pipeline.yaml", "env.yaml", "requirements.lock", "pyproject.toml"):
        shutil.copy(REPOSITORY / name, root / name)
    for name in ("notebooks", "configs"):
        shutil.copytree(REPOSITORY / name, root / name)
    return root


def real_build(folder: Path) -> dict[str, float]:
    """Return the seconds of a warm full build of the default case, and of its stages' code in one plain process.

    What the build takes longer is shared out over the tasks on its critical path.
    """
    build, plain = real_project(folder / "build"), real_project(folder / "plain")
    timed([str(BIN / "ploomber"), "build"], build)
    shutil.rmtree(build / "state/search")  # or the families would go on with searches that are at their end
    wall, processor = timed([str(BIN / "ploomber"), "build", "--force"], build)
    timings = json.loads((build / "state/builds/churn/timings.json").read_text())
    took = {name: timing["seconds"] for name, timing in timings.items()}
    command = [str(BIN / "python"), str(REPOSITORY / "benchmarks/plain.py"), "churn"]
    done = subprocess.run(command, cwd=plain, env=_environment(), check=True, capture_output=True, text=True)
    alone = json.loads(done.stderr.splitlines()[-1])
    path = critical_path({name: stage.upstream for name, stage in read_stages(build, "churn").items()}, took)
    return {
        "full_build_seconds": wall,
        "full_build_cpu_seconds": processor,
        "plain_process_seconds": sum(alone.values()),
        "critical_path_seconds": sum(took[name] for name in path),
        "critical_path_plain_seconds": sum(alone[name] for name in path),
        "beyond_plain_per_task_seconds": (wall - sum(alone.values())) / len(path),
        **{f"{name} build": took[name] for name in took},
        **{f"{name} plain": alone[name] for name in took},
    }


def critical_path(upstream: dict[str, tuple[str, ...]], seconds: dict[str, float]) -> list[str]:
    """Return the tasks, each after one it reads from, that take longest together; ``upstream`` is in the DAG's order."""
    longest: dict[str, list[str]] = {}
    for name, before in upstream.items():
        ways = [longest[up] for up in before] or [[]]
        longest[name] = [*max(ways, key=lambda way: sum(seconds[one] for one in way)), name]
    return max(longest.values(), key=lambda way: sum(seconds[one] for one in way))


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--real", action="store_true", help="add a full build of the default case")
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "project"
        make_project(root)
        figures = twenty(root) | no_op(root, options.repeats) | scheduler_share(root)
        if options.real:
            figures |= real_build(Path(folder))
    for name, value in figures.items():
        print(f"{name:<40} {value:10.3f}")
    results = REPOSITORY / "benchmarks" / "results"
    results.mkdir(exist_ok=True)
    (results / "build.json").write_text(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    main()
