"""Runs and registered models, kept by MLflow; the one module that imports it.

A build is one parent run, shared by all its notebooks through ``GRISTMILL_BUILD_ID``; each family is a child of it, each trial a
child of its family. Everything goes through MLflow's client, never its global state. Importing MLflow takes seconds, so it happens
inside the functions that need it.
"""

import logging
import os
import re
import tempfile
import time
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from gristmill.errors import RegistryError
from gristmill.event_files import write_event_files
from gristmill.lineage import lineage_tags
from gristmill.paths import project_root
from gristmill.tracking_store import EmbeddedStore

if TYPE_CHECKING:
    from matplotlib.figure import Figure

BUILD_ID = "GRISTMILL_BUILD_ID"
"""Environment variable by which the notebooks of one build know each other."""

BUILD_TAG = "gristmill.build_id"
INTERACTIVE_TAG = "gristmill.interactive"
PARENT_TAG = "mlflow.parentRunId"
NAME_TAG = "mlflow.runName"
PARAMS_A_BATCH = 100
METRICS_A_BATCH = 1000
LONGEST_PARAM = 1000


@dataclass(frozen=True)
class Run:
    """A run that things can be logged to."""

    client: Any
    run_id: str
    experiment_id: str


def tracking_uri(root: Path) -> str:
    """Return the tracking store in force: ``MLFLOW_TRACKING_URI``, else the one in the project's folder."""
    return os.environ.get("MLFLOW_TRACKING_URI") or EmbeddedStore(root).uri


def connect(root: Path | None = None) -> Any:
    """Return a client of the tracking store; the embedded one is created on first use, once, whoever comes first.

    Raises
    ------
    RegistryError
        The store does not answer.
    """
    folder = project_root() if root is None else root
    uri, store = tracking_uri(folder), EmbeddedStore(folder)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what its imports say about progress bars would stand in every report
        from mlflow import MlflowClient  # noqa: PLC0415
        from mlflow.exceptions import MlflowException  # noqa: PLC0415

    for name in ("mlflow", "alembic"):
        logging.getLogger(name).setLevel(logging.WARNING)
    try:
        if uri == store.uri:  # making a client creates the tables already, so the first one is made with the lock held
            store.prepare(lambda: MlflowClient(tracking_uri=uri, registry_uri=uri).search_experiments(max_results=1))
        client = MlflowClient(tracking_uri=uri, registry_uri=uri)
        if uri != store.uri:
            client.search_experiments(max_results=1)
    except (MlflowException, OSError) as error:
        raise RegistryError(
            f"The tracking store {uri!r} does not answer: {error}. Start it, correct MLFLOW_TRACKING_URI, or unset it to use the "
            "project's own."
        ) from error
    return client


def _experiment(client: Any, case_name: str, root: Path) -> str:
    """Return the id of a case's experiment, created or restored if need be; call it with the lock held."""
    found = client.get_experiment_by_name(case_name)
    if found is not None:
        if found.lifecycle_stage == "deleted":
            client.restore_experiment(found.experiment_id)
        return str(found.experiment_id)
    remote = tracking_uri(root).startswith(("http://", "https://"))
    location = None if remote else f"{EmbeddedStore(root).artifacts_uri}/{case_name}"
    return str(client.create_experiment(case_name, artifact_location=location))


def _now() -> int:
    """Return the time in milliseconds, as MLflow counts it."""
    return int(time.time() * 1000)


@contextmanager
def build_run(case_name: str, root: Path | None = None, data_digest: str | None = None) -> Iterator[Run]:
    """Give the parent run of this build, found by ``GRISTMILL_BUILD_ID`` or created, and finish it when the block ends.

    A later stage of the same build opens it again. Outside a build, the run is a new one and tagged as interactive. When the
    block fails the run is marked as failed, and stays so.

    Parameters
    ----------
    case_name
        Name of the case; the name of the experiment as well.
    root
        The project; found from the working directory when omitted.
    data_digest
        Digest of the snapshot the build works on, where the stage knows it.

    Raises
    ------
    RegistryError
        The tracking store does not answer.
    """
    folder = project_root() if root is None else root
    client, build_id = connect(folder), os.environ.get(BUILD_ID)
    with EmbeddedStore(folder).locked():
        experiment_id = _experiment(client, case_name, folder)
        run_id = None if build_id is None else _find_build(client, experiment_id, build_id)
        if run_id is None:
            tags = {BUILD_TAG: build_id} if build_id else {INTERACTIVE_TAG: "true"}
            run_id = _create_parent(client, experiment_id, {**tags, **lineage_tags(folder, data_digest)})
        elif data_digest is not None:
            client.set_tag(run_id, "gristmill.data_digest", data_digest)
    with _finishing(client, run_id):
        yield Run(client, run_id, experiment_id)


