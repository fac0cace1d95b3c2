"""The configuration page and the case file's models say the same (R59)."""

from pathlib import Path

import pytest

from gristmill.config.base import Section
from gristmill.config.case import Case
from gristmill.config.loading import load_case, parse_case
from gristmill.config.reference import renewed
from gristmill.data.contract.reference import reference_tables
from gristmill.data.contract.terms_file import parse as parse_contract


def test_every_key_is_documented_as_the_models_have_it(repository: Path):
    page = (repository / "docs" / "configuration.md").read_text(encoding="utf-8")
    assert page == renewed(page), "run: python -m gristmill.config.reference docs/configuration.md"


def test_every_key_has_a_sentence_of_its_own():
    sections = [Case, *(field.annotation for field in Case.model_fields.values())]
    fields = [
        field
        for section in sections
        if isinstance(section, type) and issubclass(section, Section)
        for field in section.model_fields.values()
    ]
    assert len(fields) > 60
    assert all(field.description and field.description.endswith((".", ")")) for field in fields)


def test_the_example_on_the_page_is_a_valid_case(repository: Path):
    page = (repository / "docs" / "configuration.md").read_text(encoding="utf-8")
    example = page.split("```yaml\n")[1].split("```")[0]
    assert parse_case(example, "docs/configuration.md").positive_class == "Yes"


def test_every_key_of_a_contract_is_documented_as_the_models_have_it(repository: Path):
    page = (repository / "docs" / "data-contracts.md").read_text(encoding="utf-8")
    tables = reference_tables()
    assert page == renewed(page, tables), "run: python -m gristmill.data.contract.reference docs/data-contracts.md"
    example = page.split("```yaml\n")[1].split("```")[0]
    assert parse_contract(example, "docs/data-contracts.md", "churn").columns["tenure"].require.minimum == 0


@pytest.mark.parametrize("path", sorted(Path(__file__).parents[2].glob("configs/contracts/*.yaml")), ids=lambda path: path.stem)
def test_every_contract_of_the_repository_is_valid_and_of_a_case(path: Path, repository: Path):
    case = load_case(path.stem, repository)
    assert case.target in parse_contract(path.read_text(encoding="utf-8"), path.name, path.stem).columns


@pytest.mark.parametrize("path", sorted(Path(__file__).parents[2].glob("configs/*.yaml")), ids=lambda path: path.stem)
def test_every_case_file_of_the_repository_is_valid(path: Path, repository: Path):
    assert load_case(path.stem, repository).name == path.stem
