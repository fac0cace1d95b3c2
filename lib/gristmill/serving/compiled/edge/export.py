"""Export of a model to ONNX, for devices that have no Python: checked row by row, with its tolerance written into it.

The inputs are the row-wise features, one column each: numbers (also parts of dates) in double precision, not-a-number where
missing, and levels as text, ``(missing)`` where missing. The answer is ``probabilities`` ``(n_rows, n_classes)`` or ``prediction``
``(n_rows, 1)``.
"""

import json
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from gristmill.data.products import replacing
from gristmill.errors import ArtifactError, NoCompiledForm
from gristmill.features.rows import LARGEST
from gristmill.serving.compiled.cells import Cells, Floats
from gristmill.serving.compiled.generated_rows import SHARES, UNSEEN, borders
from gristmill.serving.compiled.intake import Intake
from gristmill.serving.compiled.plan import Plan
from gristmill.serving.compiled.sources import DateSource, LevelSource, NumberSource
from gristmill.serving.predictor import Predictor

TOLERANCE, SINGLE_TOLERANCE, INT8_TOLERANCE = 1e-6, 1e-4, 5e-2
"""Largest difference from the model that is let pass: of double precision, of networks in single precision, of whole numbers."""

ROWS = 2_000
"""Rows that an export is checked on."""


@dataclass(frozen=True)
class Exported:
    """An export: where it lies, what it was checked on, and how far it is from the model."""

    path: Path
    rows: int
    largest: float
    tolerance: float

    @property
    def sentence(self) -> str:
        """What was done, in words."""
        return (
            f"Wrote {self.path}. On {self.rows:,} rows it differs from the model by {self.largest:.1e} at most; "
            f"{self.tolerance:.0e} is allowed, and both are in its metadata."
        )


def export(
    predictor: Predictor, path: Path, *, int8: bool = False, tolerance: float | None = None, random_state: int = 0
) -> Exported:
    """Write a model as ONNX, once it was held against the model on generated rows.

    Parameters
    ----------
    predictor
        The model.
    path
        Where it goes; what was there is replaced, or left if the export fails.
    int8
        Whether the matrices of networks are stored as whole numbers of eight bits (dynamic quantisation).
    tolerance
        Largest difference from the model that is let pass; by default what double precision, single precision or eight bits are
        good for.
    random_state
        Seed of the rows.

    Raises
    ------
    ArtifactError
        The model, or a part of it, has no form in ONNX; or what was written answers too differently.
    """
    ready = predictor.compiled_model
    if ready is None:
        raise ArtifactError(f"The model cannot be exported, since it has no compiled form: {predictor.why_not_compiled}.")
    if predictor.model.group_thresholds is not None:
        raise ArtifactError("The model cannot be exported: it has a threshold for each group, which is not among its inputs.")
    try:
        content, single = _written(ready.plan, predictor, int8=int8)
    except NoCompiledForm as reason:
        raise ArtifactError(f"The model cannot be exported: {reason}.") from reason
    if tolerance is None:
        tolerance = INT8_TOLERANCE if int8 else SINGLE_TOLERANCE if single else TOLERANCE
    cells = example_cells(ready.plan, predictor.model.contract, ROWS, random_state)
    want, got = ready.plan.answer.answer(cells), _asked(content, inputs_of(ready.plan.intake, cells))
    largest = float(np.abs(want - got.reshape(want.shape)).max())
    if not largest <= tolerance:
        advice = "; try it without `--int8`, or allow for more with `--tolerance`" if int8 else ""
        raise ArtifactError(
            f"The export answers too differently: by {largest:.1e} on {ROWS:,} rows, and {tolerance:.0e} is allowed. Nothing was "
            f"written{advice}."
        )
    facts = {"rows_checked": ROWS, "largest_difference": largest, "tolerance": tolerance}
    _note(content, {**facts, "digest": predictor.manifest.digest})
    with replacing(path) as temporary:
        temporary.write_bytes(content.SerializeToString())
    return Exported(path, ROWS, largest, tolerance)


