"""A case file as text: YAML that people edit, a comment beside every guess."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(?: [A-Za-z0-9_]+)*|[A-Za-z_/][A-Za-z0-9_./:+-]*[A-Za-z0-9_]")
_WORDS_OF_YAML = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n"})
_LONGEST_LIST = 100


@dataclass(frozen=True)
class Guess:
    """One key of a case file, with the reason for its value.

    ``key`` has a dot where it is inside a section; a ``suggested`` key is written as a comment.
    """

    key: str
    value: Any
    why: str | Sequence[str] = ""
    suggested: bool = False

    @property
    def reasons(self) -> list[str]:
        """The reasons, one a line."""
        return [self.why] if isinstance(self.why, str) else list(self.why)


def scalar(value: Any) -> str:
    """Return a value as YAML that a case file reads back as the same value, whatever characters it has."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{scalar(str(key))}: {scalar(item)}" for key, item in value.items()) + "}"
    if not isinstance(value, str):
        return str(value).lower() if isinstance(value, bool) else f"{value}"
    if _PLAIN.fullmatch(value) and value.lower() not in _WORDS_OF_YAML:
        return value
    quoted: str = yaml.safe_dump(value, default_style='"', allow_unicode=True, width=1_000_000)
    return quoted.strip()


def render(guesses: Sequence[Guess], title: str) -> str:
    """Return the text of a case file.

    Parameters
    ----------
    guesses
        Keys and values; those of one section need not stand together.
    title
        Comment at the top.
    """
    lines = [f"# {title}"]
    top = [guess for guess in guesses if "." not in guess.key]
    for guess in top:
        lines += _entry(guess, "")
    sections = dict.fromkeys(guess.key.split(".")[0] for guess in guesses if "." in guess.key)
    for section in sections:
        inside = [guess for guess in guesses if guess.key.startswith(f"{section}.")]
        heading = f"# {section}:" if all(guess.suggested for guess in inside) else f"{section}:"
        lines += ["", heading]
        for guess in inside:
            lines += _entry(guess, "  ")
    return "\n".join(lines) + "\n"


def _entry(guess: Guess, indent: str) -> list[str]:
    """Return the lines of one key: one reason beside it, several above it."""
    key = guess.key.rpartition(".")[2]
    start = f"{indent}# {key}" if guess.suggested else f"{indent}{key}"
    reasons = [_comment(reason) for reason in guess.reasons if reason]
    if isinstance(guess.value, list):
        text = f"{start}: [{', '.join(map(scalar, guess.value))}]"
        if len(text) > _LONGEST_LIST and not guess.suggested:
            text = "\n".join([f"{start}:", *(f"{indent}  - {scalar(item)}" for item in guess.value)])
            return [*(f"{indent}# {reason}" for reason in reasons), text]
    else:
        text = f"{start}: {scalar(guess.value)}"
    if len(reasons) == 1:
        return [f"{text}  # {reasons[0]}"]
    return [*(f"{indent}# {reason}" for reason in reasons), text]


def _comment(text: str) -> str:
    """Return text that stays on the line of its comment."""
    return "".join(character if character.isprintable() else " " for character in text)
