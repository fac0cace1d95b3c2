"""JupyterLab on the toy project in a real browser: opened, run, saved and built as a person would (R54)."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.chromium import started_chromium
from tests.pipeline import toy
from tests.pipeline.lab_server import Lab, running_lab
from tests.pipeline.test_executor import ran

pytestmark = [pytest.mark.slow, pytest.mark.browser]

PATIENCE = 60_000
"""Milliseconds to wait for anything at all."""


class Desk:
    """JupyterLab in a browser window, with what it asked of other machines and what it complained of."""

    def __init__(self, page: Any, lab: Lab) -> None:
        self.page, self.lab = page, lab
        self.remote: list[str] = []
        self.complaints: list[str] = []
        page.set_default_timeout(PATIENCE)
        page.on("request", self._request)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", lambda message: self.complaints.append(message.text) if message.type == "error" else None)
        page.goto(lab.page)

    def _request(self, request: Any) -> None:
        if not request.url.startswith((self.lab.address, self.lab.address.replace("http", "ws"), "data:", "blob:")):
            self.remote.append(request.url)

    @property
    def notebook(self) -> Any:
        """The notebook in front."""
        return self.page.locator(".jp-NotebookPanel:not(.lm-mod-hidden)")

    def enter(self, *folders: str) -> None:
        """Go down into folders of the file browser by double click."""
        for folder in folders:
            self.page.locator(f".jp-DirListing-item[title^='Name: {folder}\\a']").dblclick()
            self.page.locator(f".jp-BreadCrumbs-item[title$='{folder}']").wait_for()

    def open(self, name: str) -> Any:
        """Open a notebook by double click and return its panel, when its kernel is ready."""
        self.page.locator(f".jp-DirListing-item[title^='Name: {name}\\a']").dblclick()
        self.page.locator(f".lm-TabBar-tab.jp-mod-current[title^='Name: {name}\\a']").wait_for()
        self.page.locator("#jp-main-statusbar").get_by_text("Python 3 (ipykernel) | Idle").wait_for()
        return self.notebook

    def run_all(self) -> None:
        """Run the notebook in front from top to bottom and wait for its last cell."""
        last = self.notebook.locator(".jp-CodeCell .jp-InputPrompt").last
        before = last.inner_text()
        self.page.get_by_role("menuitem", name="Run", exact=True).click()
        self.page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
        last.filter(has_text=re.compile(r"\[\d+\]"), has_not_text=before).wait_for()

    def save(self) -> None:
        """Press Ctrl+S and wait until the server has answered."""
        with self.page.expect_response(lambda answer: answer.request.method == "PUT" and "/api/contents/" in answer.url) as saved:
            self.page.keyboard.press("Control+s")
        assert saved.value.ok

    def assert_content(self) -> None:
        """Assert that nothing asks, complains or calls out."""
        assert self.page.locator(".jp-Dialog").count() == 0
        assert self.page.locator(".Toastify__toast").count() == 0
        assert (self.remote, self.complaints) == ([], [])


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with started_chromium() as started:
        yield started


@pytest.fixture
def sit_down(browser: Any) -> Iterator[Callable[[Lab], Desk]]:
    """Return a function that opens JupyterLab in a window of its own."""
    pages = []

    def open_page(lab: Lab) -> Desk:
        pages.append(browser.new_page(viewport={"width": 1400, "height": 900}))
        return Desk(pages[-1], lab)

    yield open_page
    for page in pages:
        page.close()


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Start JupyterLab on a toy project that was really built."""
    root = toy.make_toy(tmp_path_factory.mktemp("lab") / "project")
    done = toy.ploomber(root, "build")
    assert done.returncode == 0, done.stdout + done.stderr
    with running_lab(root) as lab:
        yield lab


def built_files(root: Path) -> dict[Path, tuple[bytes, int]]:
    """Return bytes and time of change of every product of the build."""
    files = [path for folder in ("artifacts/toy", "reports/toy") for path in (root / folder).rglob("*") if path.is_file()]
    return {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in files if "scratch" not in path.parts}


def test_stages_open_by_double_click_with_their_real_inputs(lab: Lab, sit_down: Callable[[Lab], Desk]):
    desk = sit_down(lab)
    desk.enter("notebooks")
    for name, read, made in (
        ("02_validate", "snapshot.json", "quality.json"),
        ("06_select", "trials_forest.json", "selection.json"),
        ("11_register", "explanation.json", "metrics.json"),
    ):
        cell = desk.open(f"{name}.ipynb").locator(".jp-CodeCell", has_text="This cell was injected automatically")
        assert f'{lab.root}/artifacts/toy/{read}"' in cell.inner_text()
        assert f'{lab.root}/artifacts/toy/scratch/{made}"' in cell.inner_text()
    desk.assert_content()


def test_a_stage_run_and_saved_by_hand_touches_nothing_of_the_build(lab: Lab, sit_down: Callable[[Lab], Desk]):
    before = built_files(lab.root)
    desk = sit_down(lab)
    desk.enter("notebooks")
    panel = desk.open("06_select.ipynb")
    desk.run_all()
    assert panel.locator(".jp-OutputArea-output[data-mime-type='application/vnd.jupyter.stderr']").count() == 0
    scratch = json.loads((lab.root / "artifacts/toy/scratch/selection.json").read_text())
    assert scratch == json.loads((lab.root / "artifacts/toy/selection.json").read_text())
    assert built_files(lab.root) == before

    desk.save()
    saved = json.loads((lab.root / "notebooks/06_select.ipynb").read_text())
    assert [cell["execution_count"] for cell in saved["cells"] if cell["cell_type"] == "code"] == [1, 3, 4]
    assert "injected" not in json.dumps(saved)
    desk.run_all()
    desk.save()
    desk.assert_content()

    done = toy.ploomber(lab.root, "build")
    assert done.returncode == 0, done.stdout + done.stderr
    assert ran(done.stdout) == []
    assert built_files(lab.root) == before


def test_what_ran_of_a_failed_stage_leads_to_the_failing_cell(tmp_path: Path, sit_down: Callable[[Lab], Desk]):
    root = toy.make_toy(tmp_path / "project")
    long = [toy.cell(f"step = {number}\n" + "# a line\n" * 12) for number in range(8)]
    cells = [toy.cell(toy.PARAMETERS, tags=("parameters",)), *long, toy.cell("[][3]  # fails here"), *long]
    (root / "notebooks/01_ingest.ipynb").write_text(toy.notebook([toy.cell("# Fail", "markdown"), *cells]))
    done = toy.ploomber(root, "build")
    assert "reports/toy/01_ingest.ipynb (open it in JupyterLab" in done.stdout + done.stderr
    with running_lab(root) as lab:
        desk = sit_down(lab)
        desk.enter("reports", "toy")
        panel = desk.open("01_ingest.ipynb")
        failing = panel.locator(".jp-CodeCell", has_text="fails here")
        assert not is_in_view(failing)
        panel.get_by_role("link", name="In [11]").click()
        desk.page.wait_for_function(IN_VIEW, arg=failing.element_handle())
        assert "IndexError: list index out of range" in failing.inner_text()
        desk.assert_content()


IN_VIEW = "cell => { const box = cell.getBoundingClientRect(); return box.top > 0 && box.bottom < window.innerHeight }"


def is_in_view(cell: Any) -> bool:
    """Return whether the whole cell can be seen."""
    return bool(cell.evaluate(IN_VIEW))
