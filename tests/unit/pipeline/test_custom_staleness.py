"""An edit of the module of custom features makes the stages from 04 on stale, and none before."""

from pathlib import Path

from tests.conftest import write_case

from gristmill.pipeline.definition import find_stage
from gristmill.pipeline.staleness import Survey, fingerprint_of

CASE = """
name: small
task: regression
source: rows.csv
target: y
features: {custom: "my_features:add"}
"""


def fingerprints(root: Path) -> dict[str, str]:
    survey, found = Survey(root, "small"), {}
    for name in ("02_validate", "04_build_features"):
        stage = find_stage(root, "small", name)
        assert stage is not None
        found[name] = fingerprint_of(survey.ingredients(stage))
    survey.digests.save()
    return found


def moved(before: dict[str, str], after: dict[str, str]) -> list[str]:
    return [name for name in before if before[name] != after[name]]


def test_writing_and_editing_the_module_or_what_it_imports_moves_the_stage_that_plans(project: Path):
    write_case(project, CASE)
    module, helper = project / "configs" / "my_features.py", project / "configs" / "my_rates.py"
    absent = fingerprints(project)
    module.write_text("import my_rates\ndef add(rows): ...\n")
    written = fingerprints(project)
    helper.write_text("RATE = 2\n")
    helped = fingerprints(project)
    helper.write_text("RATE = 33\n")
    edited = fingerprints(project)
    assert [moved(*pair) for pair in ((absent, written), (written, helped), (helped, edited))] == [["04_build_features"]] * 3


def test_the_module_is_named_among_the_ingredients(project: Path):
    write_case(project, CASE)
    (project / "my_features.py").write_text("def add(rows): ...\n")
    stage = find_stage(project, "small", "04_build_features")
    assert stage is not None
    assert "my_features.py" in Survey(project, "small").ingredients(stage)
