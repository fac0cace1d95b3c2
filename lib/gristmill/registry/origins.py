"""Where a registered version comes from, and which versions come from some data: lineage read both ways."""

import difflib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from gristmill import tracking
from gristmill.data.snapshots import history
from gristmill.data.snapshots.history import SHOWN
from gristmill.errors import RegistryError
from gristmill.paths import ProjectPaths
from gristmill.registry.aliases import meant
from gristmill.registry.references import BY_ALIAS, BY_NUMBER
from gristmill.registry.versions import ALIASES, CHAMPION, ModelVersion, find_all, find_version

BY_NAME = re.compile(r"(?:models:/)?(?P<name>[a-z][a-z0-9_]*)")
DATA_TAG = "gristmill.data_digest"
SOURCE_TAG = "gristmill.source"
FAMILY_TAG = "gristmill.family_run."
UNKNOWN = "not recorded"


@dataclass(frozen=True)
class Origin:
    """What a registered version was made from.

    Attributes
    ----------
    version
        The version; digests of data, code and lock are among its tags.
    source
        Where its rows were taken from; None if nothing says so.
    rows
        How many there were; None if the snapshot is not in the case's history.
    settings
        Parameters of the build.
    families
        Family -> the parameters that the search chose; the chosen family alone, or all if they were blended.
    """

    version: ModelVersion
    source: str | None
    rows: int | None
    settings: Mapping[str, str] = field(default_factory=dict)
    families: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


def named_version(reference: str, paths: ProjectPaths) -> ModelVersion:
    """Return the version that ``NAME@alias``, ``NAME/VERSION`` or ``NAME`` means; for a name the champion, else the latest.

    Raises
    ------
    RegistryError
        The reference has another form, or names nothing that exists.
    """
    match = BY_ALIAS.fullmatch(reference) or BY_NUMBER.fullmatch(reference) or BY_NAME.fullmatch(reference)
    if match is None:
        raise RegistryError(
            f"Expected a model as NAME, NAME@alias (aliases: {', '.join(ALIASES)}) or NAME/VERSION, got {reference!r}. Example: "
            "churn@champion."
        )
    parts = match.groupdict()
    if "version" in parts:
        found = find_version(parts["name"], int(parts["version"]), paths.root)
    else:
        found = meant(parts["name"], parts.get("alias") or CHAMPION, paths.root)
    if found is None and "alias" not in parts and "version" not in parts:
        found = max(find_all(f"name = '{parts['name']}'", paths.root), key=lambda version: version.version, default=None)
    if found is None:
        known = sorted({f"{version.name}/{version.version}" for version in find_all("", paths.root)})
        near = difflib.get_close_matches(reference, known, n=3, cutoff=0.3) or known[:3]
        raise RegistryError(
            f"The registry has no {reference!r}"
            + (f"; it has {', '.join(near)}." if near else "; it is empty.")
            + f" `ploomber build --env--case {parts['name']}` registers a version."
        )
    return found


def origin(version: ModelVersion, paths: ProjectPaths) -> Origin:
    """Return what a version was made from.

    Raises
    ------
    RegistryError
        The registry does not answer.
    """
    digest = version.tags.get(DATA_TAG)
    taken = next((one.snapshot for one in _history(paths, version.name) if one.digest == digest), None)
    params, tags = _run(version, paths)
    families = {tag.removeprefix(FAMILY_TAG): run_id for tag, run_id in tags.items() if tag.startswith(FAMILY_TAG)}
    chosen = params.get("chosen")
    wanted = {chosen: families[chosen]} if chosen in families else families
    found = {family: _params(version.name, run_id, paths)[0] for family, run_id in sorted(wanted.items())}
    return Origin(
        version,
        source=version.tags.get(SOURCE_TAG) or (taken.uri if taken else None),
        rows=taken.rows if taken else None,
        settings=params,
        families={family: values for family, values in found.items() if values},
    )


def _run(version: ModelVersion, paths: ProjectPaths) -> tuple[dict[str, str], dict[str, str]]:
    """Return parameters and tags of the run that a version comes from; nothing if it was deleted."""
    return ({}, {}) if version.run_id is None else _params(version.name, version.run_id, paths)


def _params(name: str, run_id: str, paths: ProjectPaths) -> tuple[dict[str, str], dict[str, str]]:
    """Return parameters and tags of a run of a case."""
    client = tracking.connect(paths.root)
    experiment = client.get_experiment_by_name(name)
    safe = re.sub(r"[^0-9A-Za-z_-]", "", run_id)
    found = client.search_runs([experiment.experiment_id], f"attributes.run_id = '{safe}'") if experiment else []
    return (dict(found[0].data.params), dict(found[0].data.tags)) if found else ({}, {})


