"""YAML, Python and JSON of the documents is what the code takes, and the keys that sentences name are keys."""

import ast
import importlib.util
import json
import re
from pathlib import Path
from types import UnionType
from typing import Any, Union, get_args, get_origin

import pandas as pd
import pytest
import yaml
from pydantic import BaseModel
from tests.conftest import REPOSITORY
from tests.docs.pages import PAGES, Block, blocks, read, shown

from gristmill.config.case import Case
from gristmill.config.loading import parse_case
from gristmill.data.contract.terms import Terms
from gristmill.data.contract.terms_file import parse as parse_contract
from gristmill.errors import GristmillError

BASES = (
    {"task": "binary", "positive_class": "1"},
    {"task": "multiclass"},
    {"task": "regression"},
)
"""What a part of a case file is completed with: it has to be right for one of the three tasks."""


def all_blocks(*infos: str) -> list[Block]:
    return [block for page in PAGES for block in blocks(page) if block.info in infos]


def identity(block: Block) -> str:
    return block.place


@pytest.mark.parametrize("block", all_blocks("yaml"), ids=identity)
def test_every_piece_of_a_case_file_or_contract_is_valid(block: Block):
    for piece in pieces(block.text):
        keys = set(yaml.load(piece, yaml.BaseLoader))  # noqa: S506 - text of ours, read as text
        if keys <= set(Case.model_fields):
            problems = [problem for base in BASES if (problem := refused(piece, base, block.place))]
            assert len(problems) < len(BASES), "\n".join(problems)
        else:
            assert keys <= set(Terms.model_fields), f"{block.place}: neither a case file nor a contract"
            parse_contract(piece, block.place, "case")


@pytest.mark.parametrize("block", all_blocks("yaml pipeline"), ids=identity)
def test_an_entry_for_the_dag_has_the_form_of_those_that_there_are(block: Block):
    tasks = yaml.safe_load((REPOSITORY / "pipeline.yaml").read_text(encoding="utf-8"))["tasks"]
    for entry in yaml.safe_load(block.text):
        assert set(entry) == set(tasks[-1])
        assert set(entry["upstream"]) <= {task["name"] for task in tasks}
        known = tasks[-1]["params"]
        assert entry["params"] == {**known, "code_version": {**known["code_version"], "notebook": entry["name"]}}


def pieces(text: str) -> list[str]:
    """Return the block as it is; or, where it shows one key several times, each of these as a piece of its own."""
    tops = re.findall(r"^\w+(?=:)", text, re.MULTILINE)
    if len(tops) == len(set(tops)):
        return [text]
    return [piece for piece in re.split(r"^(?=\w+:)", text, flags=re.MULTILINE) if re.match(r"\w+:", piece)]


def refused(piece: str, base: dict[str, str], place: str) -> str | None:
    """Return why a piece, completed to a case file, is no valid one; None if it is."""
    given = yaml.load(piece, yaml.BaseLoader)  # noqa: S506
    needed = {"name": "case", "source": "t.csv", "target": "y", "sensitive_features": "[gender, age]", **base}
    more = [f"{key}: {value}\n" for key, value in needed.items() if key not in given]
    try:
        parse_case("".join(more) + piece, place)
    except GristmillError as error:
        return str(error)
    return None


@pytest.mark.parametrize("block", all_blocks("json"), ids=identity)
def test_every_document_is_json(block: Block):
    json.loads(block.text)


@pytest.mark.parametrize("block", all_blocks("python", "python run"), ids=identity)
def test_every_program_compiles_and_names_what_there_is(block: Block):
    tree = ast.parse(block.text)
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("gristmill"):
            assert {alias.name for alias in node.names} <= defined(str(node.module)), block.place


def defined(module: str) -> set[str]:
    """Return the names that a module of the package defines, without importing it."""
    spec = importlib.util.find_spec(module)
    assert spec is not None, module
    assert spec.origin is not None, module
    tree = ast.parse(Path(spec.origin).read_text(encoding="utf-8"))
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)} | {
        target.id for node in tree.body if isinstance(node, ast.Assign) for target in node.targets if isinstance(target, ast.Name)
    }


def test_the_feature_of_one_s_own_makes_columns_of_single_rows():
    (block,) = [
        block for block in all_blocks("python", "python run") if "def add(rows)" in block.text and block.info == "python run"
    ]
    space: dict[str, Any] = {}
    exec(compile(block.text, block.place, "exec"), space)  # noqa: S102
    rows = pd.DataFrame(
        {"income": [100.0, None], "expenses": [40.0, 30.0], "debt": [0.0, 200.0], "amount": [800, 1000], "price": [1000, 0]}
    )
    made = space["add"](rows)
    assert list(made.index) == [0, 1]
    pd.testing.assert_frame_equal(space["add"](rows.iloc[[1]]), made.iloc[[1]])
    assert not set(made) & set(rows)


FILES = r"(?:json|parquet|yaml|yml|csv|html|py|db|pkl|skops|onnx|npz|md|sh|ipynb|pth|lock|toml|db-wal|txt)"


@pytest.mark.parametrize("page", PAGES, ids=shown)
def test_every_key_of_the_case_file_that_is_named_exists(page: Path):
    named = set(re.findall(r"(?<![\w/.-])((?:" + "|".join(Case.model_fields) + r")(?:\.\w+)+)\b(?![\w/(-])", read(page)))
    named = {key for key in named if not re.search(rf"\.{FILES}$", key)}
    assert not [key for key in sorted(named) if not is_key(Case, key.split("."))]


def is_key(model: Any, path: list[str]) -> bool:
    """Return whether a dotted path leads to a field; a name of one's own stands for any key of a mapping."""
    if not path:
        return True
    model = _bare(model)
    if get_origin(model) is dict:
        return is_key(get_args(model)[1], path[1:])
    if get_origin(model) in (list, tuple):
        return is_key(get_args(model)[0], path)
    if isinstance(model, type) and issubclass(model, BaseModel):
        field = model.model_fields.get(path[0])
        return field is not None and is_key(field.annotation, path[1:])
    return False


def _bare(annotation: Any) -> Any:
    """Return what an annotation allows besides None and short forms: the section among several."""
    if get_origin(annotation) not in (Union, UnionType):
        return get_args(annotation)[0] if hasattr(annotation, "__metadata__") else annotation
    inner = [_bare(part) for part in get_args(annotation) if part is not type(None)]
    return next((part for part in inner if isinstance(part, type) and issubclass(part, BaseModel)), inner[0])


VARIABLES = re.compile(r"\b(?:GRISTMILL|MLFLOW|OTEL)_[A-Z_]+\b")


def test_every_environment_variable_of_ours_that_is_named_is_read_by_something():
    code = "".join(path.read_text(encoding="utf-8") for path in (REPOSITORY / "lib").rglob("*.py"))
    named = {name for page in PAGES for name in VARIABLES.findall(read(page)) if name.startswith("GRISTMILL_")}
    assert len(named) > 3
    assert not [name for name in sorted(named) if f'"{name}"' not in code]
