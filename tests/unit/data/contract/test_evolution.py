"""A contract moves on: what is accepted changes, what people wrote stays (R5)."""

import sys

import numpy as np
import pytest
from tests.unit.data.conftest import small, take_version  # noqa: F401 - a fixture
from typer.testing import CliRunner

from gristmill import cli
from gristmill.data.contract import terms_file
from gristmill.data.contract.terms import Limits
from gristmill.data.setup.preview import preview
from gristmill.data.snapshots.history import current

ROWS = "id,spend,plan,y\n" + "".join(
    f"{n},{n % 7}.5,{'basic' if n % 2 else 'pro'},{'yes' if n % 3 else 'no'}\n" for n in range(120)
)


@pytest.fixture(autouse=True)
def identified(small):  # noqa: F811
    small.case_file.write_text(small.case_file.read_text() + "id_columns: [id]\n")


def run(*arguments: str) -> str:
    result = CliRunner().invoke(cli.app, ["contract", *arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


@pytest.fixture
def accepted(small):  # noqa: F811
    """Return a case with a contract that was accepted on its first rows."""
    take_version(small, ROWS)
    run("accept", "small")
    return small


def edit(paths, old: str, new: str) -> None:
    text = paths.contract_file.read_text()
    assert old in text
    paths.contract_file.write_text(text.replace(old, new, 1))


def test_a_contract_is_written_from_the_current_snapshot_and_said(small):  # noqa: F811
    taken = take_version(small, ROWS)
    said = run("accept", "small")
    assert f"snapshot {taken.digest[:12]} of rows.csv" in said
    assert "has a contract now, of 4 columns" in said
    terms = terms_file.read(small)
    assert terms.snapshot == taken.digest[:12]
    assert terms.columns["plan"].expect.levels == ("basic", "pro")
    assert [path.name for path in small.contract_file.parent.iterdir()] == ["small.yaml"]


def test_without_a_build_the_source_is_read(small):  # noqa: F811
    (small.root / "rows.csv").write_text(ROWS)
    assert "no build has taken a snapshot yet" in run("accept", "small")
    assert terms_file.read(small).snapshot is None


def test_accepting_again_changes_not_a_byte(accepted):
    edit(accepted, "  plan:\n", "  plan:   # what they pay for\n")
    before = accepted.contract_file.read_bytes()
    assert "nothing to change" in run("accept", "small")
    assert accepted.contract_file.read_bytes() == before


def test_what_the_rows_contradict_moves_on_and_what_people_wrote_stays(accepted):
    edit(
        accepted,
        "  spend:\n    type: number\n",
        "  spend:   # in euros\n    type: number\n    require: {maximum: 1000}\n    severity: {infinite: stop}\n",
    )
    edit(accepted, "new_column:     warn", "new_column:     stop")
    edit(accepted, "  id:\n", "  # of the shop\n  id:\n")
    new = (
        ROWS.replace("pro", "gold")
        .replace("id,spend,plan,y", "id,spend,plan,y,extra")
        .replace("yes\n", "yes,a\n")
        .replace("no\n", "no,b\n")
    )
    take_version(accepted, new)
    said = run("diff", "small")
    assert terms_file.read(accepted).columns["plan"].expect.levels == ("basic", "pro")
    assert run("accept", "small").splitlines()[:3] == said.splitlines()[:3]
    assert "plan   expect.levels: + 'gold'" in said
    assert "extra  is new, of type category" in said
    terms, text = terms_file.read(accepted), accepted.contract_file.read_text()
    assert terms.columns["plan"].expect.levels == ("basic", "pro", "gold")
    assert terms.columns["spend"].require.maximum == 1000
    assert terms.columns["spend"].severity.infinite == "stop"
    assert terms.severity.new_column == "stop"
    assert terms.snapshot == current(accepted).digest[:12]
    assert "# in euros" in text


def test_a_limit_that_one_bad_row_moves_is_shown_with_that_row_and_a_caution(accepted):
    take_version(accepted, ROWS.replace("\n7,0.5,", "\n7,99999,").replace("\n9,2.5,basic", "\n9,2.5,gold"))
    lines = run("diff", "small").splitlines()
    at = next(n for n, line in enumerate(lines) if "spend  expect.maximum: 9.5 -> " in line)
    assert lines[at + 1].strip() == (
        "1 row of 120 is beyond; it holds: 99999 (id 7). Caution: so few rows make a range 15,789.5 times as wide; if they are "
        "mistakes, mend the source in place of accepting them."
    )
    assert "1 row of 120 departs from it, such as 'gold' in id 9." in run("diff", "small")


def test_a_limit_that_many_rows_move_has_no_caution(accepted):
    take_version(accepted, ROWS.replace(".5,basic", "0.5,basic"))
    said = run("diff", "small")
    assert "51 rows of 120 are beyond; the farthest: 60.5 (id 13), 60.5 (id 27), 60.5 (id 41)." in said
    assert "Caution" not in said


def test_a_column_that_one_bad_row_retypes_is_shown_with_that_row_and_a_caution(accepted):
    take_version(accepted, ROWS.replace("\n7,0.5,", "\n7,none,"))
    said = run("diff", "small")
    assert "1 row of 120 departs from it, such as 'none' in id 7. Caution: so few rows make the type;" in said


def test_a_column_that_is_gone_or_retyped_stops_until_it_is_accepted(accepted, monkeypatch, capsys):
    lines = [line.split(",") for line in ROWS.splitlines()]
    take_version(
        accepted,
        "\n".join(",".join([one[0], one[1] if n == 0 else f"about {one[1]}", one[3]]) for n, one in enumerate(lines)) + "\n",
    )
    monkeypatch.setattr(sys, "argv", ["gristmill", "check", "small"])
    with pytest.raises(SystemExit) as stop:
        cli.main()
    assert stop.value.code == 2
    said = capsys.readouterr().err
    assert "The column 'plan' of the data contract is not in the table" in said
    assert "120 rows of the column 'spend' are not numbers, such as 'about 0.5' in id 0" in said
    accepted_now = run("accept", "small")
    assert "type: number -> category" in accepted_now
    assert "plan   is gone" in accepted_now
    assert "Contract    The data contract is configs/contracts/small.yaml." in preview(accepted)


def test_a_requirement_that_the_rows_break_is_named_and_kept(accepted):
    edit(accepted, "  spend:\n    type: number\n", "  spend:\n    type: number\n    require: {maximum: 3}\n")
    said = run("accept", "small")
    assert "for a person to decide" in said
    assert "rows of the column 'spend' are above 3" in said
    assert terms_file.read(accepted).columns["spend"].require.maximum == 3


def test_the_contract_in_force_is_shown_and_can_be_read_again(accepted):
    shown = run("show", "small")
    assert terms_file.parse(shown, "shown", "small") == terms_file.read(accepted)


def test_check_says_how_to_keep_a_contract_that_was_inferred(small):  # noqa: F811
    (small.root / "rows.csv").write_text(ROWS)
    assert "gristmill contract accept small keeps it" in preview(small)


def test_types_of_the_file_are_those_of_training(accepted):
    assert "2 columns (1 numeric, 1 categorical)" in preview(accepted)
    terms = terms_file.read(accepted)
    codes = terms.columns["spend"].model_copy(update={"type": "category", "expect": Limits()})
    terms_file.write(accepted, terms.model_copy(update={"columns": {**terms.columns, "spend": codes}}), terms)
    assert "2 columns (2 categorical)" in preview(accepted)


def test_infinite_rows_do_not_widen_a_range_to_infinity(bench, customers, make_case):
    frame = customers.assign(spend=customers["spend"].mask(customers.index == 3, np.inf))
    assert bench.infer(frame, make_case(), tolerant=True).columns["spend"].expect.maximum < 1e3
