"""What the documents hold: pages, fenced blocks, headings, links, commands."""

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

from tests.conftest import REPOSITORY

PAGES = tuple(sorted([*REPOSITORY.glob("*.md"), *(REPOSITORY / "docs").rglob("*.md")]))
"""Every document of the repository."""

FENCE = re.compile(r"^(?P<indent> *)```(?P<info>[^\n`]*)\n(?P<text>.*?)^(?P=indent)```$", re.MULTILINE | re.DOTALL)
SHELL = ("", "sh")
"""What a fence of commands is marked with; their output may stand beside them."""


@dataclass(frozen=True)
class Block:
    """A fenced block: its page, the line it begins at, what it is marked with, its text."""

    page: Path
    line: int
    info: str
    text: str

    @property
    def place(self) -> str:
        return f"{shown(self.page)}:{self.line}"


def shown(page: Path) -> str:
    """Return a page's path as a person writes it."""
    return page.relative_to(REPOSITORY).as_posix()


def read(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def blocks(page: Path) -> list[Block]:
    """Return the fenced blocks of a page, without their indentation."""
    text = read(page)
    return [
        Block(page, text[: found.start()].count("\n") + 1, found["info"].strip(), _dedented(found["text"], len(found["indent"])))
        for found in FENCE.finditer(text)
    ]


def _dedented(text: str, width: int) -> str:
    return "".join(line[width:] if not line[:width].strip() else line for line in text.splitlines(keepends=True))


def prose(page: Path) -> str:
    """Return a page without its fenced blocks."""
    return FENCE.sub("", read(page))


def links(page: Path) -> list[str]:
    """Return the targets of all links and pictures of a page that lead into the repository."""
    text = re.sub(r"`[^`\n]*`", "", prose(page))
    found = re.findall(r"\]\(<?([^)\s>]+)>?(?: \"[^\"]*\")?\)", text) + re.findall(r"(?:src|srcset|href)=\"([^\"]+)\"", text)
    return [target for target in found if "://" not in target and not target.startswith("mailto:")]


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as GitHub makes them."""
    seen: dict[str, int] = {}
    made = set()
    for heading in re.findall(r"^#{1,6} +(.+?)(?: #+)?$", prose(page), re.MULTILINE):
        words = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", heading)
        slug = re.sub(r"[^\w\- ]", "", words.lower()).replace(" ", "-")
        made.add(slug if slug not in seen else f"{slug}-{seen[slug]}")
        seen[slug] = seen.get(slug, 0) + 1
    return made


@dataclass(frozen=True)
class Command:
    """A command of a fenced block: where it stands, its program, and its words."""

    place: str
    program: str
    words: tuple[str, ...]


def commands(page: Path, *programs: str) -> list[Command]:
    """Return the commands of a page's blocks that begin with one of the programs."""
    found = []
    for block in blocks(page):
        if block.info not in SHELL:
            continue
        for line in block.text.replace("\\\n", " ").splitlines():
            for part in re.split(r"\s+(?:&&|\|\||\|)\s+|;\s+", line.strip()):
                found += _command(block.place, part, programs)
    return found


def _command(place: str, part: str, programs: tuple[str, ...]) -> list[Command]:
    """Return the one command of a part of a line, without what is set before it and what is put after it; or none."""
    bare = re.sub(r"^(?:[A-Z_]+=(?:\"[^\"]*\"|\S*) +)+", "", part.removeprefix("$ "))
    first = bare.split(maxsplit=1)[0].rsplit("/", 1)[-1] if bare else ""
    if first not in programs:
        return []
    try:
        words = shlex.split(bare, comments=True)[1:]
    except ValueError:  # an inner quotation mark of a longer line: no command of ours
        return []
    end = next((place for place, word in enumerate(words) if word in (">", ">>", "2>", "<", "&") or word.startswith("2>")), None)
    return [Command(place, first, tuple(words[:end]))]
