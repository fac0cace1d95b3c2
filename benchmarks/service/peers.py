"""What the service is measured beside.

``mlflow models serve`` with the same model, of the plain pipeline and as Gristmill registers it; BentoML with the plain pipeline,
from an environment of its own; and uvicorn with an application that reads the body and answers two bytes, which is as fast as the
machine lets one process of Python be.
"""

import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

SECONDS_TO_START = 180


@contextmanager
def mlflow_serve(model: Path, workers: int, port: int, log: Path) -> Iterator[tuple[str, int]]:
    """Serve a saved MLflow model in this environment, and give the URL that takes rows, and the process."""
    where = ["-h", "127.0.0.1", "-p", str(port), "-w", str(workers)]
    command = [sys.executable, "-m", "mlflow", "models", "serve", "-m", str(model), "--env-manager", "local", *where]
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"  # it starts uvicorn by name, through a shell
    with _running(command, {"PATH": path}, log, f"http://127.0.0.1:{port}/ping") as pid:
        yield f"http://127.0.0.1:{port}/invocations", pid


_BARE = """
import sys, uvicorn
async def app(scope, receive, send):
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"{}"})
uvicorn.run(app, port=int(sys.argv[1]), lifespan="off", access_log=False, log_level="error", http="httptools", loop="uvloop")
"""


@contextmanager
def bare_uvicorn(port: int) -> Iterator[str]:
    """Serve an application that does nothing, and give its URL."""
    process = subprocess.Popen([sys.executable, "-c", _BARE, str(port)])
    try:
        _wait(f"http://127.0.0.1:{port}/", process)
        yield f"http://127.0.0.1:{port}/"
    finally:
        process.terminate()
        process.wait(30)


@contextmanager
def bentoml_serve(bentoml: Path, pickled: Path, workers: int, port: int, log: Path) -> Iterator[tuple[str, int]]:
    """Serve a pickled pipeline with BentoML of an environment of its own, and give the URL that takes rows, and the process."""
    package = Path(__file__).resolve().parents[2] / "lib"
    environment = {
        "BENTOML_DO_NOT_TRACK": "True", "GRISTMILL_PIPELINE": str(pickled), "GRISTMILL_WORKERS": str(workers),
        "PYTHONPATH": str(package), "BENTOML_HOME": str(log.parent / "bentoml"),
    }  # fmt: skip
    command = [str(bentoml), "serve", "bento_pipeline:Pipeline", "-p", str(port), "--working-dir", str(Path(__file__).parent)]
    with _running(command, environment, log, f"http://127.0.0.1:{port}/readyz") as pid:
        yield f"http://127.0.0.1:{port}/predict", pid


def pickle_plain(directory: Path, target: Path) -> Path:
    """Write the pipeline of a model directory as a cloudpickle, and return where."""
    import cloudpickle  # noqa: PLC0415

    from gristmill.modeling.artifact.fitted import FittedModel  # noqa: PLC0415

    target.write_bytes(cloudpickle.dumps(FittedModel.load(directory).pipeline))
    return target


def save_plain(directory: Path, target: Path) -> Path:
    """Save the pipeline of a model directory as most users would, by ``mlflow.sklearn``, and return where."""
    import mlflow.sklearn  # noqa: PLC0415

    from gristmill.modeling.artifact.fitted import FittedModel  # noqa: PLC0415

    pipeline = FittedModel.load(directory).pipeline
    how = {"serialization_format": "cloudpickle", "pip_requirements": [], "pyfunc_predict_fn": "predict_proba"}
    mlflow.sklearn.save_model(pipeline, target, **how)
    return target


@contextmanager
def _running(command: list[str], environment: dict[str, str], log: Path, ready: str) -> Iterator[int]:
    """Run a server with all its processes until the block ends; give its process once it answers at ``ready``."""
    together = {**os.environ, "OMP_NUM_THREADS": "1", **environment}
    with log.open("w") as written:
        process = subprocess.Popen(command, stdout=written, stderr=subprocess.STDOUT, start_new_session=True, env=together)
    try:
        _wait(ready, process)
        yield process.pid
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        process.wait(30)


def _wait(url: str, process: "subprocess.Popen[bytes]") -> None:
    """Wait until a URL answers."""
    end = time.monotonic() + SECONDS_TO_START
    while time.monotonic() < end:
        if process.poll() is not None:
            raise RuntimeError(f"the server ended with {process.returncode}")
        try:
            with urllib.request.urlopen(url, timeout=2):  # noqa: S310 - of 127.0.0.1
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    raise RuntimeError(f"{url} did not answer within {SECONDS_TO_START} s")
