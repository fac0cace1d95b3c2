"""Take the pictures of the documents from the running product: `make pictures`, in a project whose default case is built.

The product runs on a copy of the project, with a month of predictions in its log, so that the project stays as it is.
"""

import argparse
import io
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from copied_project import copied, filled
from PIL import Image
from playwright.sync_api import Browser, sync_playwright
from programs import started
from scenes import DRAWN, SCENES, Scene

from gristmill.paths import project_root
from gristmill.reporting.dag_svg import write_dag_picture

FOLDER = Path(__file__).parent
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-sync",
    "--hide-scrollbars",
)
MOST_BYTES = 300_000
SECONDS = 120_000.0
"""Milliseconds, as Playwright counts, that a page may take to show what it has to."""


def main() -> None:
    """Take all pictures, or those that are named."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("only", nargs="*", help="names of pictures; all if none is given")
    names = asked.parse_args().only or [scene.file for scene in SCENES]
    scenes = [scene for scene in SCENES if scene.file in names]
    root = project_root()
    write_dag_picture(root / "pipeline.yaml", FOLDER / DRAWN)
    with ExitStack() as stack:
        project = copied(root, Path(stack.enter_context(tempfile.TemporaryDirectory())))
        if any(scene.where != "site" for scene in scenes):
            filled(project)
        places = {where: stack.enter_context(place(where, project)) for where in dict.fromkeys(scene.where for scene in scenes)}
        browser = stack.enter_context(chromium())
        for scene in scenes:
            taken = small(take(browser, scene, places[scene.where]))
            (FOLDER / scene.file).write_bytes(taken)
            print(f"{scene.file}: {len(taken):,} bytes")


@contextmanager
def place(where: str, project: Path) -> Iterator[str]:
    """Give the address at which a part of the product stands while the block runs."""
    if where == "site":
        yield f"{(project / 'reports').as_uri()}/"
        return
    with started(where, project) as address:
        yield address


@contextmanager
def chromium() -> Iterator[Browser]:
    """Give a browser."""
    found = next((path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None)
    if found is None:
        sys.exit("Expected Chromium on the path, found none. Install the package chromium.")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=list(FLAGS))
        yield browser
        browser.close()


def take(browser: Browser, scene: Scene, address: str) -> bytes:
    """Return the picture of a scene as the browser makes it."""
    width, height = scene.size
    page: Any = browser.new_page(
        viewport={"width": width, "height": height},
        device_scale_factor=2 if width < 600 else 1,
        color_scheme="dark" if scene.dark else "light",
        reduced_motion="reduce",
    )
    page.set_default_timeout(SECONDS)
    page.goto(address + scene.path)
    page.get_by_role("heading", name=scene.says).first.wait_for()
    settled(page)
    if scene.act is not None:
        scene.act(page)
        settled(page)
    taken: bytes = page.screenshot()
    page.close()
    return taken


def settled(page: Any) -> None:
    """Wait until Streamlit's and Voila's pages are done: nothing runs, nothing is a placeholder."""
    page.wait_for_load_state("networkidle")
    for sign in ("stStatusWidget", "stSkeleton", "stSpinner"):
        page.locator(f"[data-testid={sign}]").first.wait_for(state="hidden")


def small(picture: bytes) -> bytes:
    """Return a PNG with as many colours as keep it small."""
    image = Image.open(io.BytesIO(picture)).convert("RGB")
    for colours in (256, 128, 64, 32):
        written = io.BytesIO()
        image.quantize(colours, dither=Image.Dither.NONE).save(written, "PNG", optimize=True)
        if written.tell() < MOST_BYTES:
            break
    return written.getvalue()


if __name__ == "__main__":
    main()
