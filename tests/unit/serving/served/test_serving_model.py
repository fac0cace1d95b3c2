"""What becomes of a release of which a version cannot be loaded (R34)."""

import asyncio
from pathlib import Path

import pytest
from tests.models import save_model

from gristmill.config.sections.operation import Serving
from gristmill.registry.releases import Release
from gristmill.serving.served.registry_process import Located
from gristmill.serving.served.serving_model import ServingModel
from gristmill.serving.served.traffic import LineUp


def test_a_challenger_that_cannot_be_loaded_is_tried_again_soon_and_then_less_often(tmp_path: Path):
    digest = save_model(tmp_path / "1", threshold=0.5)
    release, told = Release("small", 1, 2, share=0.0, token=7), list[LineUp | None]()

    async def attempts() -> None:
        model = ServingModel(tmp_path, "small", Serving(), told.append)
        loop = asyncio.get_running_loop()
        model._located[1] = Located(1, tmp_path / "1", digest)
        pauses = []
        for _ in range(7):
            model._located[2] = Located(2, tmp_path / "2", digest)
            assert (await model._take_in(release)).challenger is None
            assert "version 2" in model.failure
            pauses.append(model._again_at - loop.time())
        assert pauses == pytest.approx([10, 20, 40, 80, 160, 300, 300], abs=2)
        assert [one is None for one in told] == [False, True], "a challenger that failed once more is told once"
        save_model(tmp_path / "2", threshold=0.5)
        model._located[2] = Located(2, tmp_path / "2", digest)
        assert (await model._take_in(release)).challenger is not None
        assert model.failure == ""
        model.close()

    asyncio.run(attempts())
