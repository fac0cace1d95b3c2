"""A client that a public generator makes of ``/openapi.json`` calls the running service (R34)."""

import json
import os
import subprocess
from pathlib import Path

import pytest
from tests.conftest import REPOSITORY
from tests.service import Running, direct, rows_of

ENVIRONMENT = REPOSITORY / ".venv" / "client" / "bin"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not ENVIRONMENT.exists() and not os.environ.get("CI"), reason="needs the generator of clients: make .venv/.client"
    ),
]

CALLS = """
import json, sys
from gristmill_small_client import AuthenticatedClient
from gristmill_small_client.api.feedback import feedback
from gristmill_small_client.api.models import models
from gristmill_small_client.api.predictions import predict_small
from gristmill_small_client.models import Problem, SmallRequest, SmallRow, Truth, Truths

url, token, rows = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
with AuthenticatedClient(base_url=url, token=token) as client:
    body = SmallRequest(instances=[SmallRow.from_dict(row) for row in rows])
    answer = predict_small.sync(client=client, body=body, interval=0.9)
    labels = Truths(feedback=[Truth(prediction_id=answer.prediction_ids[0], label=answer.predictions[0])])
    taken = feedback.sync(client=client, body=labels)
    wrong = predict_small.sync(client=client, body=SmallRequest(instances=[]))
    print(json.dumps({
        "predictions": [str(one) for one in answer.predictions],
        "yes": [one.yes for one in answer.probabilities],
        "sets": len(answer.prediction_sets),
        "recorded": taken.recorded == answer.prediction_ids[:1],
        "wrong": isinstance(wrong, Problem) and wrong.status,
        "models": [one.name for one in models.sync(client=client).models],
    }))
"""


def test_a_client_made_by_a_public_generator_calls_the_service(service: Running, tmp_path: Path):
    with service.client() as client:
        (tmp_path / "openapi.json").write_text(client.get("/openapi.json").text)
    environment = {**os.environ, "PATH": f"{ENVIRONMENT}{os.pathsep}{os.environ['PATH']}"}
    environment.pop("PYTHONPATH", None)
    generator = [ENVIRONMENT / "openapi-python-client", "generate", "--path", "openapi.json", "--output-path", "client"]
    made = subprocess.run(generator, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stdout + made.stderr
    assert "WARNING" not in made.stdout + made.stderr
    rows = rows_of(5)
    command = [ENVIRONMENT / "python", "-c", CALLS, service.url, service.token, json.dumps(rows)]
    called = subprocess.run(command, cwd=tmp_path / "client", env=environment, capture_output=True, text=True, check=False)
    assert called.returncode == 0, called.stderr
    said = json.loads(called.stdout)
    expected = direct(service.root, 1, rows)
    assert said["predictions"] == expected["prediction"].tolist()
    assert said["yes"] == pytest.approx(expected["probability"].tolist(), abs=1e-9)
    assert {name: said[name] for name in ("sets", "recorded", "wrong", "models")} == {
        "sets": 5, "recorded": True, "wrong": 422, "models": ["small"]
    }  # fmt: skip
