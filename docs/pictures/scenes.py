"""What the pictures show: each a page of the running product, how wide, in which colours, and what is done on it first."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

DESKTOP, PHONE = (1280, 1000), (390, 844)
CASE = "churn"


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


SCENES = (
    Scene("reports.png", "site", "index.html", "", size=(1280, 480)),
    Scene("case.png", "site", f"{CASE}/index.html", "Gates"),
    Scene("case-dark.png", "site", f"{CASE}/index.html", "Gates", dark=True),
    Scene("case-phone.png", "site", f"{CASE}/index.html", "Gates", size=PHONE),
    Scene("stage.png", "site", f"{CASE}/07_evaluate.html#look-behind-the-metrics", "Look behind"),
    Scene("card.png", "site", f"{CASE}/model_card.html", "Model card"),
)
"""All pictures but the DAG's, which is drawn from ``pipeline.yaml``."""

DRAWN = "dag.svg"
