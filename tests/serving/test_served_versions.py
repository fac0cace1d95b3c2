"""What a version in service is asked, counts and still has when its files are gone (R34, R44)."""

import re

from tests.service import Running, rows_of


def batched(service: Running) -> tuple[float, float]:
    """Return how many batches were counted, and how many rows they had."""
    with service.client() as client:
        text = client.get("/metrics").text
    count, rows = (re.search(rf"^gristmill_batch_rows_{name} (\S+)$", text, re.MULTILINE) for name in ("count", "sum"))
    assert count is not None
    assert rows is not None
    return float(count[1]), float(rows[1])


def test_the_rows_that_are_predicted_together_are_counted(service: Running):
    batches, rows = batched(service)
    assert service.predict(rows_of(7)).status_code == 200
    assert batched(service) == (batches + 1, rows + 7)
