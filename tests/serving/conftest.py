"""One running service for all tests that change nothing of it."""

from collections.abc import Iterator

import pytest
from tests.service import Running, service_project, start


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Give a service with two versions, of which the first is the champion."""
    running = start(service_project(tmp_path_factory.mktemp("service") / "project"))
    yield running
    assert running.stop() == 0
