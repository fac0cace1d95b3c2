"""A service that runs elsewhere, asked over HTTP in place of the one inside the app."""

import json
import os
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from gristmill.errors import PredictionRefused
from gristmill.serving.api.asked import EXPLAIN, INSTANCES, INTERVAL, SHAP
from gristmill.views.predict.answers import refusal

URL, KEY = "GRISTMILL_SERVICE_URL", "GRISTMILL_SERVICE_KEY"


@dataclass(frozen=True)
class RemoteService:
    """The service of a model at some address.

    Attributes
    ----------
    url
        Where it is, such as ``http://127.0.0.1:8000``.
    token
        Key with the scope ``predict``.
    name
        Of the registered model.
    seconds
        How long an answer may take.
    """

    url: str
    token: str
    name: str
    seconds: float

    @classmethod
    def from_environment(cls, name: str, seconds: float) -> "RemoteService | None":
        """Return the service that ``GRISTMILL_SERVICE_URL`` names, asked with ``GRISTMILL_SERVICE_KEY``; None where it does not.

        Raises
        ------
        PredictionRefused
            The address is none of HTTP.
        """
        url = os.environ.get(URL, "").rstrip("/")
        if not url:
            return None
        if not url.startswith(("http://", "https://")):
            raise PredictionRefused(f"Expected {URL} to be an address such as http://127.0.0.1:8000, got {url!r}.")
        return cls(url, os.environ.get(KEY, ""), name, seconds)

    def ask(self, row: Mapping[str, Any], level: float | None, *, explain: bool = False) -> dict[str, Any]:
        """Return the body of an answer to one row, as :meth:`EmbeddedService.ask` does, with reasons if they are wanted.

        Raises
        ------
        PredictionRefused
            The service cannot be reached, or refuses.
        """
        options = {**({EXPLAIN: SHAP} if explain else {}), **({} if level is None else {INTERVAL: f"{level:g}"})}
        address = f"{self.url}/v1/models/{self.name}/predict{f'?{urlencode(options)}' if options else ''}"
        headers = {"Content-Type": "application/json", **({"Authorization": f"Bearer {self.token}"} if self.token else {})}
        content = json.dumps({INSTANCES: [dict(row)]}).encode()
        request = urllib.request.Request(address, content, headers)  # noqa: S310 - checked to be HTTP
        try:
            with urllib.request.urlopen(request, timeout=self.seconds) as answer:  # noqa: S310
                return dict(json.loads(answer.read()))
        except urllib.error.HTTPError as error:
            raise PredictionRefused(self._refused(error)) from error
        except (OSError, ValueError) as error:
            raise PredictionRefused(
                f"The service at {self.url} does not answer ({error}). Start it, or unset {URL} to let the app predict by itself."
            ) from error

    def _refused(self, error: urllib.error.HTTPError) -> str:
        """Return what a refusal says."""
        try:
            document = json.loads(error.read())
            said = refusal(str(document["detail"]), document)
        except (ValueError, KeyError, TypeError):
            said = f"It answered with the status {error.code}."
        hint = f" {KEY} has to hold a key: `gristmill keys create app --scope predict`." if error.code in (401, 403) else ""
        return f"The service at {self.url} refuses: {said}{hint}"
