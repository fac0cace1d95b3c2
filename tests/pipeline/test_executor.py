"""Whole builds of the toy project: real kernels, real failures (R63)."""

import json
import os
import re
import signal
import subprocess
import time
from pathlib import Path

import pytest
from tests.pipeline import toy

from gristmill.pipeline.locks import holder
from gristmill.pipeline.records import Records


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return toy.make_toy(tmp_path / "project")


def put(root: Path, stage: str, code: str) -> None:
    """Add a code cell to a stage's notebook, before the one that writes its product."""
    path = root / "notebooks" / f"{stage}.ipynb"
    content = json.loads(path.read_text())
    content["cells"].insert(3, toy.cell(code))
    path.write_text(json.dumps(content))


def ran(output: str) -> list[str]:
    """Return the tasks that a build says it has done."""
    return re.findall(r"^\[ *\d+/\d+\] (\w+) +done", output, re.MULTILINE)


def with_a_gpu(root: Path) -> Path:
    """Return a folder with a program that answers as ``nvidia-smi`` does on a machine with a GPU."""
    program = root / "bin" / "nvidia-smi"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\necho '0, 1000, 24576, 35, NVIDIA A10'\n")
    program.chmod(0o755)
    return program.parent


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """Return a toy project that was built for real, and what the build printed."""
    root = toy.make_toy(tmp_path_factory.mktemp("built") / "project")
    for stage in ("05_train_linear", "05_train_forest"):
        put(root, stage, 'import os; content_of_environment = (os.environ["OMP_NUM_THREADS"], os.environ["GRISTMILL_BUILD_ID"])')
    put(root, "11_register", 'import os; print("the key is", os.environ["STORE_API_KEY"][:3] + os.environ["STORE_API_KEY"][3:])')
    put(root, "11_register", 'import os; print(os.environ["GRISTMILL_BUILD_ID"], os.getcwd())')
    done = toy.ploomber(root, "build", STORE_API_KEY="s3cr3t&value", PATH=f"{with_a_gpu(root)}:{os.environ['PATH']}")
    assert done.returncode == 0, done.stdout + done.stderr
    return root, done.stdout + done.stderr


def test_a_build_says_one_line_for_each_task(built: tuple[Path, str]):
    _, output = built
    assert "Building toy: 7 tasks to run, 0 up to date" in output
    assert sorted(ran(output)) == sorted(toy.STAGES)
    assert "\r" not in output.split("name ")[0]
    assert "UserWarning" not in output


def test_the_processor_time_of_each_task_is_kept(built: tuple[Path, str]):
    costs = Records(built[0], "toy").timings()
    assert set(costs) == set(toy.STAGES)
    assert all(cost["cpu_seconds"] > 0.1 for cost in costs.values())
    assert all(cost["joules"] is None or cost["joules"] >= 0 for cost in costs.values())


def test_a_build_ends_with_what_it_took_where_prometheus_finds_it(built: tuple[Path, str]):
    root = built[0]
    gauges = {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in written(root) if not line.startswith("#")}
    seconds = {stage: gauges[f'gristmill_training_stage_seconds{{case="toy",stage="{stage}"}}'] for stage in toy.STAGES}
    assert seconds == {stage: cost["seconds"] for stage, cost in Records(root, "toy").timings().items()}
    whole = gauges['gristmill_training_build_seconds{case="toy"}']
    assert max(seconds.values()) <= whole <= sum(seconds.values()) + 60
    assert gauges['gristmill_training_build_stages{case="toy"}'] == len(toy.STAGES)
    assert gauges['gristmill_training_build_peak_memory_bytes{case="toy"}'] > 20e6
    assert gauges['gristmill_training_gpu_info{case="toy",gpu="NVIDIA A10"}'] == 1
    assert gauges['gristmill_training_build_gpu_peak_memory_bytes{case="toy"}'] == 1000 * 2**20


def written(root: Path) -> list[str]:
    """Return the lines of the gauges that a build has left."""
    return (root / "state/monitoring/toy.training.prom").read_text().splitlines()


def test_the_products_are_those_of_the_notebooks(built: tuple[Path, str]):
    root, _ = built
    content = json.loads((root / "artifacts/toy/selection.json").read_text())
    assert content["mark"] == 1
    assert [json.loads(text)["stage"] for text in content["read"]] == ["05_train_linear", "05_train_forest"]


def test_a_secret_of_the_environment_is_in_no_file_of_the_build(built: tuple[Path, str]):
    root, _ = built
    assert "the key is [redacted]" in (root / "reports/toy/11_register.html").read_text()
    for folder in ("reports", "artifacts", "state"):
        for path in (root / folder).rglob("*"):
            assert not path.is_file() or b"s3cr3t" not in path.read_bytes(), path


def test_kernels_know_their_build_and_work_in_the_project(built: tuple[Path, str]):
    root, _ = built
    report = (root / "reports/toy/11_register.html").read_text()
    build_id = Records(root, "toy").read("11_register").build_id
    assert f"{build_id} {root}" in report


def test_nothing_is_left_beside_the_products(built: tuple[Path, str]):
    root, _ = built
    assert not list((root / "reports/toy").glob("*.ipynb"))
    assert {path.name for path in (root / "artifacts/toy").glob("*")} == {
        name for _, _, product in toy.STAGES.values() for name in (product, f".{product}.metadata")
    }


def test_the_index_is_written(built: tuple[Path, str]):
    root, _ = built
    assert (root / "reports/toy/index.html").is_file()


