"""A service that ends keeps what it has begun."""

import asyncio
import time
from pathlib import Path

from tests.service import NAME, release, rows_of, service_project

from gristmill.config.loading import load_case
from gristmill.registry import releases
from gristmill.serving.api.asked import Asked
from gristmill.serving.api.service import Service
from gristmill.serving.prediction_log.reader import LogReader


def test_what_a_shadow_was_given_before_the_end_is_predicted_and_logged(tmp_path: Path):
    root, ids = service_project(tmp_path), [f"answered-{number}" for number in range(100)]
    release(root, champion=1, challenger=2, mode=releases.SHADOW)

    async def serving() -> None:
        service = Service(root, load_case(NAME, root))
        async with service.running(), service.loaded():
            line_up = service.answering.line_up(NAME)
            assert line_up.in_shadow is not None
            assert len(ids) > service.apart.few_rows
            asked = Asked(NAME, None, rows_of(100), False, None, None, "request", "key", time.perf_counter())
            service.answering.shadows.follow(line_up.in_shadow, asked, ids)

    asyncio.run(serving())
    logged = LogReader(root).last(1000)
    assert [(one.beside, one.role, one.version) for one in logged[::-1]] == [(name, "shadow", "2") for name in ids]