def _find_build(client: Any, experiment_id: str, build_id: str) -> str | None:
    """Return the id of the parent run of a build, or None if no stage of it has asked yet."""
    found = client.search_runs([experiment_id], f"tags.`{BUILD_TAG}` = '{re.sub(r'[^0-9A-Za-z_-]', '', build_id)}'", max_results=1)
    return str(found[0].info.run_id) if found else None


def _create_parent(client: Any, experiment_id: str, tags: Mapping[str, str]) -> str:
    """Create the parent run of a build, named after the minute it began."""
    kind = "build" if BUILD_TAG in tags else "interactive"
    name = f"{kind} {datetime.now(UTC):%Y-%m-%d %H:%M}"
    source, commit = {"mlflow.source.name": "pipeline.yaml"}, tags["gristmill.code_version"]
    if not commit.startswith("sha256:"):
        source["mlflow.source.git.commit"] = commit
    return str(client.create_run(experiment_id, tags={**tags, **source}, run_name=name).info.run_id)


@contextmanager
def _finishing(client: Any, run_id: str) -> Iterator[None]:
    """Mark a run as finished when the block ends, or as failed when it raises; a failure is never taken back."""
    try:
        yield
    except BaseException:
        client.set_terminated(run_id, status="FAILED", end_time=_now())
        raise
    if client.get_run(run_id).info.status != "FAILED":
        client.set_terminated(run_id, status="FINISHED", end_time=_now())


@contextmanager
def child_run(parent: Run, name: str, tags: Mapping[str, str] | None = None, started: float | None = None) -> Iterator[Run]:
    """Give a new run nested under ``parent``, and finish it when the block ends.

    Parameters
    ----------
    parent
        The run it belongs to.
    name, tags
        Of the new run.
    started
        When what it is about began, in seconds since 1970; now when omitted.
    """
    nested = {**(tags or {}), PARENT_TAG: parent.run_id}
    start_time = _now() if started is None else int(started * 1000)
    run = parent.client.create_run(parent.experiment_id, start_time=start_time, tags=nested, run_name=name)
    with _finishing(parent.client, run.info.run_id):
        yield Run(parent.client, run.info.run_id, parent.experiment_id)


def _key(name: object) -> str:
    """Return a name without the characters that MLflow refuses in keys."""
    return re.sub(r"[^\w\-. :/]", "_", str(name), flags=re.ASCII)[:250] or "_"


def as_metrics(values: Mapping[str, float | None], step: int = 0, at: float | None = None) -> list[Any]:
    """Return MLflow's form of the metrics that are finite numbers, measured ``at`` so many seconds since 1970 (by default now)."""
    from mlflow.entities import Metric  # noqa: PLC0415

    now = _now() if at is None else int(at * 1000)
    finite = {name: float(value) for name, value in values.items() if value is not None and abs(value) < float("inf")}
    return [Metric(_key(name), value, now, step) for name, value in finite.items()]


def as_params(values: Mapping[str, object]) -> list[Any]:
    """Return MLflow's form of parameters."""
    from mlflow.entities import Param  # noqa: PLC0415

    return [Param(_key(name), str(value)[:LONGEST_PARAM]) for name, value in values.items()]


def log_batches(run: Run, metrics: Sequence[Any] = (), params: Sequence[Any] = ()) -> None:
    """Log in batches as large as MLflow takes."""
    for start in range(0, max(len(metrics), 1), METRICS_A_BATCH):
        some = params[:PARAMS_A_BATCH] if start == 0 else ()
        run.client.log_batch(run.run_id, metrics=metrics[start : start + METRICS_A_BATCH], params=some)
    for start in range(PARAMS_A_BATCH, len(params), PARAMS_A_BATCH):
        run.client.log_batch(run.run_id, params=params[start : start + PARAMS_A_BATCH])


def log_metrics(run: Run, metrics: Mapping[str, float | None], step: int = 0) -> None:
    """Log metrics to a run; those that are missing or not finite are left out."""
    log_batches(run, metrics=as_metrics(metrics, step))


def log_params(run: Run, params: Mapping[str, object]) -> None:
    """Log parameters to a run, as text."""
    log_batches(run, params=as_params(params))


def log_tags(run: Run, tags: Mapping[str, object]) -> None:
    """Set tags of a run."""
    for name, value in tags.items():
        run.client.set_tag(run.run_id, _key(name), str(value))


def log_figures(run: Run, figures: "Mapping[str, Figure]") -> None:
    """Store figures with a run, as ``figures/<name>.png``."""
    for name, figure in figures.items():
        run.client.log_figure(run.run_id, figure, f"figures/{re.sub(r'[^0-9A-Za-z_.-]', '_', name)}.png")


