"""Every picture in the documents is one that `make pictures` takes of the running product, and none is large."""

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import REPOSITORY
from tests.docs.pages import PAGES, links, read, shown

FOLDER = REPOSITORY / "docs" / "pictures"


@pytest.fixture(scope="module")
def scenes() -> Iterator[Any]:
    sys.path.insert(0, str(FOLDER))
    import scenes as module  # noqa: PLC0415 - beside the script, as the script imports it

    yield module
    sys.path.remove(str(FOLDER))


def test_the_pictures_there_are_are_those_that_are_taken(scenes: Any):
    there = {path.name for path in FOLDER.iterdir() if path.suffix in {".png", ".svg", ".jpg", ".gif"}}
    taken = [scene.file for scene in scenes.SCENES] + [scenes.DRAWN]
    assert there == set(taken)
    assert len(taken) == len(set(taken))


def test_every_picture_is_shown_and_every_one_that_is_shown_is_taken(scenes: Any):
    targets = {(page.parent / link).resolve() for page in PAGES for link in links(page)}
    shown_pictures = {target.name for target in targets if target.suffix in {".png", ".svg", ".jpg", ".gif"}}
    assert shown_pictures == {scene.file for scene in scenes.SCENES} | {scenes.DRAWN}


@pytest.mark.parametrize("page", PAGES, ids=shown)
def test_every_picture_says_in_words_what_it_shows(page: Path):
    words = re.findall(r"!\[([^\]]*)\]\(|<img[^>]*alt=\"([^\"]*)\"", read(page))
    assert all(len(markdown + html) >= 15 for markdown, html in words)


def test_pictures_are_small():
    assert not [path.name for path in FOLDER.glob("*.png") if path.stat().st_size >= 300_000]


def test_scenes_are_of_the_default_case_and_of_stages_that_there_are(scenes: Any):
    stages = {path.stem for path in (REPOSITORY / "notebooks").glob("*.ipynb")}
    reports = [Path(scene.path.partition("#")[0]).stem for scene in scenes.SCENES if scene.where == "site" and "/" in scene.path]
    assert set(reports) <= stages | {"index", "builds", "model_card", "design"}
    assert (REPOSITORY / "configs" / f"{scenes.CASE}.yaml").exists()
