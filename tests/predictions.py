"""Records of predictions for the tests of the prediction log, and a program that writes them until it is killed."""

import asyncio
import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from gristmill.errors import LogUnavailable
from gristmill.serving.prediction_log.limits import LogLimits
from gristmill.serving.prediction_log.log import PredictionLog
from gristmill.serving.prediction_log.records import PredictionRecord, Role, new_prediction_id

FEATURES: Mapping[str, object] = {"tenure": 12, "contract": "Two year", "charges": 70.25, "partner": True, "phone": None}


def record(
    customer: str = "7590-VHVEG", *, prediction_id: str | None = None, model: str = "churn", at: float | None = None, **more: object
) -> PredictionRecord:
    """Return a record of a prediction; ``more`` are its other fields."""
    role: Role = "champion"
    fields: dict[str, object] = {
        "prediction_id": prediction_id or new_prediction_id(),
        "request_id": f"request of {customer}",
        "at": time.time() if at is None else at,
        "model": model,
        "version": "3",
        "role": role,
        "key_id": "key-1",
        "subject": {"customer_id": customer},
        "features": {"customer_id": customer, **FEATURES},
        "prediction": "Yes",
        "probabilities": (0.25, 0.75),
        "confidence": 0.75,
        "latency_ms": 1.5,
        "warnings": ("tenure is out of range",),
        **more,
    }
    return PredictionRecord(**fields)  # type: ignore[arg-type]


def main() -> None:
    """Write predictions to the log of a project until this is killed, and print the id of each that is durable."""
    asyncio.run(_write(Path(sys.argv[1]), int(sys.argv[2])))


async def _write(root: Path, writers: int) -> None:
    async with PredictionLog(root, LogLimits(seconds=30)) as log:

        async def one(number: int) -> None:
            count = 0
            while True:
                count += 1
                one = record(f"{os.getpid()}-{number}-{count}")
                try:
                    await log.append([one])
                except LogUnavailable as error:
                    sys.stderr.write(f"{error}\n")
                    continue
                os.write(1, f"{one.prediction_id}\n".encode())

        await asyncio.gather(*(one(number) for number in range(writers)))


if __name__ == "__main__":
    main()
