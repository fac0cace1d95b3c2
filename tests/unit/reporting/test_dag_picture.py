from pathlib import Path

import pytest
from tests.unit.reporting.pages import References

from gristmill.config.stages import READS
from gristmill.errors import BuildError
from gristmill.reporting.dag import Stage, essential_edges, lay_out, read_stages
from gristmill.reporting.dag_svg import NodeState, draw_dag, write_dag_picture


def diamond() -> list[Stage]:
    return [Stage("a"), Stage("b", ("a",)), Stage("c", ("a",)), Stage("d", ("a", "b", "c"))]


def test_the_pipeline_file_gives_all_stages_in_order_with_their_purposes(project: Path) -> None:
    stages = read_stages(project / "pipeline.yaml")
    assert [stage.name for stage in stages] == list(READS)
    assert all(stage.purpose for stage in stages)


def test_an_edge_that_a_longer_path_implies_is_not_drawn() -> None:
    assert set(essential_edges(diamond())) == {("a", "b"), ("a", "c"), ("b", "d"), ("c", "d")}


def test_a_stage_stands_after_the_last_of_those_it_needs() -> None:
    assert lay_out(diamond()).column == {"a": 0, "b": 1, "c": 1, "d": 2}


def test_stages_of_one_column_stand_apart_and_around_the_middle() -> None:
    height = lay_out(diamond()).height
    assert (height["b"], height["c"]) == (-0.5, 0.5)


def test_an_edge_over_several_columns_runs_above_all_stages() -> None:
    stages = [Stage("a"), Stage("x", ("a",)), Stage("b", ("a",)), Stage("c", ("b",)), Stage("d", ("c", "x"))]
    layout = lay_out(stages)
    assert list(layout.lanes) == [("x", "d")]
    assert layout.lanes["x", "d"] < min(layout.height.values())


def test_an_upstream_that_is_no_task_of_the_pipeline_is_ignored() -> None:
    assert essential_edges([Stage("a", ("elsewhere",))]) == ()


def test_a_file_without_tasks_is_refused(tmp_path: Path) -> None:
    (tmp_path / "pipeline.yaml").write_text("meta: {}\n", encoding="utf-8")
    with pytest.raises(BuildError, match="list of `tasks`"):
        read_stages(tmp_path / "pipeline.yaml")


def test_the_picture_marks_states_and_links() -> None:
    picture = draw_dag(diamond(), {"b": NodeState("failed", "3 s", 'b".html')})
    assert References(picture).links == ['b".html']
    assert picture.count('class="failed"') == 1
    assert picture.count('class="plain"') == 3


def test_the_readme_picture_carries_its_style_and_loads_nothing(project: Path, tmp_path: Path) -> None:
    write_dag_picture(project / "pipeline.yaml", tmp_path / "pictures" / "dag.svg")
    picture = (tmp_path / "pictures" / "dag.svg").read_text(encoding="utf-8")
    assert "<style>" in picture
    assert "http" not in picture.replace("http://www.w3.org/2000/svg", "")
