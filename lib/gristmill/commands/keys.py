"""``gristmill keys``: who may call the prediction service, and for what."""

from datetime import UTC, datetime
from typing import Annotated, Optional

import typer

from gristmill.config.durations import seconds
from gristmill.errors import DurationError
from gristmill.paths import project_root

app = typer.Typer(no_args_is_help=True, help="Keys of the prediction service: made, listed, revoked, rotated.")

KeyId = Annotated[str, typer.Argument(metavar="ID", help="Id of a key, as `gristmill keys list` shows it.")]
_SHORT = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def duration(text: str) -> float:
    """Return how many seconds ``90d``, ``12h`` or ``90 days`` has.

    Raises
    ------
    DurationError
        It is no length of time above zero.

    Examples
    --------
    >>> duration("12h"), duration("1 day")
    (43200.0, 86400.0)
    """
    written = text.strip()
    try:
        return seconds(
            f"{written[:-1]} {_SHORT[written[-1:]]}" if written[-1:] in _SHORT and written[:-1].strip().isdigit() else written
        )
    except ValueError:
        raise DurationError(f"Expected a length of time above zero such as `90d`, `12h` or `90 days`, got {text!r}.") from None


@app.command()
def create(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Who or what it is for.")],
    scope: Annotated[
        list[str], typer.Option("--scope", help="What it allows: predict, feedback, admin or metrics; may be repeated.")
    ],
    expires: Annotated[str, typer.Option("--expires", help="How long it works: `90d`, `12h`.")] = "90d",
    requests_per_second: Annotated[
        Optional[float],  # noqa: UP045
        typer.Option("--requests-per-second", help="A limit of its own; that of the case file if not given."),
    ] = None,
) -> None:
    """Make a key and print it, once: only its hash is kept."""
    from gristmill.serving.keys.store import KeyStore  # noqa: PLC0415

    token, key = KeyStore(project_root()).create(name, scope, duration(expires), requests_per_second)
    _show_once(token, f"Made the key {key.id} for {key.name}: {', '.join(sorted(key.scopes))}, until {key.expires_at}.")


@app.command("list")
def list_keys(
    history: Annotated[bool, typer.Option("--history", help="Show what was done with keys instead: when, by whom.")] = False,  # noqa: FBT002
) -> None:
    """Show all keys: id, name, what they allow, until when, and whether they work. The keys themselves are kept nowhere."""
    from gristmill.serving.keys.store import KeyStore  # noqa: PLC0415

    store = KeyStore(project_root())
    if history:
        for event in store.history():
            typer.echo(f"{event.at}  {event.who}  {event.action} {event.key}  {event.detail}")
        return
    now = datetime.now(UTC).timestamp()
    stored = store.all()
    for one in stored:
        key, scopes = one.key, ",".join(sorted(one.key.scopes))
        own = "" if key.requests_per_second is None else f"  {key.requests_per_second:g} requests/s"
        typer.echo(f"{key.id}  {one.state(now):<8}{key.name:<24}{scopes:<32}until {key.expires_at}{own}")
    if not stored:
        typer.echo("There are no keys. Make one: `gristmill keys create NAME --scope predict`.")


@app.command()
def revoke(identity: KeyId) -> None:
    """Revoke a key for good; a running service refuses it within about a second (`serving.limits.key_refresh_seconds`)."""
    from gristmill.serving.keys.store import KeyStore  # noqa: PLC0415

    key = KeyStore(project_root()).revoke(identity)
    typer.echo(f"Revoked the key {key.id} of {key.name}.")


@app.command()
def rotate(
    identity: KeyId,
    overlap: Annotated[
        str, typer.Option("--overlap", help="How long the old key goes on working: `1d`; `0` ends it at once.")
    ] = "1d",
) -> None:
    """Make a key that allows the same, print it once, and let the old one end after a while."""
    from gristmill.serving.keys.store import KeyStore  # noqa: PLC0415

    token, key = KeyStore(project_root()).rotate(identity, 0.0 if overlap.strip() == "0" else duration(overlap))
    _show_once(token, f"Made the key {key.id} for {key.name}, until {key.expires_at}; {identity} ends after {overlap}.")


def _show_once(token: str, sentence: str) -> None:
    """Print a key alone on standard output, so that it can be piped, and the sentence about it beside it."""
    typer.echo(f"{sentence} It is shown this once; keep it in a safe place:", err=True)
    typer.echo(token)
