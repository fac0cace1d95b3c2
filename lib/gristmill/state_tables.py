"""Tables of a state database, in the SQL of both databases it may be."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Tables:
    """Tables that belong together, made on first use.

    Attributes
    ----------
    name
        One of them; where it exists, all do.
    sqlite, postgres
        The statements that make them.
    """

    name: str
    sqlite: tuple[str, ...]
    postgres: tuple[str, ...]
