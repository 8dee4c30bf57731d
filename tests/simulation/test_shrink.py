from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from slackmq.simulation.__main__ import main
from slackmq.simulation.faults import CELLS, NONE
from slackmq.simulation.scenario import replay
from slackmq.simulation.shrink import active, only, replayed, shrunk
from slackmq.simulation.violation import Violation

if TYPE_CHECKING:
    from slackmq.simulation.faults import Faults
    from slackmq.simulation.scenario import Verdict

CALM = replay(1, "none")
BROKEN = replace(CALM, violations=(Violation(rule="I1 lost", what="k never ended", line=3),))
OTHER = replace(CALM, violations=(Violation(rule="I9 storm", what="k was begun often", line=3),))


def test_a_failing_run_shrinks_to_the_faults_without_which_it_does_not_fail() -> None:
    def play(faults: Faults) -> Verdict:
        return BROKEN if faults.kills and faults.lag else CALM

    names, verdict = shrunk(BROKEN, CELLS["everything"], play=play)
    assert names == ("kills", "lag")
    assert verdict is BROKEN


def test_a_run_that_breaks_another_promise_is_not_the_same_failure() -> None:
    def play(faults: Faults) -> Verdict:
        return BROKEN if faults.kills else OTHER

    assert shrunk(BROKEN, CELLS["everything"], play=play)[0] == ("kills",)


def test_a_run_that_fails_without_any_fault_can_be_played_again_as_it_says(capsys: pytest.CaptureFixture[str]) -> None:
    def play(_: Faults) -> Verdict:
        return BROKEN

    names, verdict = shrunk(BROKEN, CELLS["everything"], play=play)
    command = replayed(verdict, names).splitlines()[-1]
    assert main(command.removeprefix("replay: python -m slackmq.simulation ").split()) == 0
    assert "0 broken promises, " in capsys.readouterr().out


def test_a_fault_that_the_cell_does_not_have_is_refused_by_name(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--seed", "1", "--cell", "C1", "--only", "kils"])
    assert "no fault of this cell: kils; it has kills" in capsys.readouterr().err


def test_a_run_can_be_played_with_some_faults_of_its_cell_alone() -> None:
    faults = only(CELLS["everything"], ["kills"])
    assert active(faults) == ("kills",)
    assert active(NONE) == ()
    assert {line.what.split()[0] for line in replay(3, "everything", faults=faults).truth.disturbances} <= {
        "start",
        "heal",
        "kill",
    }
