"""Promotion and rollback through the page of models, and what axe says of four pages; in a real browser."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from tests.app.accessibility import violations
from tests.app.conftest import SECONDS_TO_LOAD, StartedApp, app_project, starting
from tests.app.test_watching_pages import fill
from tests.watched import with_reference

from gristmill.registry import releases

pytestmark = [pytest.mark.slow, pytest.mark.browser]


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StartedApp]:
    """Give the app of a project in which there is something to see."""
    with ThreadPoolExecutor(1) as apart:  # the browser's own event loop runs in this thread, and the log wants one too
        root = apart.submit(_filled, tmp_path_factory.mktemp("released") / "project").result()
    with starting(root) as running:
        yield running


def _filled(root: Path) -> Path:
    with_reference(app_project(root))
    return fill(root)


@pytest.fixture
def page(browser: Any, request: pytest.FixtureRequest) -> Any:
    width, scheme = getattr(request, "param", (1280, "light"))
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    opened = context.new_page()
    opened.set_default_timeout(SECONDS_TO_LOAD * 1000)
    yield opened
    context.close()


def test_a_version_is_promoted_and_rolled_back_with_a_real_key_alone(page: Any, app: StartedApp):
    page.goto(f"{app.url}/models?case=small")
    page.get_by_role("heading", name="Promote or roll back").wait_for()
    key = page.get_by_role("textbox", name="Admin key")
    key.fill("gm_000000000000_" + "x" * 43)
    key.press("Enter")
    page.get_by_text("Expected a valid key").wait_for()
    assert page.get_by_role("button", name="Promote", exact=True).count() == 0

    key.fill(app.admin_key)
    key.press("Enter")
    page.get_by_text("Its gates allow it.").wait_for()
    page.get_by_role("textbox", name="Reason for the promotion").fill("it is newer")
    page.get_by_role("textbox", name="Reason for the promotion").press("Enter")
    page.get_by_text("Yes, version 2 is to be the champion of small.").click()
    page.get_by_role("button", name="Promote", exact=True).click()
    page.get_by_text("small: champion version 2").first.wait_for()
    assert releases.find("small", app.root).champion == 2
    page.get_by_role("cell", name="it is newer").wait_for()

    page.get_by_text("Reading the registry").wait_for(state="hidden")
    assert key.input_value() == ""  # each move asks for it
    key.fill(app.admin_key)
    key.press("Enter")
    page.get_by_role("tab", name="Roll back").click()
    page.get_by_role("textbox", name="Reason for the rollback").fill("it is worse")
    page.get_by_role("textbox", name="Reason for the rollback").press("Enter")
    page.get_by_text("Yes, small is to go back to version 1.").click()
    page.get_by_role("button", name="Roll back", exact=True).click()
    page.get_by_text("small: champion version 1").first.wait_for()
    page.get_by_role("cell", name="it is worse").wait_for()
    entries = releases.history("small", app.root)
    assert [(one.action, one.after) for one in entries[-2:]] == [("promoted", 2), ("rolled back", 1)]
    assert all(one.who.endswith("(app tests)") for one in entries[-2:])
    assert app.admin_key not in page.url
    assert app.admin_key not in (app.root / "app.log").read_text()
    assert not any(app.admin_key.encode() in file.read_bytes() for file in Path(app.root / "state").iterdir() if file.is_file())


LAST = {
    "monitoring": "Performance with late labels",
    "models": "Audit trail",
    "reports": "01 Ingest",
    "data": "Differences between versions",
}


@pytest.mark.parametrize("page", [(1280, "light"), (390, "dark")], indirect=True)
def test_the_address_of_a_page_opens_it_with_its_case_and_axe_has_nothing_grave_to_say(page: Any, app: StartedApp):
    for name, last in LAST.items():
        page.goto(f"{app.url}/{name}?case=small")
        page.get_by_role("heading", name=last, exact=True).wait_for()
        if name == "models":
            page.get_by_role("heading", name="Promote or roll back").wait_for()
        page.wait_for_function("() => !document.querySelector('[data-testid=stStatusWidget]')")
        assert page.get_by_role("heading", level=1).inner_text() == name.capitalize()
        assert page.locator("[data-testid=stSidebarNavLink]").count() == 6
        assert violations(page) == [], name
        assert not page.evaluate("() => document.documentElement.scrollWidth > window.innerWidth + 1"), name
