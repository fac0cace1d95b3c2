"""Which cases there are to look at."""

from pathlib import Path

from tests.models import save_model

from gristmill.views.cases import choose_case, find_cases


def test_built_cases_come_first_and_what_is_asked_for_is_chosen_if_it_exists(tmp_path: Path):
    assert choose_case(find_cases(tmp_path), None) is None
    (tmp_path / "configs").mkdir()
    for name in ("alpha", "beta", "gamma"):
        (tmp_path / "configs" / f"{name}.yaml").write_text("")
    save_model(tmp_path / "artifacts" / "beta" / "model")
    cases = find_cases(tmp_path)
    assert [(case.name, case.built) for case in cases] == [("beta", True), ("alpha", False), ("gamma", False)]
    assert cases[1].what_to_do == "The case alpha has no model yet. Build it: `make run CASE=alpha`."
    chosen = [choose_case(cases, asked) for asked in (None, "gamma", "no such case")]
    assert [one.name for one in chosen if one is not None] == ["beta", "gamma", "beta"]
