"""Etcd's three workloads of locks: what a token is for."""

from __future__ import annotations

import pytest

from slackmq.simulation.kv_locks import LockTally, lock_replay

SEEDS = 6


@pytest.mark.timeout(120)
def test_a_lock_alone_loses_updates_and_a_token_that_is_checked_loses_none() -> None:
    tally = LockTally()
    for seed in range(SEEDS):
        tally += lock_replay(seed)
    assert tally.fenced_lost == tally.falls == 0, str(tally)
    assert tally.overlaps > 0, str(tally)
    assert tally.lost > 0, str(tally)
    assert tally.refused > 0, str(tally)


def test_a_run_of_locks_is_the_same_each_time() -> None:
    assert str(lock_replay(3)) == str(lock_replay(3))
