"""A service that ends keeps what it has begun."""

import asyncio
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from tests.served import built

from gristmill.config.loading import load_case
from gristmill.serving.api.asked import Asked
from gristmill.serving.api.service import Service


def test_what_a_shadow_was_given_before_the_end_is_looked_at_and_counted(tmp_path: Path):
    (tmp_path / "pipeline.yaml").write_text("tasks: []\n")
    built(tmp_path)
    service = Service(tmp_path, load_case("small", tmp_path))
    rows = [{"another": "contract"}] * 1000
    version: Any = SimpleNamespace(checker=SimpleNamespace(faults=lambda rows: ([], len(rows))))

    async def serving() -> None:
        async with service.running():
            assert len(rows) > service.apart.few_rows
            asked = Asked("small", None, rows, False, None, None, "request", "key", time.perf_counter())
            service.answering.shadows.follow(version, asked, ["answered"] * len(rows))

    asyncio.run(serving())
    assert 'kind="shadow_bad_rows"} 1.0' in service.metrics.exposition()[0].decode()