def log_file(run: Run, path: Path | str, folder: str | None = None) -> None:
    """Store a file with a run."""
    run.client.log_artifact(run.run_id, str(path), folder)


def log_event_files(run: Run, curves: Mapping[str, Sequence[float]]) -> None:
    """Store curves by epoch with a run as TensorBoard's event files, under ``tensorboard/``; nothing where there are no curves."""
    if curves:
        with tempfile.TemporaryDirectory() as folder:
            write_event_files(Path(folder), curves)
            run.client.log_artifacts(run.run_id, folder, "tensorboard")


def link_families(run: Run, family_runs: Mapping[str, str | None]) -> None:
    """Note on a build's run which family runs it chose from; some may come from an earlier build that was still fresh."""
    log_tags(run, {f"gristmill.family_run.{family}": run_id for family, run_id in family_runs.items() if run_id})


def count_children(run_id: str, root: Path | None = None) -> int:
    """Return the number of runs nested directly under a run; 0 if there is no such run."""
    client = connect(root)
    from mlflow.exceptions import MlflowException  # noqa: PLC0415

    try:
        experiment_id = client.get_run(run_id).info.experiment_id
    except MlflowException:
        return 0
    count, token = 0, None
    while True:
        found = client.search_runs([experiment_id], f"tags.`{PARENT_TAG}` = '{run_id}'", max_results=1000, page_token=token)
        count, token = count + len(found), found.token
        if not token:
            return count


LOADER_MODULE = "gristmill.serving.predictor"
"""What MLflow imports to load a model of ours: it verifies the directory, and no pickle is involved."""

REQUIREMENTS = ("gristmill", "numpy", "pandas", "scikit-learn", "skops")
"""Distributions that the environment of a served model needs, at the versions it was built with."""


def log_model(run: Run, directory: Path, inputs: Mapping[str, bool], outputs: Mapping[str, str]) -> tuple[str, str]:
    """Store a model directory with a run as an MLflow model with a signature, and return where it lies and its id.

    Parameters
    ----------
    run
        The run the model comes from.
    directory
        A verified model directory; it is copied as it is.
    inputs
        Column -> whether it is required. Types are left open: MLflow would refuse whole numbers where it expects fractions, and
        the data contract inside the model converts and refuses with better reasons.
    outputs
        Column -> MLflow's name of its type.
    """
    model = run.client.create_logged_model(run.experiment_id, name="model", source_run_id=run.run_id, model_type="gristmill")
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # an input example would be rows of real people; open types are meant
        import mlflow.pyfunc  # noqa: PLC0415
        from mlflow.entities import LoggedModelOutput  # noqa: PLC0415
        from mlflow.models import Model  # noqa: PLC0415

        made = Path(folder) / "made"
        mlflow.pyfunc.save_model(
            made,
            loader_module=LOADER_MODULE,
            data_path=str(directory),
            mlflow_model=Model(artifact_path=model.artifact_location, run_id=run.run_id, model_id=model.model_id),
            signature=_signature(inputs, outputs),
            pip_requirements=[f"{name}=={version(name)}" for name in REQUIREMENTS],
        )
        run.client.log_model_artifacts(model.model_id, str(made))
    run.client.finalize_logged_model(model.model_id, "READY")
    run.client.log_outputs(run.run_id, [LoggedModelOutput(model.model_id, step=0)])
    return str(model.artifact_location), str(model.model_id)


def _signature(inputs: Mapping[str, bool], outputs: Mapping[str, str]) -> Any:
    """Return MLflow's signature of a model."""
    from mlflow.models import ModelSignature  # noqa: PLC0415
    from mlflow.types import ColSpec, Schema  # noqa: PLC0415
    from mlflow.types.schema import AnyType  # noqa: PLC0415

    anything = AnyType()  # type: ignore[no-untyped-call]
    return ModelSignature(
        inputs=Schema([ColSpec(anything, name=name, required=required) for name, required in inputs.items()]),
        outputs=Schema([ColSpec(kind, name=name) for name, kind in outputs.items()]),
    )


def local_copy(artifact_uri: str, cache: Path, root: Path | None = None) -> Path:
    """Return a folder with the artifacts of a URI: where they lie if that is on this machine, else fetched to ``cache``."""
    address = urlsplit(artifact_uri)
    if address.scheme in ("", "file"):
        return Path(unquote(address.path) if address.scheme else artifact_uri)
    from mlflow.artifacts import download_artifacts  # noqa: PLC0415

    cache.mkdir(parents=True, exist_ok=True)
    return Path(download_artifacts(artifact_uri, dst_path=str(cache), tracking_uri=tracking_uri(root or project_root())))
