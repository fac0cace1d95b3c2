"""Features from a function of the user's own, named in the case file as ``features.custom: module:function``.

The function takes raw rows and returns further columns, each row's from that row alone. A model remembers it by name and by a
digest of its source, which is looked at before anything is run: it serves with the very code it was trained with, or not at all.
"""

import importlib
import os
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, cast

import pandas as pd

from gristmill.environment import find_project_root
from gristmill.errors import ArtifactError, CaseFileError, DataError, GristmillError
from gristmill.features.custom_source import Source, find_source

Function = Callable[[pd.DataFrame], Any]

_LOADING = threading.RLock()
_ADDED: set[str] = set()
"""Folders that were put on Python's path here: for what a function imports late, not to look for other modules in."""


def locate(function: str) -> Source:
    """Return where the code of a custom function lies, as it is now.

    The module is looked for beside the case files, in the project's folder, and on Python's path.

    Parameters
    ----------
    function
        ``module:function``.

    Raises
    ------
    CaseFileError
        There is no such module.
    """
    root = find_project_root(os.fspath(Path.cwd()))
    project = [] if root is None else [Path(root) / "configs", Path(root)]
    others = [Path(entry) for entry in sys.path if entry and entry not in _ADDED and "site-packages" not in entry]
    module = function.partition(":")[0]
    found = find_source(module, [*project, Path.cwd(), *others])
    if found is None:
        raise CaseFileError(
            f"`features.custom` names the module {module!r}, but there is no {module.replace('.', '/')}.py in "
            f"{' or '.join(str(folder) for folder in project) or Path.cwd()}. Write it there, or remove the key."
        )
    return found


@lru_cache(maxsize=32)
def load_version(function: str, digest: str) -> Function:
    """Return a custom function if its source has ``digest``; nothing of another source is run.

    Raises
    ------
    ArtifactError
        The module is missing, or another version than the model was built with.
    CaseFileError
        It is that version, and cannot be imported, or has no such function.
    """
    try:
        source = locate(function)
    except CaseFileError as error:
        raise ArtifactError(
            f"The model was built with the custom features of {function!r}, version {digest}, which cannot be loaded here: {error} "
            "Put the module that it was built with into the project's folder."
        ) from error
    if source.digest != digest:
        raise ArtifactError(
            f"The model was built with the custom features of {function!r}, version {digest}, but the module here is version "
            f"{source.digest} ({source.files[0]}). Put back the source it was built with, or build the case again."
        )
    return _loaded(function, source)


def _loaded(function: str, source: Source) -> Function:
    """Return a function of a module that lies at ``source``, imported anew."""
    module, _, name = function.partition(":")
    with _LOADING:
        found = getattr(_imported(module, source), name, None)
    if not callable(found):
        raise CaseFileError(f"`features.custom` is {function!r}, but {source.files[0]} has no function {name!r}. Correct the name.")
    return cast("Function", found)


def _imported(module: str, source: Source) -> Any:
    """Import a module from the folder its source was found in, and no other, nothing of it taken from a former import."""
    for name in source.modules:
        known = str(getattr(sys.modules.get(name), "__file__", ""))
        if name.partition(".")[0] in sys.stdlib_module_names or "site-packages" in known:
            raise CaseFileError(
                f"`features.custom` needs the module {name!r}, which is also the name of a library. Rename {source.files[0]}."
            )
        sys.modules.pop(name, None)
    before, sys.dont_write_bytecode = sys.dont_write_bytecode, True  # bytecode is told from source by seconds, and we by content
    sys.path.insert(0, str(source.folder))
    importlib.invalidate_caches()
    try:
        return importlib.import_module(module)
    except Exception as error:  # whatever the user's module raises
        raise CaseFileError(
            f"`features.custom` names the module {module!r}, but importing {source.files[0]} fails with {type(error).__name__}: "
            f"{error}. Mend the module."
        ) from error
    finally:
        sys.path.remove(str(source.folder))
        sys.dont_write_bytecode = before
        if str(source.folder) not in sys.path:  # for what its functions import when they are called
            sys.path.append(str(source.folder))
            _ADDED.add(str(source.folder))