def made_from(beginning: str, paths: ProjectPaths) -> tuple[str, list[ModelVersion]]:
    """Return the digest that begins so, and the registered versions whose rows it names, by name and number.

    Raises
    ------
    RegistryError
        No snapshot or version has a digest that begins so, or several different ones have.
    """
    made = [version for version in find_all("", paths.root) if version.tags.get(DATA_TAG)]
    taken = {one.digest for case in _cases(paths) for one in _history(paths, case)}
    known = sorted(taken | {version.tags[DATA_TAG] for version in made})
    digests = [digest for digest in known if beginning and digest.startswith(beginning.lower())]
    if len(digests) == 1:
        mine = [version for version in made if version.tags[DATA_TAG] == digests[0]]
        return digests[0], sorted(mine, key=lambda version: (version.name, version.version))
    listed = ", ".join(digest[:SHOWN] for digest in digests or known) or "none"
    if digests:
        raise RegistryError(f"{beginning!r} is the beginning of {len(digests)} digests: {listed}. Give more characters.")
    raise RegistryError(f"Expected the beginning of a snapshot's digest, got {beginning!r}; known are: {listed}.")


def _cases(paths: ProjectPaths) -> list[str]:
    """Return the names of all cases that snapshots were taken for."""
    built = {path.parent.name for path in paths.root.glob("artifacts/*/snapshot.json")}
    return sorted(built | {path.stem for path in paths.case("").history.parent.glob("*.jsonl")})


def _history(paths: ProjectPaths, case: str) -> list[history.Version]:
    """Return the versions of a case's source; none where nothing was taken."""
    return history.versions(paths.case(case)) if case in _cases(paths) else []


def origin_lines(reference: str, paths: ProjectPaths) -> list[str]:
    """Return the lines that say where a model comes from.

    Raises
    ------
    RegistryError
        As :func:`named_version`.
    """
    found = origin(named_version(reference, paths), paths)
    return [f"{name:<12}{fact}" for name, fact in _facts(found)]


def _facts(found: Origin) -> Iterator[tuple[str, str]]:
    """Give name and fact of everything that is known about an origin."""
    version, tags = found.version, found.version.tags
    aliases = f" ({', '.join(version.aliases)})" if version.aliases else ""
    yield "Model", f"{version.name} version {version.version}{aliases}, digest {tags.get('gristmill.model_digest', UNKNOWN)}"
    rows = f", {found.rows:,} rows" if found.rows is not None else ", not in the history of this project"
    yield "Data", f"{tags.get(DATA_TAG, UNKNOWN)}{rows if DATA_TAG in tags else ''}"
    yield "Source", found.source or UNKNOWN
    changed = ", changed since that commit" if tags.get("gristmill.code_dirty") == "true" else ""
    yield "Code", f"{tags.get('gristmill.code_version', UNKNOWN)}{changed}"
    yield "Lock", tags.get("gristmill.lock_digest", UNKNOWN)
    yield "Run", version.run_id or UNKNOWN
    for name, values in {"Parameters": found.settings, **found.families}.items():
        yield name, ", ".join(f"{key}={value}" for key, value in sorted(values.items())) or UNKNOWN


def descendant_lines(beginning: str, paths: ProjectPaths) -> list[str]:
    """Return the lines that say which models come from a snapshot.

    Raises
    ------
    RegistryError
        As :func:`made_from`.
    """
    digest, made = made_from(beginning, paths)
    if not made:
        return [f"No registered model comes from the snapshot {digest}."]
    lines = [f"{len(made)} registered {'model comes' if len(made) == 1 else 'models come'} from the snapshot {digest}:"]
    for version in made:
        aliases = f" ({', '.join(version.aliases)})" if version.aliases else ""
        code = version.tags.get("gristmill.code_version", UNKNOWN)
        lines.append(
            f"  {version.name}/{version.version}{aliases}, code {code[: SHOWN + 7] if code.startswith('sha256:') else code[:SHOWN]}"
        )
    return lines


def lines(model: str | None, data: str | None, paths: ProjectPaths) -> list[str]:
    """Return the lines of ``gristmill lineage``: of a model, or of a snapshot.

    Raises
    ------
    RegistryError
        Neither or both are given, or what is given does not exist.
    """
    if (model is None) == (data is None):
        raise RegistryError(
            f"Expected either a model or --data DIGEST, got {'neither' if model is None else 'both'}. Examples: `gristmill lineage "
            "churn`, `gristmill lineage --data 4f2a9c`."
        )
    return origin_lines(model, paths) if model is not None else descendant_lines(str(data), paths)
