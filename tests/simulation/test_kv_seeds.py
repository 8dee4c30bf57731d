from __future__ import annotations

import hashlib
import math
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from slackmq.kv.entry import Change, Kind
from slackmq.kv.log import State
from slackmq.kv.record import GROUPS
from slackmq.simulation.__main__ import main
from slackmq.simulation.kv_cells import KV_CELLS
from slackmq.simulation.kv_checkers import check_lock, check_log, check_register, check_watch
from slackmq.simulation.kv_history import Asking, Held, KvTruth, Watched
from slackmq.simulation.kv_scenario import kv_replay
from slackmq.simulation.record import Disturbed

if TYPE_CHECKING:
    from collections.abc import Sequence

CHUNKS, SEEDS = 2, 2
"""A cell is played with four seeds, in two tests, so that none comes near the limit of time."""


@pytest.mark.timeout(60)  # a store that moves twice is used for a quarter of an hour
@pytest.mark.parametrize("chunk", range(CHUNKS))
@pytest.mark.parametrize("cell", KV_CELLS)
def test_no_promise_of_a_store_is_broken(cell: str, chunk: int) -> None:
    for seed in range(chunk * SEEDS, (chunk + 1) * SEEDS):
        verdict = kv_replay(seed, cell)
        assert not verdict.broken, str(verdict)


REGRESSIONS: Sequence[tuple[int, str, str]] = (
    (12, "roll/C3-fleet", "whether a process may write was asked of the channel that the store had just left"),
    (60001389, "M1", "somebody deleted a snapshot's message while its parts were posted, and no other was begun"),
)
"""Seeds that failed once, and what was wrong with the store or its judges."""


@pytest.mark.parametrize(("seed", "cell", "wrong"), REGRESSIONS, ids=[str(each[0]) for each in REGRESSIONS])
def test_a_seed_of_a_store_that_failed_once_does_not_fail_again(seed: int, cell: str, wrong: str) -> None:
    verdict = kv_replay(seed, cell)
    assert not verdict.broken, f"{wrong}\n{verdict}"


def test_a_history_has_all_that_is_judged_in_it() -> None:
    verdict = kv_replay(1, "none")
    answered = [asking for asking in verdict.askings if asking.ended < math.inf]
    assert {asking.verb for asking in answered} == {"read", "local", "put", "cas", "count", "add"}
    assert any(not asking.done for asking in answered)
    assert len(verdict.holders) > 2
    assert len({line.process[:2] for line in verdict.lines if getattr(line, "method", "") == "chat.postMessage"}) >= 5


@pytest.mark.parametrize("cell", ["none", "H2", "V2", "points", "everything"])
def test_writes_that_wait_go_out_together(cell: str) -> None:
    """A revision's last three digits are the place of a group in its record."""
    shared = [change for seed in range(3) for change in kv_replay(seed, cell).truth.changes if change.revision % GROUPS]
    assert len(shared) > 10


def test_a_seed_of_a_store_plays_the_same_in_every_process() -> None:
    program = (
        "import hashlib; from slackmq.simulation.kv_scenario import kv_replay;"
        "lines = kv_replay(5, 'everything').lines;"
        "print(hashlib.sha256('\\n'.join(f'{line.at} {line}' for line in lines).encode()).hexdigest())"
    )
    lines = kv_replay(5, "everything").lines
    digests = {hashlib.sha256("\n".join(f"{line.at} {line}" for line in lines).encode()).hexdigest()}
    for hashes in ("0", "777"):
        environment = {**os.environ, "PYTHONHASHSEED": hashes}
        run = subprocess.run(
            [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True
        )
        digests.add(run.stdout.strip())
    assert len(digests) == 1


def test_a_failing_seed_of_a_store_says_how_to_replay_it() -> None:
    assert str(kv_replay(3, "none")).endswith("replay: python -m slackmq.simulation --kv --seed 3 --cell none")


def test_the_command_judges_stores(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--kv", "--seed", "1", "--cell", "none"]) == 0
    assert "0 broken promises" in capsys.readouterr().out
    assert main(["--kv", "--seed", "1", "--cell", "M3"]) == 2


NOTHING = KvTruth(changes=(), values={}, state=State(), pauses=())


def test_the_judges_see_what_is_wrong() -> None:
    put = Asking(process="w1", verb="put", key="a", new=1, began=0, ended=1, revision=7)
    stale = Asking(process="w2", verb="read", key="a", new=None, began=2, ended=3)
    assert [broken.rule for broken in check_register([put, stale])] == ["K1 linearizable"]
    assert [broken.rule for broken in check_log([put], NOTHING)] == ["K2 log"]
    holders = [Held(process="w1", token=5, began=0, ended=9), Held(process="w2", token=4, began=1, ended=2)]
    assert [broken.rule for broken in check_lock(holders, NOTHING)] == ["K5 lock", "K5 lock"]
    watched = Watched(process="w1", since=0, changes=[("a", 1, "put")])
    assert [broken.rule for broken in check_watch([watched], NOTHING)] == ["K4 watch"]
    changes = tuple(Change(key="a", kind=Kind.PUT, revision=number) for number in range(1, 6))
    there = KvTruth(changes=changes, values={}, state=State(), pauses=())
    given = [("a", number, "put") for number in range(1, 6)]
    for since, until, taken, right in (
        (0, 5, given, True),
        (2, 5, given[2:], True),
        (2, 0, [], True),
        (2, 0, given[2:4], True),
        (0, 5, [], False),
        (0, 5, given[:4], False),
        (0, 0, given[1:], False),
        (2, 0, given[1:], False),
        (0, 0, given[:1] + given[2:], False),
        (0, 0, given[:1] + given[:1], False),
    ):
        watched = Watched(process="w1", since=since, until=until, changes=taken)
        assert (not list(check_watch([watched], there))) is right
    for who, when, right in (("w1", 1.5, True), ("w1", 0.5, False), ("w1", 3, False), ("w2", 1.5, False)):
        paused = KvTruth(changes=(), values={}, state=State(), pauses=[Disturbed(at=when, process=who, what="pause")])
        holders = [Held(process="w1", token=4, began=1, ended=9), Held(process="w2", token=5, began=2, ended=3)]
        assert (not list(check_lock(holders, paused))) is right