def _written(plan: Plan, predictor: Predictor, *, int8: bool) -> tuple[Any, bool]:
    """Return the ONNX model, and whether a network in it reckons in single precision."""
    from onnx import TensorProto, checker, helper  # noqa: PLC0415 - a second of imports, for those who export

    from gristmill.serving.compiled.edge.answers import Answers  # noqa: PLC0415
    from gristmill.serving.compiled.edge.graph import ML, OPSETS, Graph  # noqa: PLC0415
    from gristmill.serving.compiled.kernels.simple import Network  # noqa: PLC0415
    from gristmill.serving.compiled.parity import kernels_of  # noqa: PLC0415

    networks = [one for one in kernels_of(plan.answer) if isinstance(one, Network)]
    if int8 and not networks:
        raise NoCompiledForm("whole numbers of eight bits are for networks, and it has none; export it without `--int8`")
    graph = Graph()
    numbers, levels = names_of(plan.intake)
    columns = [graph.input(name, TensorProto.DOUBLE) for name in numbers]
    codes = []
    for name, known in levels:
        text = graph.input(name, TensorProto.STRING)
        places = {"keys_strings": list(known), "values_int64s": list(range(len(known))), "default_int64": len(known)}
        codes.append(graph.do("LabelEncoder", text, domain=ML, **places))
    table = graph.side_by_side(columns) if columns else ""
    answer = Answers(graph, single=int8).of(plan.answer, (table, graph.side_by_side(codes) if codes else ""))
    name, width = ("probabilities", plan.n_classes) if plan.n_classes else ("prediction", 1)
    graph.nodes.append(helper.make_node("Identity", [answer], [name]))
    out = helper.make_tensor_value_info(name, TensorProto.DOUBLE, ["rows", width])
    made = helper.make_graph(graph.nodes, predictor.manifest.case, graph.inputs, [out], graph.constants)
    opsets = [helper.make_opsetid(domain, version) for domain, version in OPSETS.items()]
    model = helper.make_model(made, opset_imports=opsets, ir_version=10, producer_name="gristmill")
    _note(model, {"classes": list(predictor.model.classes), "threshold": predictor.model.threshold})
    checker.check_model(model)
    single = int8 or any(one.weights["head_w"].dtype == np.float32 for one in networks)
    return (_in_eight_bits(model) if int8 else model), single


def names_of(intake: Intake) -> tuple[list[str], list[tuple[str, tuple[str, ...]]]]:
    """Return the names of the inputs: of the numbers in their order, and of the levels with the known ones."""
    numbers = [""] * intake.n_numbers
    levels: list[tuple[str, tuple[str, ...]]] = [("", ())] * intake.n_levels
    for source in intake.sources:
        if isinstance(source, NumberSource):
            numbers[source.number] = source.column
        elif isinstance(source, DateSource):
            for step, place in zip(source.steps, source.numbers, strict=True):
                numbers[place] = f"{source.column}: {step}"
        elif isinstance(source, LevelSource):
            levels[source.level] = (source.column, source.vocabulary)
    return numbers, levels


def example_cells(plan: Plan, contract: Mapping[str, Any], n_rows: int, random_state: int) -> Cells:
    """Return cells of rows within the ranges of the contract, with gaps, levels never seen, and the borders of trees."""
    rng = np.random.default_rng(random_state)
    known, near = {column["name"]: column for column in contract["columns"]}, borders(plan)
    numbers: Floats = rng.integers(0, 30, (n_rows, plan.intake.n_numbers)).astype(np.float64)  # parts of dates, unless said below
    codes = np.zeros((n_rows, plan.intake.n_levels), dtype=np.intp)
    for source in plan.intake.sources:
        if isinstance(source, LevelSource):
            codes[:, source.level] = rng.integers(0, len(source.vocabulary) + 1, n_rows)
        elif isinstance(source, NumberSource):
            low, high = (known[source.column].get(end) for end in ("minimum", "maximum"))
            drawn = rng.integers(0, 2, n_rows) if source.truth or low is None or high is None else rng.uniform(low, high, n_rows)
            cuts = near.get(source.column, np.empty(0))
            at_border = rng.random(n_rows) < (SHARES["border"] if len(cuts) else 0.0)
            numbers[:, source.number] = np.where(at_border, rng.choice(cuts, n_rows) if len(cuts) else 0.0, drawn)
    numbers[rng.random(numbers.shape) < SHARES["gap"]] = np.nan
    return Cells(np.clip(numbers, -LARGEST, LARGEST), codes)


def inputs_of(intake: Intake, cells: Cells) -> dict[str, Any]:
    """Return cells as the inputs of an export."""
    numbers, levels = names_of(intake)
    found: dict[str, Any] = {name: cells.numbers[:, [place]] for place, name in enumerate(numbers)}
    for place, (name, known) in enumerate(levels):
        found[name] = np.array([*known, UNSEEN], dtype=object)[cells.codes[:, [place]]]
    return found


def _in_eight_bits(model: Any) -> Any:
    """Return a model whose matrices are stored as whole numbers of eight bits."""
    import onnx  # noqa: PLC0415
    from onnxruntime.quantization import QuantType, quantize_dynamic  # noqa: PLC0415

    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "model.onnx", Path(folder) / "int8.onnx"
        onnx.save(model, source)
        quantize_dynamic(source, target, weight_type=QuantType.QInt8, op_types_to_quantize=["MatMul"])
        return onnx.load(target)


def _note(model: Any, facts: dict[str, Any]) -> None:
    """Write facts into the metadata of a model."""
    for name, value in facts.items():
        entry = model.metadata_props.add()
        entry.key, entry.value = f"gristmill.{name}", json.dumps(value)


def _asked(model: Any, inputs: dict[str, Any]) -> Floats:
    """Return what onnxruntime answers."""
    import onnxruntime  # noqa: PLC0415

    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return np.asarray(session.run(None, inputs)[0], dtype=np.float64)
