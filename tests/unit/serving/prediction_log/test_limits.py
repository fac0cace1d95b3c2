"""What the case file says about waiting for the log is what the log does."""

from gristmill.config.loading import parse_case
from gristmill.serving.prediction_log.limits import LogLimits

CASE = "name: churn\ntask: binary\nsource: x.csv\ntarget: y\npositive_class: a\n"


def test_the_defaults_of_the_case_file_are_those_of_the_log():
    assert LogLimits.of_case(parse_case(CASE, "x").serving.log) == LogLimits()


def test_every_limit_can_be_stated():
    stated = "{waiting_records: 5, waiting_megabytes: 0.5, wait_seconds: 3, group_records: 7, prune_minutes: 2}"
    limits = LogLimits.of_case(parse_case(f"{CASE}serving: {{log: {stated}}}\n", "x").serving.log)
    assert limits == LogLimits(records=5, size=2**19, seconds=3.0, group=7, prune_seconds=120.0)
