"""Which version answers a request: champion and challenger side by side, each user always with the same one (R34).

A line-up never changes; a release that moves makes another. Who has taken one keeps it to the end of the request, so that no answer
mixes versions.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from gristmill.serving.prediction_log.subjects import subject_text
from gristmill.serving.served.versions import ServedVersion

Role = Literal["champion", "challenger", "shadow"]
CHAMPION: Final = "champion"
CHALLENGER: Final = "challenger"
SHADOW: Final = "shadow"

_POINTS = 1 << 64


@dataclass(frozen=True)
class LineUp:
    """The versions of one model that serve at a moment.

    Attributes
    ----------
    name
        The registered model.
    token
        Of the release row that says so.
    champion
        Answers what the challenger does not.
    challenger
        Answers a share of the requests, or none; None where there is no challenger.
    share
        From 0 to 1: of the sticky keys that the challenger answers.
    shadow
        Whether the challenger predicts beside the champion, for the log alone.
    """

    name: str
    token: int
    champion: ServedVersion
    challenger: ServedVersion | None = None
    share: float = 0.0
    shadow: bool = False

    @property
    def versions(self) -> dict[int, tuple[Role, ServedVersion]]:
        """Version -> what it is in the line-up, and the version."""
        found: dict[int, tuple[Role, ServedVersion]] = {self.champion.version: (CHAMPION, self.champion)}
        if self.challenger is not None:
            found.setdefault(self.challenger.version, (CHALLENGER, self.challenger))
        return found

    @property
    def splits(self) -> bool:
        """Whether the challenger answers anything."""
        return self.challenger is not None and not self.shadow and self.share > 0

    def answering(self, key: str) -> tuple[Role, ServedVersion]:
        """Return the role and the version that answers whoever has a sticky key; the same key, share and pair give the same."""
        if self.challenger is None or not self.splits:
            return CHAMPION, self.champion
        if point(key, self.name) < self.share:
            return CHALLENGER, self.challenger
        return CHAMPION, self.champion

    @property
    def in_shadow(self) -> ServedVersion | None:
        """The version that predicts for the log alone, if there is one."""
        return self.challenger if self.shadow else None


def point(key: str, salt: str) -> float:
    """Return where a key lies between 0 and 1, evenly over all keys, whichever process asks.

    With a share that grows, who was with the challenger stays there.
    """
    digest = hashlib.blake2b(key.encode("utf-8", "surrogatepass"), digest_size=8, key=salt.encode()[:64]).digest()
    return int.from_bytes(digest, "big") / _POINTS


def sticky_key(header: str | None, rows: Sequence[Mapping[str, object]], id_columns: Sequence[str], otherwise: str) -> str:
    """Return what keeps a user with one version: the header if it was sent, else what names the first row, else ``otherwise``."""
    if header:
        return header
    named = [subject_text(rows[0][name]) for name in id_columns if rows and rows[0].get(name) is not None]
    return "\x1f".join(named) if named else otherwise
