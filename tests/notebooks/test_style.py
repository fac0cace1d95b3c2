"""Every notebook of the DAG is in the house style that docs/notebooks.md describes."""

import ast
import re
from pathlib import Path

import nbformat
import pytest
import yaml
from nbformat import NotebookNode

REPOSITORY = Path(__file__).resolve().parents[2]
STAGES = sorted((REPOSITORY / "notebooks").glob("[01]?_*.ipynb"))
DAG = [path for path in STAGES if not path.name.startswith("00_")]
SCORING = sorted((REPOSITORY / "notebooks").glob("3?_*.ipynb"))
MONITORING = sorted((REPOSITORY / "notebooks").glob("2?_*.ipynb"))
PIPELINES = {**dict.fromkeys(SCORING, "pipeline.score.yaml"), **dict.fromkeys(MONITORING, "pipeline.monitor.yaml")}
each_stage = pytest.mark.parametrize("path", [*DAG, *SCORING, *MONITORING], ids=lambda path: path.stem)


def read(path: Path) -> NotebookNode:
    return nbformat.read(path, as_version=4)


def sources(notebook: NotebookNode, kind: str) -> list[str]:
    return [cell.source for cell in notebook.cells if cell.cell_type == kind]


def headings(notebook: NotebookNode, level: int) -> list[str]:
    return [line for text in sources(notebook, "markdown") for line in text.splitlines() if re.match(rf"#{{{level}}} ", line)]


def parameters_cell(notebook: NotebookNode) -> int:
    (position,) = [i for i, cell in enumerate(notebook.cells) if "parameters" in cell.metadata.get("tags", [])]
    return position


def test_there_is_a_notebook_for_each_task_of_the_dag():
    tasks = yaml.safe_load((REPOSITORY / "pipeline.yaml").read_text(encoding="utf-8"))["tasks"]
    assert [path.stem for path in DAG] == sorted(task["name"] for task in tasks)
    assert len(DAG) == 14
    for others in (SCORING, MONITORING):
        tasks = yaml.safe_load((REPOSITORY / PIPELINES[others[0]]).read_text(encoding="utf-8"))["tasks"]
        assert [path.stem for path in others] == [task["name"] for task in tasks]


@each_stage
def test_it_opens_with_a_title_and_one_question(path: Path):
    first = read(path).cells[0]
    assert first.cell_type == "markdown"
    assert first.source.startswith("# ")
    assert first.source.count("?") == 1


@each_stage
def test_it_says_what_goes_in_and_out(path: Path):
    second = read(path).cells[1].source
    assert second.count("\n|") >= 3
    for word in ("Inputs", "Products", "Parameters"):
        assert re.search(rf"{word[:-1]}", second, re.IGNORECASE), word


@each_stage
def test_imports_come_before_parameters_and_parameters_before_loading(path: Path):
    notebook = read(path)
    position = parameters_cell(notebook)
    before = [cell.source for cell in notebook.cells[:position] if cell.cell_type == "code"]
    assert len(before) == 1
    assert before[0].lstrip().startswith(("import", "from", "%"))
    after = "\n".join(cell.source for cell in notebook.cells[position + 1 :] if cell.cell_type == "code")
    assert not re.search(r"^\s*(import|from)\s", after, re.MULTILINE)


@each_stage
def test_its_parameters_are_those_of_its_dag(path: Path):
    notebook = read(path)
    tree = ast.parse(notebook.cells[parameters_cell(notebook)].source)
    assigned = [node.targets if isinstance(node, ast.Assign) else [node.target] for node in tree.body if hasattr(node, "value")]
    names = [target.id for targets in assigned for target in targets if isinstance(target, ast.Name)]
    tasks = yaml.safe_load((REPOSITORY / PIPELINES.get(path, "pipeline.yaml")).read_text(encoding="utf-8"))["tasks"]
    (params,) = [task["params"] for task in tasks if task["name"] == path.stem]
    assert set(names) == {"upstream", "product", *params}
    assert path in PIPELINES or set(params) == {"case", "code_version"}


@each_stage
def test_it_has_three_to_six_steps_a_conclusion_and_products(path: Path):
    titles = headings(read(path), 2)
    assert titles[-2:] == ["## Conclusion", "## Products"]
    steps = [title for title in titles[:-2] if not title.lower().startswith("## load")]
    assert 3 <= len(steps) <= 6, titles


@each_stage
def test_it_is_a_narrative_of_twenty_to_forty_cells(path: Path):
    notebook = read(path)
    code, prose = len(sources(notebook, "code")), len(sources(notebook, "markdown"))
    assert 20 <= code + prose <= 40, (code, prose)
    assert prose >= 0.7 * code, (code, prose)


@each_stage
def test_its_code_cells_are_short_and_define_nothing(path: Path):
    for source in sources(read(path), "code"):
        imports = source.startswith(("import ", "from "))
        assert source.count("\n") < (25 if imports else 15), source
        assert not re.search(r"^\s*(def|class|async def)\s", source, re.MULTILINE), source


@each_stage
def test_it_reads_the_case_as_its_own_stage(path: Path):
    assert f'load_stage_case(case, "{path.stem}")' in "\n".join(sources(read(path), "code"))


@each_stage
def test_it_carries_no_outputs_and_a_plain_kernel(path: Path):
    notebook = read(path)
    assert not any(cell.get("outputs") or cell.get("execution_count") for cell in notebook.cells)
    assert notebook.metadata.kernelspec.name == "python3"


@pytest.mark.parametrize("path", [path for path in DAG if "03" <= path.name[:2] <= "06"], ids=lambda path: path.stem)
def test_no_stage_before_the_evaluation_touches_a_test_row(path: Path):
    code = "\n".join(sources(read(path), "code"))
    assert not re.search(r"""\[\s*["']test["']\s*\]|test\.parquet""", code)


@each_stage
def test_numbers_in_its_prose_are_computed(path: Path):
    prose = "\n".join(sources(read(path), "markdown"))
    assert not re.search(r"\b\d+\.\d{2,}\b|\b\d{2,}(\.\d+)? ?%", prose), "a figure typed by hand goes stale on another table"
