from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from slackmq.claiming.way import WAYS
from slackmq.message import Outcome
from slackmq.simulation.faults import CELLS, PAIRS
from slackmq.simulation.scenario import replay

if TYPE_CHECKING:
    from collections.abc import Sequence

    from slackmq.claiming.way import Way

CHUNKS = 4
EACH = [pytest.param(cell, marks=pytest.mark.timeout(60)) if cell == "S1-burst" else cell for cell in CELLS]
"""Every cell; only a burst, of 200 jobs more, may take longer than any other test."""
SEEDS = 3
"""A cell is played with 12 seeds, in four tests, so that none comes near the limit of time."""


@pytest.mark.parametrize("chunk", range(CHUNKS))
@pytest.mark.parametrize("cell", EACH)
def test_no_promise_is_broken(cell: str, chunk: int) -> None:
    for seed in range(chunk * SEEDS, (chunk + 1) * SEEDS):
        verdict = replay(seed, cell)
        assert not verdict.violations, str(verdict)


@pytest.mark.parametrize("chunk", range(2))
@pytest.mark.parametrize("cell", EACH)
@pytest.mark.parametrize("way", ["pin", "native"])
def test_no_promise_is_broken_by_the_other_ways(way: Way, cell: str, chunk: int) -> None:
    for seed in range(chunk * SEEDS, (chunk + 1) * SEEDS):
        verdict = replay(seed, cell, way)
        assert not verdict.violations, str(verdict)


@pytest.mark.parametrize("pair", PAIRS)
def test_no_promise_is_broken_where_two_things_go_wrong(pair: str) -> None:
    for seed, way in enumerate(WAYS):
        verdict = replay(seed, pair, way)
        assert not verdict.violations, str(verdict)


REGRESSIONS: Sequence[tuple[int, str, Way, str]] = (
    (60376, "storm", "pin", "an extension that took effect in its last moment does not count"),
    (3400950, "everything", "reaction", "what was begun and then reworded is ended, not left"),
    (3400068, "none", "native", "a job with a chosen key is begun by whoever got its event, not by all after a lease"),
    (3400238, "none", "pin", "bots that wait for a key to settle take turns afterwards"),
    (3500161, "M1", "pin", "what stands in place of a deleted message is not worked on"),
    (3600543, "swarm", "reaction", "nobody can heed a 429 that did not reach them"),
    (3700338, "everything", "reaction", "who stood still after a claim begins no handler after its deadline"),
    (7001785, "H5-long", "pin", "who comes back after its claim reads the thread before it takes an end for its own"),
    (7000678, "everything", "pin", "of two holders in a thread, one of them late, one has ended the job"),
    (7006674, "C2", "pin", "a pin's age is told in whole seconds, so its holder may go on up to a second later"),
    (7007138, "S3", "native", "an outage that began before an execution may keep it from being extended"),
    (7002412, "everything", "pin", "the mark of a lapsed holder may take effect after the next claim, before its work"),
    (4100153, "H5-long", "pin", "a 429 from before an execution may keep it from being extended in the thread"),
    (8200016, "crowd", "pin", "after a person's unpin a bot may do again what it has not yet heard to be done"),
    (3400187, "H5-long", "native", "a 429 from before an execution may keep it from being extended"),
    (42004997, "swarm", "native", "a message that is deleted while its thread is read stops no worker"),
    (42007221, "crowd", "native", "an outage that began before a native execution may keep it from being extended"),
    (9100015, "M2-full", "reaction", "who goes on in the thread of a full message gives back what it held by emoji"),
    (9100014, "M2-full", "pin", "an end that Slack takes no mark for stops no worker"),
    (136, "terms", "native", "what was given up in the thread, and could not be marked in time, is not begun again"),
    (186, "terms", "pin", "what was given up in the thread of a pinned message is not begun again"),
    (41000054, "H5-long", "pin", "a long job that fails each time has time to be begun once more"),
    (35, "after+M2-full", "pin", "an end that only the thread of a pinned message tells is one"),
    (36, "after+terms", "pin", "whose claim has lapsed drops nothing that has expired: somebody else may be at it"),
    (
        37,
        "after+M2-full",
        "pin",
        "a run is not over while a job is open of which a later copy waits for what waits for it",
    ),
)
"""Seeds that failed once, and what was wrong with the product or its judges."""


