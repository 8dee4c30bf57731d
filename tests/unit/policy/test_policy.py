from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from slackmq import policy
from slackmq.envelope import Letter
from slackmq.errors import EnvelopeDamaged, EnvelopeTooNew, MessageEdited, UnknownKind
from slackmq.message import Message
from slackmq.policy import (
    Accept,
    Backoff,
    Facts,
    Ignore,
    Later,
    Options,
    Read,
    Refuse,
    Take,
    Timing,
    Wait,
)

if TYPE_CHECKING:
    from slackmq.policy import (
        Verdict,
    )

TIMING = Timing()
FRESH = Facts(
    verdict=Accept(options=Options()),
    age=1.0,
    known=1.0,
    canonical=True,
    doubtful=False,
    settled=False,
    generation=0,
    idle=0.0,
    lease=60.0,
    unread=False,
    retry_in=None,
)


def decide(**changes: Any) -> policy.Action:
    return policy.decide(replace(FRESH, **changes), TIMING)


def message(**fields: Any) -> Message:
    given: dict[str, Any] = {"channel": "C1", "ts": "100.000000", "author": "U1", "key": "k"}
    return Message(**(given | fields))


def test_a_fresh_message_is_taken_at_once() -> None:
    assert decide() == Take(generation=1)


def test_a_held_message_is_left_alone_for_a_whole_lease_and_the_margin() -> None:
    assert decide(generation=1, idle=0.0) == Wait(delay=65.0)
    assert decide(generation=1, idle=64.5) == Wait(delay=0.5)
    assert decide(generation=1, idle=65.0) == Take(generation=2)


@given(idle=st.floats(0, 64.9), generation=st.integers(1, 24))
def test_no_generation_is_taken_before_its_holder_must_have_stopped(idle: float, generation: int) -> None:
    assert isinstance(decide(generation=generation, idle=idle), Wait)


def test_a_released_message_is_taken_when_its_time_has_come_and_no_sooner() -> None:
    assert decide(generation=1, retry_in=7.0) == Wait(delay=7.0)
    assert decide(generation=1, retry_in=0.0) == Take(generation=2)


def test_an_unread_thread_is_read_before_anything_is_waited_for() -> None:
    assert decide(generation=1, unread=True) == Read()


def test_people_talking_in_the_thread_of_a_fresh_message_do_not_hold_it_up() -> None:
    assert decide(unread=True) == Take(generation=1)


def test_whatever_the_generation_the_next_one_is_taken_once_it_has_lapsed() -> None:
    assert decide(generation=24, idle=65.0) == Take(generation=25)


def test_only_the_earliest_copy_of_a_key_is_worked_on() -> None:
    assert decide(canonical=False) == Wait()


def test_a_doubtful_copy_waits_for_a_late_enough_read() -> None:
    assert decide(doubtful=True) == Wait()
    assert decide(doubtful=True, settled=True) == Take(generation=1)


def test_a_kind_that_only_another_version_knows_is_left_to_it_for_ten_minutes() -> None:
    later = Later(error=UnknownKind("no"))
    assert decide(verdict=later, age=9_999.0, known=5.0) == Wait(delay=595.0)
    assert decide(verdict=later, known=600.0) == Take(generation=1)


def test_a_kind_that_somebody_has_begun_is_never_refused_by_those_who_do_not_know_it() -> None:
    assert decide(verdict=Later(error=UnknownKind("no")), generation=1, idle=9_999.0, known=9_999.0) == Wait()


@pytest.mark.parametrize("verdict", [Accept(options=Options()), Refuse(error=MessageEdited("no"))])
def test_what_a_person_typed_long_ago_is_left_alone(verdict: Verdict) -> None:
    assert decide(verdict=verdict, typed=True, age=3_601.0) == Wait()
    assert isinstance(decide(verdict=verdict, typed=True, age=3_599.0), Take)


def test_what_a_person_typed_long_ago_is_finished_if_it_was_begun() -> None:
    assert decide(typed=True, age=7_200.0, generation=1, idle=99.0) == Take(generation=2)


def test_what_a_person_typed_long_ago_is_tried_again_if_a_native_claim_on_it_was_given_back() -> None:
    assert decide(typed=True, age=7_200.0, retry_in=0.0) == Take(generation=1)


