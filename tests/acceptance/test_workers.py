"""Workers as processes: what becomes of their jobs when they are stopped, and when they are killed."""

from __future__ import annotations

import signal
from datetime import timedelta
from typing import TYPE_CHECKING

from tests.acceptance.conftest import PATIENCE

from slackmq.cli.tally import Kill, tally
from slackmq.cli.target import wall_clock

if TYPE_CHECKING:
    from tests.acceptance.conftest import Stage

WORKER = ("worker", "nap_house:app", "-c", "2")
SHORT = timedelta(seconds=4)
"""A lease, where it is to lapse."""


def test_sigterm_lets_a_running_job_end_and_claims_no_other(stage: Stage) -> None:
    worker = stage.start(*WORKER)
    first = stage.post(1.5)
    stage.until(stage.begun)
    worker.send_signal(signal.SIGTERM)
    second = stage.post(0)
    assert worker.wait(timeout=PATIENCE) == 0
    ledger = stage.ledger()
    assert first in ledger.done
    assert second not in ledger.done
    assert ledger.generation(second) == 0
    assert len(stage.ended()) == 1


def test_what_outlasts_the_drain_is_given_back_and_done_by_another(stage: Stage) -> None:
    worker = stage.start(*WORKER, "--drain", "0.2")
    ts = stage.post(None, kind="linger")
    stage.until(stage.begun)
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(timeout=PATIENCE) == 0
    assert {taken for taken, _ in stage.ledger().released} == {ts}
    stage.start(*WORKER)
    stage.until(lambda: ts in stage.ledger().done)
    found = tally(stage.ledger(), stage.effects(), lease=stage.lease)
    assert found.holds
    assert "given back" in found.repeats[0].reason


def test_a_second_signal_gives_everything_back_at_once(stage: Stage) -> None:
    worker = stage.start(*WORKER)
    ts = stage.post(60)
    stage.until(stage.begun)
    worker.send_signal(signal.SIGTERM)
    stage.until(lambda: "claiming nothing more" in (stage.folder / "1.log").read_text())
    worker.send_signal(signal.SIGINT)
    assert worker.wait(timeout=PATIENCE) == 130
    assert {taken for taken, _ in stage.ledger().released} == {ts}


def test_a_handler_that_hangs_keeps_no_worker_from_ending(stage: Stage) -> None:
    worker = stage.start(*WORKER)
    stage.post(None, kind="hang")
    stage.until(stage.begun)
    worker.send_signal(signal.SIGTERM)
    stage.until(lambda: "claiming nothing more" in (stage.folder / "1.log").read_text())
    worker.send_signal(signal.SIGTERM)
    worker.send_signal(signal.SIGINT)
    assert worker.wait(timeout=PATIENCE) == 130
    assert "a handler does not stop" in (stage.folder / "1.log").read_text()


def test_the_job_of_a_killed_worker_is_taken_over_once_its_lease_has_lapsed(stage: Stage) -> None:
    stage.lease = SHORT
    workers = [stage.start(*WORKER) for _ in range(2)]
    ts = stage.post(None, kind="linger")
    stage.until(stage.begun)
    holder = next(worker for worker in workers if worker.pid == stage.begun()[0].worker)
    killed = Kill(worker=holder.pid, at=wall_clock())
    holder.kill()
    stage.until(lambda: ts in stage.ledger().done)
    found = tally(stage.ledger(), stage.effects(), lease=stage.lease, kills=[killed])
    assert found.holds
    assert found.handled == 1
    assert found.repeats[0].before.worker == holder.pid
    assert found.takeover is not None
    assert found.takeover > 1


def test_a_handler_that_blocks_its_loop_loses_its_lease_and_the_fleet_goes_on(stage: Stage) -> None:
    stage.lease = SHORT
    workers = [stage.start(*WORKER) for _ in range(2)]
    ts = stage.post(60, kind="block")
    stage.until(lambda: ts in stage.ledger().done)
    first, second = stage.begun()[:2]
    assert first.worker != second.worker
    assert first.token < second.token
    stage.until(lambda: len(stage.ended()) == len(stage.begun()))
    after = stage.post(0)
    stage.until(lambda: after in stage.ledger().done)
    assert [worker.poll() for worker in workers] == [None, None]
    assert tally(stage.ledger(), stage.effects(), lease=stage.lease).holds


def test_a_plain_function_behind_plain_middleware_shows_one_bar_in_a_process_of_its_own(stage: Stage) -> None:
    stage.start(*WORKER)
    done = stage.run("post", "#jobs", "count", "--arg", "steps=160")
    ts = stage.ledger().by_key()[done.stdout.split("key ")[1].strip()].ts
    stage.until(lambda: ts in stage.ledger().done)
    assert stage.thread(ts) == ["▓▓▓▓▓▓▓▓▓▓ 100 % · step 160", "counted by count"]


def test_a_process_works_on_one_at_a_time_and_no_faster_than_it_was_told(stage: Stage) -> None:
    alone = [stage.post(0.8, kind="single") for _ in range(2)]
    for _ in range(4):
        stage.post(0)
    stage.start("worker", "nap_house:app", "-c", "4", "--rate", "2/s")
    stage.until(lambda: len(stage.ended()) == 6)
    keys = {stage.ledger().jobs[ts].key for ts in alone}
    assert [effect.step for effect in stage.effects() if effect.key in keys] == ["begin", "end"] * 2
    begun = [effect.at for effect in stage.begun()]
    # The six take 2.5 s, or 0.8 if nobody held them back; the first of them may have been told of late.
    assert begun[-1] - begun[0] > 1_300_000
