"""Where the source of a custom function lies: its module, and the modules beside it which that imports."""

import ast
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Source:
    """The source of a module.

    Attributes
    ----------
    folder
        What has to be on Python's path for the module to be imported.
    files
        The module's file, then those of the modules in the same folder that it imports, directly or not.
    """

    folder: Path
    files: tuple[Path, ...]

    @property
    def digest(self) -> str:
        """A short digest over the text of all files, whatever folder they lie in."""
        content = hashlib.sha256()
        for path in self.files:
            text = path.read_bytes()
            content.update(f"{path.relative_to(self.folder).as_posix()} {len(text)}\n".encode() + text)
        return content.hexdigest()[:12]

    @property
    def modules(self) -> tuple[str, ...]:
        """The dotted names of the modules that the files hold."""
        paths = [path.relative_to(self.folder).with_suffix("") for path in self.files]
        return tuple(".".join(path.parent.parts if path.name == "__init__" else path.parts) for path in paths)


def find_source(module: str, folders: Sequence[Path]) -> Source | None:
    """Return the source of a module in the first of ``folders`` that has it; None if none has.

    Parameters
    ----------
    module
        Dotted name.
    folders
        Where to look, in order.
    """
    for folder in folders:
        inner = folder.resolve().joinpath(*module.split("."))
        for path in (inner.with_suffix(".py"), inner / "__init__.py"):
            if path.is_file():
                return Source(folder.resolve(), _reached(path, folder.resolve()))
    return None


def _reached(path: Path, folder: Path) -> tuple[Path, ...]:
    """Return a file and those in the same folder that it imports, directly or not; of a package, every module."""
    reached, waiting = [path], [path]
    if path.parent != folder:  # a module of a package: imports within it may be relative
        waiting += sorted((folder / path.relative_to(folder).parts[0]).rglob("*.py"))
    while waiting:
        file = waiting.pop()
        if file not in reached:
            reached.append(file)
        fresh = {other for top in _imports(file) for other in _files(folder, top)} - set(reached) - set(waiting)
        waiting += sorted(fresh)
    return (path, *sorted(set(reached) - {path}))


def _files(folder: Path, top: str) -> list[Path]:
    """Return the files of a top-level module or package of a folder; none if it is not there."""
    single = folder / f"{top}.py"
    if single.is_file():
        return [single]
    return sorted((folder / top).rglob("*.py")) if (folder / top / "__init__.py").is_file() else []


def _imports(file: Path) -> Iterator[str]:
    """Give the top-level names that a file imports; none if it is not Python, which importing it will say."""
    try:
        tree = ast.parse(file.read_bytes())
    except (SyntaxError, ValueError):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0]