def test_a_job_waits_for_its_worker_however_long() -> None:
    assert decide(age=80_000.0) == Take(generation=1)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"kind": None}, False),
        ({"kind": "a", "sent_at": 99.0}, False),
        ({"kind": "a", "sent_at": 91.9}, True),
        ({"kind": "a", "sent_at": None}, True),
        ({"kind": "a", "sent_at": 99.0, "repost": 1}, True),
        ({"kind": "a", "sent_at": 99.0, "keyed": True}, True),
    ],
)
def test_a_copy_is_doubtful_unless_it_is_a_prompt_first_try_of_a_key_of_its_own(
    fields: dict[str, Any], *, expected: bool
) -> None:
    assert policy.doubtful(message(**fields)) is expected


def test_a_repetition_never_precedes_a_prompt_first_try() -> None:
    # the repetition is sent REPOST_AFTER after the first; what arrives within that minus the clock's second is prompt
    first = message(kind="a", ts="108.000000", sent_at=100.0)
    assert not policy.doubtful(first)
    assert float(first.ts) + 1.0 < 100.0 + policy.REPOST_AFTER


def test_an_edit_matters_only_if_the_new_text_is_for_us() -> None:
    edited = Letter(message=message(), error=MessageEdited("edited"))
    assert policy.verdict_on(edited, lambda _: Ignore()) == Ignore()
    refused = policy.verdict_on(edited, lambda _: Accept(options=Options()))
    assert isinstance(refused, Refuse)


def test_a_newer_envelope_is_left_to_newer_workers_and_a_damaged_one_to_nobody() -> None:
    def everything(_: Message) -> Verdict:
        return Accept(options=Options())

    newer = Letter(message=message(), error=EnvelopeTooNew("newer"))
    damaged = Letter(message=message(), error=EnvelopeDamaged("damaged"))
    assert isinstance(policy.verdict_on(newer, everything), Later)
    assert isinstance(policy.verdict_on(damaged, everything), Refuse)
    assert policy.verdict_on(Letter(message=message()), everything) == everything(message())


@given(attempt=st.integers(1, 200), dice=st.floats(0, 1, exclude_max=True))
def test_a_wait_between_attempts_never_exceeds_the_longest_nor_half_falls_below_the_first(
    attempt: int, dice: float
) -> None:
    backoff = Backoff(first=timedelta(seconds=2), longest=timedelta(minutes=1))
    assert timedelta(seconds=1) <= backoff.delay(attempt, dice) <= timedelta(minutes=1)


def test_waits_between_attempts_double() -> None:
    backoff = Backoff(first=timedelta(seconds=2), longest=timedelta(hours=1))
    assert backoff.delay(4, 0.5) == 2 * backoff.delay(3, 0.5)


def test_the_poster_decides_on_the_lease_before_the_handler_and_the_queue() -> None:
    accept = Accept(options=Options(lease=timedelta(seconds=30)))
    assert policy.lease_of(message(lease=timedelta(seconds=9)), accept, TIMING, 24) == 9.0
    assert policy.lease_of(message(), accept, TIMING, 24) == 30.0
    assert policy.lease_of(message(), Ignore(), TIMING, 24) == 60.0


@given(timeout=st.integers(1, 36_000), attempts=st.integers(1, 10))
def test_two_executions_of_full_length_fit_into_the_generations(timeout: int, attempts: int) -> None:
    accept = Accept(options=Options(timeout=timedelta(seconds=timeout), attempts=attempts))
    lease = policy.lease_of(message(), accept, TIMING, 24)
    extensions = 2 * timeout / (lease / 2)
    assert extensions <= 24 - attempts + 1e-9


def test_scans_of_all_replicas_together_stay_within_the_budget_of_history() -> None:
    for connections in range(1, 11):
        assert connections * 60 / policy.scan_period(TIMING, connections, busy=True) <= 50


def test_scans_of_all_replicas_of_a_quiet_queue_together_are_at_most_two_a_minute() -> None:
    for connections in range(1, 11):
        assert connections * 60 / policy.scan_period(TIMING, connections, busy=False) <= 2


def test_a_process_that_no_socket_tells_anything_scans_as_if_the_queue_were_busy() -> None:
    assert policy.scan_period(TIMING, None, busy=False) == TIMING.scan.total_seconds()
