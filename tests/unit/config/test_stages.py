"""The table of which stage reads which key of the case file."""

from gristmill.config.case import Case
from gristmill.config.stages import FAMILY_STAGES, READS


def test_stages_read_only_keys_that_exist():
    assert {key for keys in READS.values() for key in keys} <= set(Case.model_fields)


def test_every_key_is_read_by_some_stage():
    assert set(Case.model_fields) == {key for keys in READS.values() for key in keys}


def test_each_family_has_a_stage_of_its_own():
    assert sorted(FAMILY_STAGES.values()) == ["boosting", "forest", "linear", "neural"]
