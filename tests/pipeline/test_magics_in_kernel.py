"""The DAG from inside a notebook, in a living kernel that works in the notebooks' folder (R54)."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from jupyter_client.manager import start_new_kernel
from tests.pipeline import toy
from tests.pipeline.test_executor import ran

pytestmark = pytest.mark.slow

Say = Callable[[str], str]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a toy project that was really built."""
    root = toy.make_toy(tmp_path_factory.mktemp("magics") / "project")
    done = toy.ploomber(root, "build")
    assert done.returncode == 0, done.stdout + done.stderr
    return root


@pytest.fixture(scope="module")
def say(root: Path) -> Iterator[Say]:
    """Return a function that runs a line in the kernel and gives what was printed or returned."""
    manager, client = start_new_kernel(cwd=str(root / "notebooks"), env=toy.environment(PYTHONPATH=str(root)))

    def run(line: str) -> str:
        printed: list[str] = []

        def keep(message: dict) -> None:
            content = message["content"]
            if message["msg_type"] in {"stream", "execute_result"}:
                printed.append(content["text"] if "text" in content else content["data"]["text/plain"])

        answer = client.execute_interactive(line, output_hook=keep, timeout=120)["content"]
        assert answer["status"] == "ok", answer
        return "".join(printed)

    run("%load_ext gristmill")
    yield run
    client.stop_channels()
    manager.shutdown_kernel(now=True)


def test_a_kernel_explains_the_dag_and_finds_products(say: Say, root: Path):
    assert "06_select is fresh: nothing it depends on has moved" in say("%why 06_select")
    assert len(say("%why").splitlines()) == len(toy.STAGES)
    assert say('str(products("06_select")["selection"])') == repr(str(root / "artifacts/toy/selection.json"))


def test_a_fresh_stage_is_not_run_again(say: Say):
    printed = say("%run_stage 06_select")
    assert printed.count("False") == 5, printed
    assert ran(printed) == []


def test_a_stage_and_what_is_behind_it_run_again_and_nothing_before(say: Say):
    assert ran(say("%run_downstream 06_select")) == ["06_select", "08_explain", "11_register"]
    assert say("%why").count(" is fresh: ") == len(toy.STAGES)


def test_a_stale_stage_is_run_with_what_it_needs_alone(say: Say, root: Path):
    notebook = root / "notebooks/05_train_forest.ipynb"
    notebook.write_text(notebook.read_text().replace("rows = None", "rows = 0"))
    assert ran(say("%run_stage 06_select")) == ["05_train_forest", "06_select"]
