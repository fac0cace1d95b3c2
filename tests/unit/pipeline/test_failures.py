"""Which failures are one sentence, and what is said about the others."""

import re
from pathlib import Path

from gristmill import errors
from gristmill.errors import LeakageError
from gristmill.pipeline.failures import describe, stopped_by
from gristmill.pipeline.worker import Outcome

OURS = "\x1b[31mLeakageError\x1b[0m\nCell In[3], line 1\n\nFile /x/lib/gristmill/data/leakage.py:12, in check(f)\nLeakageError: no"
THEIRS = "DataError\nCell In[3], line 1\n\nFile /x/pandas/core/base.py:12, in agg(f)\nDataError: no"


def test_an_error_of_ours_keeps_its_class_and_sentence():
    error = stopped_by(Outcome(1.0, ename="LeakageError", evalue="The column\n'x' leaks.", traceback=OURS))
    assert isinstance(error, LeakageError)
    assert str(error) == "The column 'x' leaks."
    assert error.exit_code == 2


def test_an_error_of_the_same_name_in_another_library_is_not_ours():
    assert stopped_by(Outcome(1.0, ename="DataError", evalue="no", traceback=THEIRS)) is None


def test_a_list_of_reasons_stays_a_list():
    error = stopped_by(Outcome(1.0, ename="LeakageError", evalue="It cannot be used:\n  - one\nleaks\n  - other", traceback=OURS))
    assert str(error) == "It cannot be used:\n  - one leaks\n  - other"


def test_any_other_error_is_not_ours():
    assert stopped_by(Outcome(1.0, ename="KeyError", evalue="'x'")) is None


def test_a_description_leads_on():
    outcome = Outcome(1.0, ename="KeyError", evalue="'x'", traceback="\x1b[31mred\x1b[0m", cell=4, partial="/p/reports/c/05.ipynb")
    text = describe("05", outcome, "ploomber build --env--case c", Path("/p"))
    assert "05 failed in code cell 4: KeyError: 'x'" in text
    assert "red" in text
    assert "\x1b" not in text
    assert "reports/c/05.ipynb" in text
    assert "`ploomber build --env--case c`" in text


def test_every_error_of_the_package_is_where_a_build_looks_for_it(repository):
    names = {name for name, kind in vars(errors).items() if isinstance(kind, type)}
    for file in (repository / "lib" / "gristmill").rglob("*.py"):
        for made in re.finditer(r"^class (\w+)\((\w+Error)\):", file.read_text(encoding="utf-8"), re.MULTILINE):
            assert made[2] not in names or made[1] in names, f"{file}: a build would take {made[1]} for a defect of ours"
