"""The table of which stage reads which key of the case file."""

import pytest
from tests.models import case_of

from gristmill.config.case import Case
from gristmill.config.sections.operation import Serving
from gristmill.config.stages import FAMILY_STAGES, READS, SERVICE_ONLY, StageCase


def test_stages_read_only_keys_that_exist():
    assert {key for keys in READS.values() for key in keys} <= set(Case.model_fields)


def test_every_key_is_read_by_some_stage():
    assert set(Case.model_fields) == {key for keys in READS.values() for key in keys}


def test_each_family_has_a_stage_of_its_own():
    assert sorted(FAMILY_STAGES.values()) == ["boosting", "forest", "linear", "neural"]


def test_a_stage_sees_what_a_build_needs_of_the_serving_section_and_nothing_of_the_service():
    serving = StageCase(case_of(), "06_select").serving
    assert serving.max_row_ms == 1.0
    for key in SERVICE_ONLY["serving"]:
        with pytest.raises(AttributeError, match="for the service alone"):
            getattr(serving, key)


def test_a_stage_sees_of_the_compliance_section_all_but_what_only_the_log_reads():
    compliance = StageCase(case_of(), "10_write_model_card").compliance
    assert compliance.owner == case_of().compliance.owner
    with pytest.raises(AttributeError, match=r"`compliance\.log_retention` is for the service alone"):
        compliance.log_retention  # noqa: B018 - it is the reading that is refused


def test_new_keys_of_the_serving_section_are_for_the_service_unless_a_build_is_said_to_read_them():
    assert set(Serving.model_fields) - set(SERVICE_ONLY["serving"]) == {
        "max_row_ms", "latency_ms", "requests_per_second", "deployment_target",
    }  # fmt: skip
    assert {"limits", "allowed_hosts", "out_of_range"} <= set(SERVICE_ONLY["serving"])