def test_a_second_build_runs_nothing_and_writes_nothing(built: tuple[Path, str]):
    root, _ = built

    def stamps() -> dict[Path, int]:
        return {path: path.stat().st_mtime_ns for folder in ("artifacts", "reports") for path in (root / folder).rglob("*")}

    before = stamps()
    done = toy.ploomber(root, "build")
    assert (done.returncode, ran(done.stdout)) == (0, [])
    assert stamps() == before


def test_a_task_that_is_up_to_date_is_no_error(built: tuple[Path, str]):
    done = toy.ploomber(built[0], "task", "01_ingest")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "01_ingest is up to date, nothing ran" in done.stdout


@pytest.mark.slow
def test_one_task_run_by_itself_makes_those_behind_it_stale(built: tuple[Path, str]):
    root, _ = built
    done = toy.ploomber(root, "task", "08_explain", "--force")
    assert (done.returncode, ran(done.stdout)) == (0, ["08_explain"])
    assert ran(toy.ploomber(root, "build", STORE_API_KEY="s3cr3t&value").stdout) == ["11_register"]


def test_a_failing_notebook_is_told_with_cell_traceback_and_what_to_do_next(root: Path):
    put(root, "05_train_linear", 'numbers = {}\nnumbers["nothing here"]')
    done = toy.ploomber(root, "build")
    output = done.stdout + done.stderr
    assert done.returncode == 1
    assert "05_train_linear failed in code cell 3: KeyError: 'nothing here'" in output
    assert 'numbers["nothing here"]' in output
    assert "What ran is in reports/toy/05_train_linear.ipynb" in output
    assert "go on with `ploomber build --env--case toy`" in output
    assert "06_select" in output
    assert "waits for 05_train_linear" in output
    assert "05_train_forest" in ran(output)  # an independent branch finishes
    partial = json.loads((root / "reports/toy/05_train_linear.ipynb").read_text())
    assert any('id="papermill-error-cell"' in "".join(cell["source"]) for cell in partial["cells"])
    content = json.loads((root / "notebooks/05_train_linear.ipynb").read_text())
    content["cells"][3]["source"] = "numbers = {}"
    (root / "notebooks/05_train_linear.ipynb").write_text(json.dumps(content))
    assert sorted(ran(toy.ploomber(root, "build").stdout)) == ["05_train_linear", "06_select", "08_explain", "11_register"]
    assert not (root / "reports/toy/05_train_linear.ipynb").exists()


def test_bad_data_is_one_sentence_and_exit_code_2(root: Path):
    put(root, "02_validate", "from gristmill.errors import DataError\nraise DataError(\"The column 'age' is empty.\")")
    done = toy.ploomber(root, "build")
    assert done.returncode == 2
    assert done.stderr.strip().endswith("gristmill: The column 'age' is empty.")
    assert "Traceback" not in done.stdout + done.stderr


def test_a_wrong_case_file_is_one_sentence_and_exit_code_2(root: Path):
    (root / "configs/toy.yaml").write_text(toy.CASE + "traning: {}\n")
    done = toy.ploomber(root, "build")
    assert done.returncode == 2
    assert done.stderr.startswith("gristmill: ")
    assert "unknown key `traning`; did you mean 'training'?" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (root / "artifacts").exists()


@pytest.mark.slow
def test_a_wrong_case_file_is_one_sentence_without_our_executor_too(root: Path):
    (root / "configs/toy.yaml").unlink()
    text = (root / "pipeline.yaml").read_text()
    (root / "pipeline.yaml").write_text(re.sub(r"executor:\n.*\n.*\n", "", text))
    done = toy.ploomber(root, "build")
    assert done.returncode == 2
    assert done.stderr.strip().splitlines()[-1].startswith("gristmill: Expected a case file at configs/toy.yaml")


def start(root: Path) -> subprocess.Popen[str]:
    command = [str(toy.BIN / "ploomber"), "build"]
    return subprocess.Popen(command, cwd=root, env=toy.environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def wait_for(path: Path, seconds: float = 90) -> None:
    deadline = time.monotonic() + seconds
    while not path.exists():
        assert time.monotonic() < deadline, f"{path} did not appear"
        time.sleep(0.05)


@pytest.mark.slow
def test_a_second_build_says_who_holds_the_lock_and_waits(root: Path):
    go_on = root / "go on"
    put(root, "02_validate", f"import os, time\nwhile not os.path.exists({str(go_on)!r}):\n    time.sleep(0.05)")
    first = start(root)
    wait_for(root / "state/builds/toy/01_ingest.json")
    assert f"process {first.pid} on " in holder(root / "state/locks/toy.lock")
    second = start(root)
    said = next((line for line in second.stdout if line.startswith("Another build")), "")
    go_on.touch()
    rest = second.stdout.read()
    outputs = [build.communicate(timeout=240)[0] for build in (first, second)]
    assert [first.returncode, second.returncode] == [0, 0], (outputs, rest)
    assert sorted(ran(outputs[0])) == sorted(toy.STAGES)
    assert f"Another build of toy is running (process {first.pid} on " in said
    assert ran(rest) == []


@pytest.mark.slow
def test_an_interrupt_ends_the_kernels_and_says_how_to_go_on(root: Path):
    marker = root / "kernel.pid"
    put(root, "02_validate", f"import os, time\nopen({str(marker)!r}, 'w').write(str(os.getpid()))\ntime.sleep(600)")
    build = start(root)
    wait_for(marker)
    build.send_signal(signal.SIGINT)
    output, _ = build.communicate(timeout=60)
    assert build.returncode == 130
    assert "Interrupted; 1 of 7 tasks are done" in output
    assert "`ploomber build --env--case toy` goes on from there." in output
    kernel = int(marker.read_text())
    deadline = time.monotonic() + 20
    while _alive(kernel):
        assert time.monotonic() < deadline, "the kernel outlived its build"
        time.sleep(0.05)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"
