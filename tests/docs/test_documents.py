"""The documents name folders that exist, and nothing in them waits to be filled in."""

import re

import pytest
from tests.conftest import REPOSITORY

DOCUMENTS = sorted(
    path.relative_to(REPOSITORY).as_posix()
    for path in [*REPOSITORY.glob("*.md"), *(REPOSITORY / "docs").rglob("*.md")]
    if "node_modules" not in path.parts
)

GENERATED = {"reports", "artifacts", "data", "mlruns", "state"}
"""Folders that a build makes."""


def read(document: str) -> str:
    return (REPOSITORY / document).read_text(encoding="utf-8")


def test_the_tree_of_the_readme_is_the_tree():
    tree = read("README.md").split("## Where things are")[1].split("```")[1]
    named = {name for line in tree.splitlines() for name in re.findall(r"([\w/]+)/(?= |$)", line.split("  ")[0])}
    assert not {name for name in named - GENERATED if not any((REPOSITORY / place / name).exists() for place in ("", "tests"))}
    folders = {path.name for path in REPOSITORY.iterdir() if path.is_dir() and not path.name.startswith((".", "__"))}
    assert folders - GENERATED - {"htmlcov"} <= set(re.findall(r"[\w-]+", tree))


def test_the_architecture_names_every_folder_of_the_package():
    package = {path.name for path in (REPOSITORY / "lib/gristmill").iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert package <= set(re.findall(r"\w+", read("docs/architecture.md")))


@pytest.mark.parametrize("document", DOCUMENTS)
def test_nothing_is_left_to_be_filled_in(document: str):
    assert not re.findall(r"\b(?:TODO|TBD|FIXME|XXX|[A-Z]+_TIME)\b", read(document))