def call(name: str, function: Function, rows: pd.DataFrame) -> pd.DataFrame:
    """Return what a custom function makes of rows.

    Parameters
    ----------
    name
        ``module:function``, for messages.
    function
        The function; it is handed a copy.
    rows
        Raw rows in the contract's types.

    Raises
    ------
    DataError
        It raises an error, or does not return one row a row with new, uniquely named columns.
    """
    try:
        made = function(rows.copy())
    except GristmillError:
        raise
    except Exception as error:  # whatever the user's function raises
        raise DataError(
            f"The custom features {name!r} fail on {len(rows):,} rows with {type(error).__name__}: {error}. Mend the function; "
            "it has to take rows with missing values, and any one row alone."
        ) from error
    if not isinstance(made, pd.DataFrame):
        raise DataError(f"Expected a DataFrame from the custom features {name!r}, got {type(made).__name__}. Return a DataFrame.")
    if not made.index.equals(rows.index):
        raise DataError(
            f"Expected one row a row, with the same index, from the custom features {name!r}; got {len(made):,} rows for "
            f"{len(rows):,}, or another index. Build the result with `index=rows.index`."
        )
    wrong = [column for column in made.columns if not isinstance(column, str) or column in rows.columns]
    if wrong or not made.columns.is_unique or not made.shape[1]:
        what = f"the column {wrong[0]!r}" if wrong else "no column" if not made.shape[1] else "two columns of one name"
        raise DataError(f"Expected new, uniquely named columns from the custom features {name!r}, got {what}. Rename it.")
    return made


def with_custom(custom: Mapping[str, Any], rows: pd.DataFrame) -> pd.DataFrame:
    """Return rows with the columns of a plan's custom features beside their own.

    Parameters
    ----------
    custom
        ``function``, ``digest``, ``reads`` and ``columns`` of a plan.
    rows
        Raw rows; the columns that the function was trained with must be there.

    Raises
    ------
    ArtifactError
        As :func:`load_version`.
    DataError
        As :func:`call`; or a column is missing, or another set of columns came than in training.
    """
    name = str(custom["function"])
    missing = [column for column in custom["reads"] if column not in rows.columns]
    if missing:
        raise DataError(f"Expected the column {missing[0]!r}, which the custom features {name!r} take, but the table has none.")
    made = call(name, load_version(name, custom["digest"]), rows[list(custom["reads"])])
    if list(made.columns) != list(custom["columns"]):
        raise DataError(
            f"Expected the columns {', '.join(custom['columns'])} from the custom features {name!r}, as in training, got "
            f"{', '.join(made.columns)}. The function must return the same columns for any rows."
        )
    return pd.concat([rows, made], axis=1)


def kinds_of(name: str, made: pd.DataFrame) -> dict[str, str]:
    """Return the kind of each column that a custom function made: ``numeric``, ``boolean`` or ``categorical``.

    Raises
    ------
    DataError
        A column is of dates or of something else.
    """
    return {str(column): _kind(name, made[column]) for column in made.columns}


def _kind(name: str, values: pd.Series) -> str:
    """Return the kind of one column."""
    if pd.api.types.is_bool_dtype(values):
        return "boolean"
    if pd.api.types.is_numeric_dtype(values):
        return "numeric"
    plain = values.dropna()
    seen: Sequence[type] = sorted({type(item) for item in plain.astype(object)}, key=str)
    if isinstance(values.dtype, pd.CategoricalDtype | pd.StringDtype) or all(kind is str for kind in seen):
        return "categorical"
    if all(issubclass(kind, bool) for kind in seen):
        return "boolean"
    if all(pd.api.types.is_number(item) for item in plain):
        return "numeric"
    raise DataError(
        f"Expected numbers, booleans or text in the column {values.name!r} of the custom features {name!r}, got "
        f"{', '.join(kind.__name__ for kind in seen) or values.dtype}. A date is told by numbers, such as days since another."
    )
