"""Keeps the environment's secrets out of executed notebooks, reports and messages.

A secret is the value of a variable whose name says so, or the password inside a URL. It is looked for as it stands and as JSON,
HTML and URLs would write it.
"""

import html
import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, quote_plus, unquote, urlsplit

REDACTED = "[redacted]"
SHORTEST_SECRET = 6
"""Values with fewer characters are not looked for: they would be found in ordinary words."""

_NAME_OF_A_SECRET = re.compile(
    r"(?:^|_)(?:KEY|APIKEY|TOKEN|SECRET|SECRETS|PASSWORD|PASSWD|PASSPHRASE|PASS|CREDENTIAL|CREDENTIALS|DSN|WEBHOOK|AUTH|"
    r"PAT|COOKIE)(?:_|$)|_PWD(?:_|$)|(?:API|ACCESS|SECRET|PRIVATE)_?KEY|CONNECTION_?STRING|PASSWORD|SECRET|TOKEN",
    re.IGNORECASE,
)
_NAME_OF_A_PASSWORD = re.compile(r"PASSWORD|PASSWD|PASSPHRASE|_PWD(?:_|$)|(?:^|_)(?:PASS|SECRET)(?:_|$)", re.IGNORECASE)
"""Their values are secrets even if they are numbers; a number behind another name is a limit more often than a secret."""
_NAMES_OF_PATHS = {"SSH_AUTH_SOCK"}
_HARMLESS = re.compile(r"^(?:true|false|none|null|default|enabled|disabled|[\d.]+)$", re.IGNORECASE)


class Redactor:
    """Replaces secrets in texts.

    Parameters
    ----------
    environment
        The environment whose secrets are meant.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        forms = {form for secret in _secrets(environment) for form in _forms(secret)}
        longest_first = sorted(forms, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, longest_first))) if forms else None

    def text(self, text: str) -> str:
        """Return ``text`` without secrets."""
        return self._pattern.sub(REDACTED, text) if self._pattern is not None else text

    def value(self, value: Any) -> Any:
        """Return a nested value of mappings, lists and texts without secrets."""
        if self._pattern is None:
            return value
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, list):
            return [self.value(item) for item in value]
        if isinstance(value, Mapping):
            return {key: self.value(item) for key, item in value.items()}
        return value

    def outputs(self, notebook: Any) -> None:
        """Remove secrets from the outputs of a notebook, in place; a text that arrived in pieces is joined first."""
        if self._pattern is None:
            return
        for cell in notebook.cells:
            _join_streams(cell.get("outputs", []))
            for output in cell.get("outputs", ()):
                for key in ("text", "data", "evalue", "traceback"):
                    if key in output:
                        output[key] = self.value(output[key])


def _join_streams(outputs: list[Any]) -> None:
    """Join neighbouring pieces of one stream, in place: a secret may have been cut in two."""
    place = 1
    while place < len(outputs):
        before, piece = outputs[place - 1], outputs[place]
        if before.get("output_type") == piece.get("output_type") == "stream" and before.get("name") == piece.get("name"):
            before["text"] = "".join(before["text"]) + "".join(piece["text"])
            del outputs[place]
        else:
            place += 1


def _secrets(environment: Mapping[str, str]) -> set[str]:
    """Return the secret values of an environment."""
    found = set()
    for name, value in environment.items():
        if _NAME_OF_A_SECRET.search(name) and name not in _NAMES_OF_PATHS:
            certain = _NAME_OF_A_PASSWORD.search(name) and value.isdigit()
            found.update([value] if certain or not _HARMLESS.match(value) else [])
        if "://" in value:
            found.update(_passwords(value))
    return {value for value in found if len(value) >= SHORTEST_SECRET}


def _passwords(url: str) -> set[str]:
    """Return the password inside a URL, as written and as meant."""
    try:
        password = urlsplit(url).password
    except ValueError:
        return set()
    return {password, unquote(password)} if password else set()


def _forms(secret: str) -> set[str]:
    """Return how a secret may be written."""
    escaped = json.dumps(secret)[1:-1]
    in_urls = {quote(secret, safe=""), quote_plus(secret)}
    return {secret, escaped, repr(secret)[1:-1], html.escape(secret), html.escape(escaped), *in_urls}