@pytest.mark.parametrize(("seed", "cell", "way", "wrong"), REGRESSIONS, ids=[str(each[0]) for each in REGRESSIONS])
def test_a_seed_that_failed_once_does_not_fail_again(seed: int, cell: str, way: Way, wrong: str) -> None:
    verdict = replay(seed, cell, way)
    assert not verdict.violations, f"{wrong}\n{verdict}"


def test_bots_of_several_apps_share_the_work_by_pins() -> None:
    lines = replay(1, "none", "pin").truth.lines
    pins = [line for line in lines if getattr(line, "method", "") == "pins.add" and line.reply["ok"]]  # type: ignore[union-attr]
    assert len({line.process for line in pins}) > 2


def test_native_claims_begin_without_a_call() -> None:
    truth = replay(1, "none", "native").truth
    assert any(run.token == 0 for job in truth.jobs.values() for run in job.runs)


def test_the_seeds_are_at_least_300_runs() -> None:
    assert len(CELLS) * CHUNKS * SEEDS >= 300


@pytest.mark.parametrize("cell", ["C1", "C2", "everything"])
def test_a_cell_breaks_what_it_says(cell: str) -> None:
    """Otherwise a clean record would say nothing."""
    verdict = replay(1, cell)
    takeovers = [
        generation
        for job in verdict.truth.jobs.values()
        for copy in job.copies.values()
        for token, generation in copy.generations.items()
        if token > 1 and copy.generations[token - 1].process != generation.process
    ]
    assert takeovers


def test_the_person_and_the_producer_got_all_they_asked_for() -> None:
    verdict = replay(1, "none")
    assert {type(line).__name__ for line in verdict.truth.lines} >= {"Called", "Started", "Effected", "Ended", "Posted"}
    assert all(job.ended is not None for job in verdict.truth.jobs.values())
    assert any("/" in job.key for job in verdict.truth.jobs.values())


def test_people_fill_a_message_and_it_is_claimed_all_the_same() -> None:
    truth = replay(1, "M2-full").truth
    filled = {line.process for line in truth.disturbances if line.what == "filled with emoji"}
    refused = [line for line in truth.lines if getattr(line, "reply", {}).get("error") == "too_many_emoji"]
    assert filled
    assert refused


def test_what_waits_for_others_was_done_after_them_and_dead_where_one_was() -> None:
    ends: set[tuple[bool, Outcome]] = set()
    for seed in range(4):
        truth = replay(seed, "after+M1").truth
        copies = [copy for job in truth.jobs.values() for copy in job.copies.values() if copy.after and copy.ended]
        for copy in copies:
            failed = any(named.failed for named in truth.named(copy))
            ends |= {(failed, copy.ended[0])} if copy.ended else set()
    assert {(False, Outcome.DONE), (True, Outcome.DEAD)} <= ends


def test_what_expired_was_dropped_and_the_rest_was_done() -> None:
    truth = replay(2, "terms", "pin").truth
    ends = [copy for job in truth.jobs.values() for copy in job.copies.values() if copy.expires is not None]
    assert {copy.ended[0] for copy in ends if copy.ended} == {Outcome.DEAD, Outcome.DONE}


def test_a_seed_plays_the_same_in_every_process() -> None:
    program = (
        "import hashlib; from slackmq.simulation.scenario import replay;"
        "lines = replay(5, 'everything').truth.lines;"
        "print(hashlib.sha256('\\n'.join(f'{line.at} {line}' for line in lines).encode()).hexdigest())"
    )
    digests = {_digest()}
    for hashes in ("0", "777"):
        environment = {**os.environ, "PYTHONHASHSEED": hashes}
        run = subprocess.run(
            [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True
        )
        digests.add(run.stdout.strip())
    assert len(digests) == 1


def _digest() -> str:
    lines = replay(5, "everything").truth.lines
    return hashlib.sha256("\n".join(f"{line.at} {line}" for line in lines).encode()).hexdigest()


def test_a_failing_seed_says_how_to_replay_it() -> None:
    assert str(replay(3, "none")).endswith("replay: python -m slackmq.simulation --seed 3 --cell none --way reaction")
