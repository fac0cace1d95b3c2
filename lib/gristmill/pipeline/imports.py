"""Which of the project's modules a notebook runs: those it imports, those they import, and so on.

Import statements are read, not executed: grimp resolves those of packages, :mod:`ast` those of notebooks and of single files.
"""

import ast
import importlib.util
import re
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any

import grimp
import grimp.exceptions

from gristmill.errors import BuildError

OUR_PACKAGE = "gristmill"
"""The package that counts wherever it is installed; others count if they lie inside the project."""

_IMPORT_LINE = re.compile(r"^\s*(?:from\s+[\w.]+\s+import|import\s+[\w.]+).*$", re.MULTILINE)
_NOT_PYTHON = re.compile(r"^\s*[%!?]")


def imported_names(code: str) -> set[str]:
    """Return the dotted names that Python code (or a notebook's cells, magics included) imports, absolute imports only.

    ``from a import b`` gives both ``a`` and ``a.b``: which of them is a module is for the caller to find out.
    """
    tree = _parse("\n".join(line for line in code.splitlines() if not _NOT_PYTHON.match(line)))
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module)
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    return names


def _parse(code: str) -> ast.Module:
    """Parse code; where it is not quite Python, parse the lines that look like imports."""
    try:
        return ast.parse(code)
    except SyntaxError:
        pass
    body: list[ast.stmt] = []
    for line in _IMPORT_LINE.findall(code):
        try:
            body.extend(ast.parse(line.strip()).body)
        except SyntaxError:
            continue
    return ast.Module(body=body, type_ignores=[])


class Modules:
    """The modules of a project, as they are while this object lives.

    Parameters
    ----------
    root
        The project's root: single files and packages in it count beside Gristmill's own.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._packages: dict[str, tuple[Any, Path]] = {}
        self._closures: dict[str, dict[str, Path]] = {}

    def behind(self, names: Iterable[str]) -> dict[str, Path]:
        """Return module -> file for all modules that importing ``names`` runs, as far as they are ours or the project's own."""
        files: dict[str, Path] = {}
        waiting, seen = list(names), set[str]()
        while waiting:
            name = waiting.pop()
            if name in seen:
                continue
            seen.add(name)
            top = name.partition(".")[0]
            single = self._root / f"{top}.py"
            found = {top: single} if single.is_file() else self._closure(name, top) if _counts(top, self._root) else {}
            files.update(found)
            if top != OUR_PACKAGE:  # its own modules import no file of the project
                waiting.extend(other for file in found.values() for other in imported_names(file.read_text(encoding="utf-8")))
        return files

    def _closure(self, name: str, top: str) -> dict[str, Path]:
        """Return the modules of package ``top`` that importing ``name`` runs, packages' ``__init__`` included."""
        graph, folder = self._package(top)
        if name not in graph.modules:  # not a module but something in one
            name = name.rpartition(".")[0]
        if name not in self._closures:
            self._closures[name] = _reached(graph, name, folder) if name in graph.modules else {}
        return self._closures[name]

    def _package(self, package: str) -> tuple[Any, Path]:
        """Return the import graph of a package and its folder."""
        if package not in self._packages:
            folder = _folder(package)
            state = tuple(sorted((str(path), path.stat().st_mtime_ns, path.stat().st_size) for path in folder.rglob("*.py")))
            self._packages[package] = (_graph(package, state), folder)
        return self._packages[package]


@lru_cache(maxsize=8)
def _graph(package: str, _state: tuple[tuple[str, int, int], ...]) -> Any:
    """Build the import graph of a package in the given state of its files.

    Raises
    ------
    BuildError
        A module of it is not Python.
    """
    try:
        return grimp.build_graph(package, cache_dir=None, exclude_type_checking_imports=True)
    except grimp.exceptions.SourceSyntaxError as error:
        raise BuildError(f"{error}. Mend that line; nothing that imports the module can run.") from error


def _reached(graph: Any, name: str, folder: Path) -> dict[str, Path]:
    """Return the file of every module that importing ``name`` runs, the packages it lies in included.

    What Gristmill's own ``__init__`` imports is left out: it does so only when IPython asks for the magics.
    """
    reached, waiting = set[str](), [name]
    while waiting:
        module = waiting.pop()
        if module not in reached:
            reached.add(module)
            waiting.extend(graph.find_modules_directly_imported_by(module) if module != OUR_PACKAGE else ())
            waiting.extend([module.rpartition(".")[0]] if "." in module else [])
    return {module: _file(module, folder) for module in reached}


def _file(module: str, folder: Path) -> Path:
    """Return the file of a module of the package in ``folder``."""
    inner = folder.joinpath(*module.split(".")[1:])
    package = inner / "__init__.py"
    return package if package.is_file() else inner.with_suffix(".py")


def _folder(package: str) -> Path:
    """Return the folder of an importable package."""
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(package)
    return Path(spec.origin).resolve().parent


@lru_cache(maxsize=1024)
def _counts(top: str, root: Path) -> bool:
    """Return whether a top-level package is ours or lies inside the project, outside its environment."""
    spec = importlib.util.find_spec(top) if top not in {"", "__main__"} else None
    if spec is None or spec.origin is None or Path(spec.origin).name != "__init__.py":
        return False
    folder = Path(spec.origin).resolve().parent
    return top == OUR_PACKAGE or (root.resolve() in folder.parents and "site-packages" not in folder.parts)
