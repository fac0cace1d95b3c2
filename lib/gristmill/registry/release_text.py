"""The release of a model, and what became of it, in lines for people."""

from collections.abc import Iterator
from pathlib import Path

from gristmill.registry import aliases, promotion, releases
from gristmill.registry.promotion import Outcome
from gristmill.registry.releases import Entry, Release
from gristmill.registry.versions import CHALLENGER, CHAMPION
from gristmill.reporting.wording import moment, share

CARD_LINE = "The model card of a version is card.md, and as a page card.html, among its files; its description is the card's head."


def outcome_lines(outcome: Outcome) -> list[str]:
    """Return the lines that ``promote`` and ``rollback`` print."""
    lines = list(outcome.notes)
    if outcome.entry is not None:
        entry = outcome.entry
        if entry.action == releases.CHANGED:
            return [*lines, release_line(outcome.release)]
        done = "promoted to" if entry.action == releases.PROMOTED else "rolled back to be"
        before = f", in the place of version {entry.before}" if entry.before is not None else ""
        lines.append(f"{entry.model} version {entry.after} is {done} {entry.alias}{before}.")
    return [*lines, release_line(outcome.release)]


def release_line(release: Release) -> str:
    """Return what serves, as one line."""
    held = ", ".join(_held(release))
    if not held:
        return f"{release.model}: no version is released."
    return f"{release.model}: {held}; moved {moment(release.at)} by {release.who} (token {release.token})."


def _held(release: Release) -> Iterator[str]:
    """Give each alias that means a version, with it."""
    for alias, version in release.versions.items():
        if version is not None:
            traffic = f" ({release.mode}, {share(release.share)} of the traffic)" if alias == CHALLENGER else ""
            yield f"{alias} version {version}{traffic}"
        elif alias == CHAMPION:
            yield "no champion"


def history_lines(model: str, root: Path | None = None) -> list[str]:
    """Return the lines of ``gristmill history``: the release, what was repaired just now, and the record, the newest first.

    Raises
    ------
    RegistryError
        There is no such model.
    """
    promotion.registered(model, None, root)
    aliases.opened(model, root)
    repairs = [repair.sentence for repair in aliases.reconcile(model, root)]
    entries = releases.history(model, root)
    lines = [release_line(releases.find(model, root)), *repairs]
    if not entries:
        return [*lines, "Nothing was promoted, refused or rolled back yet."]
    return [*lines, *(entry_line(entry) for entry in reversed(entries)), CARD_LINE]


def entry_line(entry: Entry) -> str:
    """Return one line of the record: when, what, which versions, who, gates, why."""
    moved = f"{_version(entry.before)} -> {_version(entry.after)}"
    what = f"{moment(entry.at):<20}  {entry.action:<11}  {entry.alias:<10}  {moved:<12}  {entry.who}"
    return "  ".join([what, *(part for part in (_gates(entry), entry.reason) if part)])


def _version(number: int | None) -> str:
    """Return a version, or a dash."""
    return "-" if number is None else str(number)


def _gates(entry: Entry) -> str:
    """Return how the gates stood, where they were looked at."""
    if not entry.gates:
        return ""
    passed, failed = int(entry.gates.get("passed", 0)), list(entry.gates.get("failed", ()))
    text = f"{passed} of {passed + len(failed)} gates passed"
    return f"[{text}; failed: {', '.join(failed)}]" if failed else f"[{text}]"
