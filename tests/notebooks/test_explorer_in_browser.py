"""The explorer as `make voila` serves it, in a real browser: for a person who reads no code."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.chromium import started_chromium
from tests.conftest import copy_project
from tests.explored import explorable

from gristmill.paths import case_paths
from gristmill.views.explorer.decisions import decide, stakes_of, threshold_for
from gristmill.views.explorer.evaluated import Evaluated, evaluated

pytestmark = [pytest.mark.slow, pytest.mark.browser]

PATIENCE = 180.0
SERIOUS = ("serious", "critical")


def start(root: Path, port: int, log: Any) -> subprocess.Popen[bytes]:
    """Start Voila in the project's folder as the Makefile does."""
    return subprocess.Popen(
        [sys.executable, "-m", "voila", "notebooks/41_explorer.ipynb", f"--port={port}"],
        cwd=root, env={**os.environ, "GRISTMILL_CASE": "small"}, stdout=log, stderr=log, start_new_session=True,
    )  # fmt: skip


@contextmanager
def explorer(root: Path) -> Iterator[str]:
    """Serve the explorer until the block ends; give its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = root / "voila.log"
    with log.open("wb") as file:
        server = start(root, port, file)
    try:
        deadline = time.monotonic() + PATIENCE
        while b"running at" not in log.read_bytes():
            assert server.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.05)
        yield f"http://127.0.0.1:{port}/"
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.wait(timeout=60)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = copy_project(tmp_path_factory.mktemp("explorer") / "project")
    explorable(made)
    return made


@pytest.fixture(scope="module")
def model(root: Path) -> Evaluated:
    return evaluated(case_paths("small", root))


@pytest.fixture(scope="module")
def page(root: Path) -> Iterator[Any]:
    with explorer(root) as address, started_chromium() as browser:
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.set_default_timeout(1000 * PATIENCE)
        page.asked, page.errors = [], []
        page.on("request", lambda request: page.asked.append(request.url))
        page.on("pageerror", lambda error: page.errors.append(str(error)))
        page.address = address
        page.goto(address, wait_until="domcontentloaded")
        page.get_by_role("slider", name="Act from a probability of").first.wait_for()
        yield page


def sentence(model: Evaluated, threshold: float) -> str:
    stakes = stakes_of(model.case.threshold)
    return decide(model.scores, model.positives, threshold, stakes).in_words(stakes, "Yes")


def test_moving_the_threshold_tells_what_it_comes_to(page: Any, model: Evaluated) -> None:
    said = page.get_by_role("status").first
    assert said.inner_text() == sentence(model, 0.4)
    page.get_by_role("slider", name="Act from a probability of").first.press("ArrowRight")
    page.get_by_text(sentence(model, 0.41)).wait_for()
    page.get_by_label("Cost of acting on one").fill("5")
    page.get_by_label("Cost of acting on one").press("Tab")
    page.get_by_label("Cost of acting on one").press("Enter")
    capacity = page.get_by_role("slider", name="Act on at most (% of rows)")
    capacity.press("Home")
    page.get_by_text("acts on 0 of 400 rows").wait_for()
    assert threshold_for(model.scores, 0.0) > model.scores.max()


def test_nothing_comes_from_another_host_and_no_code_is_shown(page: Any) -> None:
    assert page.title() == "Explore the evaluated model"
    assert [url for url in page.asked if not url.startswith((page.address, "data:", "blob:"))] == []
    assert "token" not in page.url
    text = page.locator("body").inner_text()
    assert "import" not in text
    assert "panels.acting" not in text
    assert page.errors == []


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_the_page_is_read_on_a_phone_in_the_dark_and_by_everyone(page: Any, width: int, scheme: Any) -> None:
    from axe_playwright_python.sync_playwright import Axe  # noqa: PLC0415

    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme=scheme)
    found = Axe().run(page).response["violations"]
    assert [(one["id"], [node["html"] for node in one["nodes"]][:3]) for one in found if one["impact"] in SERIOUS] == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_a_case_that_is_not_built_is_one_sentence_and_not_a_page(tmp_path: Path) -> None:
    root = copy_project(tmp_path / "project")
    explorable(root)
    (root / "artifacts" / "small" / "selection.json").unlink()
    with (root / "log").open("wb") as log:
        assert start(root, 1, log).wait(timeout=PATIENCE) == 2
    (line,) = [one for one in (root / "log").read_text().splitlines() if not one.startswith("[Voila]")]
    assert line.startswith("Expected selection.json in ")
    assert line.endswith("`make run CASE=small`.")
