"""The form in which a model answers: compiled, or as the pipeline it is, and then why."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gristmill.errors import ArtifactError
from gristmill.modeling.artifact.fitted import FittedModel
from gristmill.serving.compiled.files import from_files, to_files
from gristmill.serving.compiled.plan import CompiledModel


@dataclass(frozen=True)
class Form:
    """The form in which a model answers.

    Attributes
    ----------
    compiled
        What answers; None for the pipeline.
    why_not
        Why there is no compiled form, as the end of a sentence; empty where there is one.
    """

    compiled: CompiledModel | None
    why_not: str = ""


def form_of(model: FittedModel) -> Form:
    """Return the form of a loaded model: what lies in its directory, or what its pipeline can be compiled to now.

    Raises
    ------
    ArtifactError
        The files of the compiled form do not hold together.
    """
    if model.compiled:
        return Form(_looked_at(model))
    files, why_not = compiled_files(model.pipeline, model.contract, model.feature_columns, len(model.classes))
    return Form(CompiledModel(from_files(files), model.contract) if files else None, why_not)


def _looked_at(model: FittedModel) -> CompiledModel:
    """Return the compiled form of a model's directory, once it has answered for a row in which everything is missing."""
    try:
        made = CompiledModel(from_files(model.compiled), model.contract)
        shape = made.rows([dict.fromkeys(model.feature_columns)]).shape
    except (TypeError, ValueError, KeyError, IndexError, AttributeError, ArithmeticError) as error:
        raise ArtifactError(
            f"The compiled form of the model cannot answer ({error}). It was altered; build the case again."
        ) from error
    if shape != ((1, len(model.classes)) if model.classes else (1,)):
        raise ArtifactError("The compiled form of the model answers for other classes than the model has. Build the case again.")
    return made


def compiled_files(
    pipeline: Any, contract: Mapping[str, Any], feature_columns: Sequence[str], n_classes: int
) -> tuple[dict[str, bytes], str]:
    """Return the files of a fitted pipeline's compiled form, by name; for one that has none no files, and why.

    Parameters
    ----------
    pipeline
        Fitted; takes raw columns in the types of the contract.
    contract
        The data contract.
    feature_columns
        The columns that rows must have.
    n_classes
        Number of classes; 0 for a regression.
    """
    from gristmill.errors import NoCompiledForm  # noqa: PLC0415
    from gristmill.serving.compiled.compiling.compilation import compile_pipeline  # noqa: PLC0415 - scikit-learn, for those who compile

    try:
        return to_files(compile_pipeline(pipeline, contract, feature_columns, n_classes)), ""
    except NoCompiledForm as reason:
        return {}, str(reason)
