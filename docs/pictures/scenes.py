"""What the pictures show: each a page of the running product, how wide, in which colours, and what is done on it first."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

DESKTOP, PHONE = (1280, 1000), (390, 844)
CASE = "churn"

UPLOAD = "customers.csv"
"""Customers to upload, written into the copied project; one of them has a text where a number belongs."""


@dataclass(frozen=True)
class Scene:
    """One picture.

    Attributes
    ----------
    file
        Its name in this folder.
    where
        ``site`` (the reports, from the disk), ``app`` or ``explorer``.
    path
        The page there.
    says
        Words of a heading that is to be seen before the picture is taken.
    size
        Width and height of the window.
    dark
        Whether the reader likes it dark.
    act
        What is done on the page first, with a page of Playwright.
    """

    file: str
    where: str
    path: str
    says: str
    size: tuple[int, int] = DESKTOP
    dark: bool = False
    act: Callable[[Any], None] | None = None


def predicted(page: Any) -> None:
    """Ask for the prediction of the row in the form, and look at the answer."""
    page.get_by_role("button", name="Predict").click()
    page.get_by_role("heading", name="Similar past rows").wait_for()
    page.get_by_text("Without knowing anything of the row").first.wait_for()  # the reasons take longest
    shown(page, "The answer")


def scored(page: Any) -> None:
    """Upload a table with a bad row, and look at what became of it."""
    page.locator("input[type=file]").set_input_files(UPLOAD)
    page.get_by_text(UPLOAD).first.wait_for()
    page.get_by_role("button", name="Score").click()
    page.get_by_role("heading", name="Rows without a prediction").wait_for()
    shown(page, "The predictions")


def searched(page: Any) -> None:
    """Look for something."""
    page.get_by_role("searchbox").first.fill("calibration threshold")
    page.get_by_role("link", name="churn").first.wait_for()


def shown(page: Any, heading: str) -> None:
    """Bring a heading to the top of the window."""
    page.get_by_role("heading", name=heading).first.evaluate("heading => heading.scrollIntoView()")


SCENES = (
    Scene("reports.png", "site", "index.html", "", size=(1280, 480)),
    Scene("case.png", "site", f"{CASE}/index.html", "Gates"),
    Scene("case-dark.png", "site", f"{CASE}/index.html", "Gates", dark=True),
    Scene("case-phone.png", "site", f"{CASE}/index.html", "Gates", size=PHONE),
    Scene("stage.png", "site", f"{CASE}/07_evaluate.html#look-behind-the-metrics", "Look behind"),
    Scene("card.png", "site", f"{CASE}/model_card.html", "Model card"),
    Scene("builds.png", "site", f"{CASE}/builds.html", "Builds of"),
    Scene("search.png", "site", "search.html", "Search", act=searched),
    Scene("app-predict.png", "app", f"?case={CASE}", "Predict", act=predicted),
    Scene("app-predict-phone.png", "app", f"?case={CASE}", "Predict", size=PHONE, act=predicted),
    Scene("app-batch.png", "app", f"batch?case={CASE}", "Batch", act=scored),
    Scene("app-monitoring.png", "app", f"monitoring?case={CASE}", "Errors"),
    Scene("app-monitoring-dark.png", "app", f"monitoring?case={CASE}", "Errors", dark=True),
    Scene("app-models.png", "app", f"models?case={CASE}", "Versions"),
    Scene("app-reports.png", "app", f"reports?case={CASE}", "Reports"),
    Scene("app-data.png", "app", f"data?case={CASE}", "Data contract"),
    Scene("explorer.png", "explorer", "", "Explore"),
    Scene("explorer-phone.png", "explorer", "", "Explore", size=PHONE, dark=True),
)
"""All pictures but the DAG's, which is drawn from ``pipeline.yaml``."""

DRAWN = "dag.svg"
