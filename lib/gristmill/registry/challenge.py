"""A challenger beside the champion: in the shadow, with a share of the traffic, or no more (R34).

Which version it is moves as every alias does, with its gates; how much of the traffic it gets is a move of its own, recorded like
the others.
"""

from dataclasses import replace
from pathlib import Path

from gristmill.errors import RegistryError
from gristmill.registry import aliases, promotion, releases
from gristmill.registry.promotion import Outcome
from gristmill.registry.releases import Entry, Release
from gristmill.registry.versions import CHALLENGER

SHADOW_WORDS = "predicts in the shadow"


def challenge(
    model: str, version: int | None = None, share: float | None = None, reason: str = "", root: Path | None = None
) -> Outcome:
    """Let a version be the challenger, and say how much of the traffic it answers.

    Parameters
    ----------
    model
        The registered model, which has the name of the case.
    version
        Which of its versions; the present challenger when omitted.
    share
        Of the traffic, above 0 and up to 1, that it answers; None to predict in the shadow, for the log alone.
    reason
        Why, for the record.
    root
        The project; found from the working directory when omitted.

    Raises
    ------
    GateError
        The version may not be the challenger; the refusal is recorded.
    RegistryError
        There is no such model or version, no champion to challenge, no challenger where no version is named, or the share is none.
    ReleaseConflictError
        Somebody else moved the release at the same time.
    """
    if share is not None and not 0 < share <= 1:
        raise RegistryError(
            f"Expected a share of the traffic above 0 and up to 1, got {share!r}. Without one: --shadow, or --stop."
        )
    release = aliases.opened(model, root)
    if version is None and release.challenger is None:
        raise RegistryError(f"{model} has no challenger. Name a version: gristmill challenge {model} VERSION --shadow")
    notes: tuple[str, ...] = ()
    if version is not None and version != release.challenger:
        promoted = promotion.promote(model, version, CHALLENGER, reason, root)
        release, notes = promoted.release, promoted.notes
    mode = releases.SHADOW if share is None else releases.LIVE
    return _changed(release, replace(release, share=share or 0.0, mode=mode), reason, notes, root)


def stop(model: str, reason: str = "", root: Path | None = None) -> Outcome:
    """Let there be no challenger any more; raises as :func:`challenge`."""
    release = aliases.opened(model, root)
    if release.challenger is None:
        return Outcome(release, None, (f"{model} has no challenger; nothing was moved.",))
    outcome = _changed(release, release.with_version(CHALLENGER, None), reason or "stopped", (), root)
    aliases.reconcile(model, root)
    return outcome


def _changed(release: Release, after: Release, reason: str, notes: tuple[str, ...], root: Path | None) -> Outcome:
    """Move the row, with an entry about it, unless it is so already."""
    if (after.challenger, after.share, after.mode) == (release.challenger, release.share, release.mode):
        return Outcome(release, None, notes)
    words = SHADOW_WORDS if after.mode == releases.SHADOW else f"answers {after.share:.10g} of the traffic"
    said = "; ".join(part for part in ("" if after.challenger is None else words, reason.strip()) if part)
    entry = Entry(release.model, releases.CHANGED, CHALLENGER, release.challenger, after.challenger, said)
    made = releases.move(release, after, (entry,), root)
    return Outcome(made, entry, notes)
