"""A command that ends anywhere leaves one champion, and a state that the next command repairs (R33)."""

import os
import random
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from tests.conftest import REPOSITORY
from tests.releasing import Crash, add_version, check_whole, crashing, make_project, next_command, stop

from gristmill.registry import aliases, promotion, releases, versions


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_project(tmp_path_factory.mktemp("crashes"))


@pytest.fixture
def model(root: Path, request: pytest.FixtureRequest) -> str:
    """Return a model of this test's own with three versions, the first of which is champion."""
    name = request.node.name.partition("[")[0].removeprefix("test_")[:60].rstrip("_")
    for _ in range(3):
        add_version(root, name)
    promotion.promote(name, 1, root=root)
    return name


def crashed(command: Callable[[], object]) -> Iterator[list[str]]:
    """Run a command that ends before its first step, then one that ends before its second, and so on until one is not ended."""
    for at in range(1000):
        with crashing(at, stop) as steps, suppress(Crash):
            command()
            return
        yield steps


def test_a_promotion_may_end_before_any_step(root: Path, model: str) -> None:
    taken: list[str] = []
    for steps in crashed(lambda: promotion.promote(model, 2, reason="better", root=root)):
        taken = max(taken, steps, key=len)
        if check_whole(root, model, {1, 2}) == 2:
            promotion.rollback(model, "again", root=root)
    assert {"UPDATE gristmill_releases SET", "INSERT INTO gristmill_release_history", "COMMIT", "set_alias"} <= set(taken)
    assert check_whole(root, model, {2}) == 2


@pytest.mark.slow
def test_a_rollback_may_end_before_any_step(root: Path, model: str) -> None:
    promotion.promote(model, 2, "staging", root=root)
    promotion.promote(model, 2, reason="better", root=root)
    for _ in crashed(lambda: promotion.rollback(model, "worse", root=root)):
        if check_whole(root, model, {1, 2}) == 1:
            promotion.promote(model, 2, reason="better", root=root)
    assert check_whole(root, model, {1}) == 1


def test_an_adoption_may_end_before_any_step(root: Path) -> None:
    for number, name in enumerate(f"adoption{at}" for at in range(1000)):
        add_version(root, name)
        promotion.tracking.connect(root).set_registered_model_alias(name, "champion", "1")
        with crashing(number, stop), suppress(Crash):
            aliases.opened(name, root)
            break
        assert aliases.opened(name, root).champion == 1
        check_whole(root, name, {1})
    assert number > 5


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.slow) for seed in (1, 2, 3))])
def test_a_hundred_promotions_and_rollbacks_with_crashes_tear_nothing(root: Path, model: str, seed: int) -> None:
    """Four times twenty-five, each ended before one of its own steps, at random; some before they moved the row, some after."""
    chance, champion, moved = random.Random(seed), 1, 0
    name = f"{model[:40]}{seed}"
    for _ in range(3):
        add_version(root, name)
    promotion.promote(name, 1, root=root)
    steps = fewest_steps(root, name)
    for turn in range(25):
        command, wanted = next_command(root, name, turn)
        with crashing(chance.randrange(steps), stop), pytest.raises(Crash):
            command()
        before, champion = champion, int(check_whole(root, name, {champion, wanted}) or 0)
        moved += champion != before
    assert 0 < moved < 25


def fewest_steps(root: Path, name: str) -> int:
    """Return how many steps every promotion and rollback of a model takes, whose first version is champion again then."""
    with crashing(None, stop) as promoted:
        promotion.promote(name, 2, reason="only counted", root=root)
    with crashing(None, stop) as rolled_back:
        promotion.rollback(name, "only counted", root=root)
    return min(len(promoted), len(rolled_back))


KILLING = """
import os, sys
from pathlib import Path
import mlflow
from tests import releasing
from gristmill.registry import inspection, promotion

root, model = Path(sys.argv[1]), sys.argv[2]


def child(work):
    number = os.fork()  # nothing is open yet: each child has connections of its own
    if number == 0:
        try:
            work()
        except BaseException as error:
            print(type(error).__name__, flush=True)
            os._exit(getattr(error, "exit_code", 70))
        os._exit(0)
    return number


def ended(number):
    return os.waitstatus_to_exitcode(os.waitpid(number, 0)[1])


def promote(version, at=None):
    with releasing.crashing(at, releasing.die) as steps:
        promotion.promote(model, version, reason="its turn", root=root)
    return len(steps)


for at in map(int, sys.argv[3:]):
    before = ended(child(lambda: os._exit(promotion.releases.find(model, root).champion)))
    code = ended(child(lambda: promote(3 - before, at)))
    assert code == -9, (at, code)
    assert ended(child(lambda: releasing.check_whole(root, model, {before, 3 - before}))) == 0, at

come, go = os.pipe(), os.pipe()


def both(version):
    looked = inspection.inspect

    def meet(found, where):
        os.write(come[1], b"x")
        os.read(go[0], 1)
        return looked(found, where)

    inspection.inspect = meet
    promotion.promote(model, version, reason="its turn", root=root)


champion = ended(child(lambda: os._exit(promotion.releases.find(model, root).champion)))
racers = [child(lambda: both(version)) for version in {1, 2, 3} - {champion}]
assert len(os.read(come[0], 1) + os.read(come[0], 1)) == 2
os.write(go[1], b"xx")
print(sorted(map(ended, racers)))
"""


@pytest.mark.slow
def test_processes_that_are_killed_tear_nothing_and_of_two_at_once_one_wins(root: Path, model: str) -> None:
    with crashing(None, stop) as steps:
        promotion.promote(model, 2, reason="better", root=root)
    promotion.rollback(model, "to begin", root=root)
    moved = next(at for at, step in enumerate(steps) if step.startswith("UPDATE gristmill_releases SET"))
    points = [moved + 1, moved + 2, moved + 3, steps.index("set_alias") + 1]
    assert [steps[at] for at in points[:2]] == ["INSERT INTO gristmill_release_history", "COMMIT"]
    run = [sys.executable, "-W", "ignore", "-c", KILLING, str(root), model, *map(str, points)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(REPOSITORY), os.environ.get("PYTHONPATH", "")])}
    done = subprocess.run(run, cwd=root, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.split("\n")[:2] == ["ReleaseConflictError", "[0, 1]"]
    entries = releases.history(model, root)
    assert [entry.action for entry in entries[-2:]] == ["promoted", "refused"]
    champion = releases.find(model, root).champion
    assert champion == entries[-2].after
    assert versions.known_aliases(model, root) == {"champion": champion}
