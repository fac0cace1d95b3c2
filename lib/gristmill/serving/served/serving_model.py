"""A model that serves: its line-up, and how a new one comes in while the old one answers (R34).

About once a second the release row is read. Where it has moved, the versions that it names are verified, loaded and warmed beside
those that serve, and then the line-up is another object: requests in flight end with the one they began with. A version that cannot
be loaded changes nothing but what ``/readyz``, the metrics and the log say.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from functools import partial
from pathlib import Path

from gristmill.config.sections.operation import Serving
from gristmill.errors import GristmillError, RegistryError
from gristmill.registry import releases
from gristmill.registry.releases import Release
from gristmill.serving.served.registry_process import Located, locate
from gristmill.serving.served.traffic import LineUp
from gristmill.serving.served.versions import ServedVersion

_LOG = logging.getLogger(__name__)

FIRST_PAUSE, LONGEST_PAUSE = 10.0, 300.0
"""Seconds until a version that could not be loaded is tried again; doubled each time."""


class ServingModel:
    """One registered model as it serves in this process.

    Parameters
    ----------
    root
        The project.
    name
        The registered model.
    serving
        The settings of its case.
    on_change
        Told each new line-up, and None where one could not be made.
    on_batch
        Told the number of rows of each batch.
    """

    def __init__(
        self,
        root: Path,
        name: str,
        serving: Serving,
        on_change: Callable[[LineUp | None], None] = lambda _: None,
        on_batch: Callable[[int], None] = lambda _: None,
    ) -> None:
        self.root, self.name, self.serving = root, name, serving
        self.line_up: LineUp | None = None
        self.failure = ""
        self._on_change, self._on_batch = on_change, on_batch
        self._located: dict[int, Located] = {}
        self._loading: Executor = ThreadPoolExecutor(1, thread_name_prefix=f"load-{name}")
        self._failed_token, self._pause, self._again_at = -1, FIRST_PAUSE, 0.0
        self._turn = asyncio.Lock()
        self._trouble = ""
        """What is the matter with the challenger of the line-up, which serves without it."""

    async def start(self) -> LineUp:
        """Load the versions that serve now; the service is not ready before.

        Raises
        ------
        RegistryError
            The model has no champion.
        ArtifactError
            The champion cannot be loaded.
        """
        found = await locate(self.root, self.name)  # makes the release row of a project that is older than it
        self._located[found.version] = found
        return await self._take_in(await self._release())

    async def refresh(self) -> bool:
        """Look whether the release has moved, take in what it names, and return whether anything changed; raises nothing."""
        async with self._turn:  # an older release must not come in after a newer one
            return await self._refresh()

    async def _refresh(self) -> bool:
        loop = asyncio.get_running_loop()
        try:
            release = await self._release()
            serves = self.line_up is not None and release.token == self.line_up.token
            if serves:
                self._tell_failure(self._trouble)
            waits = loop.time() < self._again_at
            if (serves and (not self._trouble or waits)) or (release.token == self._failed_token and waits):
                return False
        except GristmillError as error:
            self._tell_failure(f"The release of {self.name} cannot be read: {error}")
            return False
        try:
            await self._take_in(release)
        except GristmillError as error:
            self._wait(release.token)
            self._tell_failure(f"Version {release.champion} of {self.name} cannot be taken in: {error}")
            return False
        return True

    @contextlib.asynccontextmanager
    async def kept_fresh(self) -> AsyncIterator["ServingModel"]:
        """Follow the release while the block runs."""
        task = asyncio.create_task(self._follow())
        try:
            yield self
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    def close(self) -> None:
        """End the thread that loads."""
        self._loading.shutdown(wait=False, cancel_futures=True)

    async def _follow(self) -> None:
        while True:
            await asyncio.sleep(self.serving.reload_seconds)
            try:
                await self.refresh()
            except Exception:  # noqa: BLE001 - a defect of ours must not end the following
                _LOG.exception("the release of %s could not be followed", self.name)

    async def _release(self) -> Release:
        return await asyncio.get_running_loop().run_in_executor(self._loading, releases.find, self.name, self.root)

    async def _take_in(self, release: Release) -> LineUp:
        """Make the line-up of a release row the one that serves."""
        if release.champion is None:
            raise RegistryError(f"{self.name} has no champion. Promote one: gristmill promote {self.name} --version N")
        champion = await self._version(release.champion)
        challenger, trouble = None, ""
        if release.challenger is not None:
            try:
                challenger = await self._version(release.challenger)
            except GristmillError as error:  # the champion must not wait for it
                trouble = f"The challenger, version {release.challenger} of {self.name}, cannot be loaded: {error}"
        shadow = release.mode == releases.SHADOW
        before, made = self.line_up, LineUp(self.name, release.token, champion, challenger, release.share, shadow)
        self.line_up, self._trouble = made, trouble
        if trouble:
            self._wait(release.token)
        else:
            self._failed_token, self._again_at = -1, 0.0
        if made != before:  # a challenger that failed once more is no change
            self._on_change(made)
        self._tell_failure(trouble)
        return made

    def _wait(self, token: int) -> None:
        """Put off the next attempt at a release of which something could not be loaded, twice as long each time."""
        self._pause = min(self._pause * 2, LONGEST_PAUSE) if token == self._failed_token else FIRST_PAUSE
        self._failed_token, self._again_at = token, asyncio.get_running_loop().time() + self._pause

    async def _version(self, number: int) -> ServedVersion:
        """Return a version, the one that serves already if it does."""
        if self.line_up is not None and number in self.line_up.versions:
            return self.line_up.versions[number][1]
        found = self._located.get(number) or await locate(self.root, self.name, number)
        loop = asyncio.get_running_loop()
        load = partial(ServedVersion.load, self.name, number, found.directory, found.digest, self.serving, self._on_batch)
        try:
            version = await loop.run_in_executor(self._loading, load)
        except GristmillError:
            self._located.pop(number, None)
            raise
        self._located[number] = found
        return version

    def _tell_failure(self, sentence: str) -> None:
        """Keep, log and report a failure once, until it changes."""
        if sentence and sentence != self.failure:
            _LOG.error("%s", sentence)
            self._on_change(None)
        self.failure = sentence
