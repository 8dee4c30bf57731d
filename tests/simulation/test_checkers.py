from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from slackmq.claiming.marks import CLOCKS
from slackmq.policy import Timing
from slackmq.simulation.checkers import check
from slackmq.simulation.record import Called, Disturbed, Effected, Ended, Posted, Record, Started, Target, Told, told
from slackmq.simulation.truth import Truth

if TYPE_CHECKING:
    from collections.abc import Sequence

    from slackmq.claiming.way import Way
    from slackmq.simulation.record import Line

LEASE = 60.0
TS = "1800000001.000000"


def posted(at: float, *, ts: str = TS, key: str = "k") -> Called:
    metadata = {"event_type": "slackmq_job", "event_payload": {"key": key}}
    args = {"channel": "C1", "text": "work()", "metadata": metadata}
    return Called(at=at, sent=at - 0.1, process="p", method="chat.postMessage", args=args, reply={"ok": True, "ts": ts})


def typed(at: float) -> Called:
    args = {"channel": "C1", "text": "toggle dining light"}
    return Called(at=at, sent=at, process="you", method="chat.postMessage", args=args, reply={"ok": True, "ts": TS})


def released(at: float, token: int) -> Called:
    payload = {"event_type": "slackmq_note", "event_payload": {"note": "release", "token": token}}
    args = {"channel": "C1", "text": "", "thread_ts": TS, "metadata": payload}
    return Called(at=at, sent=at, process="a", method="chat.postMessage", args=args, reply={"ok": True, "ts": "9.9"})


def marked(at: float, process: str, emoji: str, *, ts: str = TS, ok: bool = True) -> Called:
    args = {"channel": "C1", "timestamp": ts, "name": emoji}
    reply = {"ok": True} if ok else {"ok": False, "error": "already_reacted"}
    return Called(at=at, sent=at - 0.1, process=process, method="reactions.add", args=args, reply=reply)


def taken(at: float, process: str, token: int, *, ts: str = TS) -> Called:
    return marked(at, process, CLOCKS[token - 1], ts=ts)


def done(at: float, process: str, *, ts: str = TS) -> Called:
    return marked(at, process, "white_check_mark", ts=ts)


def started(at: float, process: str, token: int, run: int = 1, *, ts: str = TS, key: str = "k") -> Started:
    return Started(at=at, process=process, run=run, key=key, ts=ts, token=token, attempt=1)


def effected(at: float, process: str, token: int, run: int = 1, *, key: str = "k") -> Effected:
    return Effected(at=at, process=process, run=run, key=key, token=token, accepted=True)


def ended(at: float, process: str, run: int = 1, result: str = "done") -> Ended:
    return Ended(at=at, process=process, run=run, result=result)


def worked(at: float, process: str, token: int, run: int = 1) -> list[Line]:
    """An execution from its claim to its done mark."""
    return [
        taken(at, process, token),
        started(at + 1, process, token, run),
        effected(at + 2, process, token, run),
        ended(at + 3, process, run),
        done(at + 4, process),
    ]


def worked_in_vain(run: int) -> list[Line]:
    """An attempt that failed, and was given back."""
    at = 10.0 * run
    return [
        taken(at, "a", run),
        Started(at=at + 1, process="a", run=run, key="k", ts=TS, token=run, attempt=run),
        ended(at + 2, "a", run, "failed"),
        released(at + 3, run),
    ]


def rules(lines: Sequence[Line], *, way: Way = "reaction") -> list[str]:
    truth = Truth(sorted(lines, key=lambda line: line.at), timing=Timing(), way=way)
    return [violation.rule.split()[0] for violation in check(truth)]


def test_a_job_that_is_posted_claimed_worked_and_marked_breaks_no_promise() -> None:
    assert rules([posted(1), Posted(at=1.1, process="p", key="k"), *worked(2, "a", 1)]) == []


def test_what_a_person_types_is_a_job_too() -> None:
    assert rules([typed(1)]) == ["I1"]


def test_a_job_in_the_channel_that_never_ends_is_lost() -> None:
    assert rules([posted(1), taken(2, "a", 1)]) == ["I1"]


def test_a_job_that_a_producer_was_told_of_and_that_stands_nowhere_is_lost() -> None:
    assert rules([Posted(at=1, process="p", key="k")]) == ["I1"]


def test_a_copy_needs_no_end_of_its_own() -> None:
    assert rules([posted(1), posted(1.5, ts="1800000001.500000"), *worked(2, "a", 1)]) == []


def test_a_dead_job_is_not_lost() -> None:
    attempts = [line for run in range(1, 5) for line in worked_in_vain(run)]
    assert rules([posted(1), *attempts, marked(300, "a", "x")]) == []


def test_an_execution_of_what_nobody_posted_is_seen() -> None:
    assert "I2" in rules([started(2, "a", 1), ended(3, "a")])


def test_an_effect_without_an_execution_is_seen() -> None:
    assert "I2" in rules([posted(1), effected(1.5, "a", 1, run=9), *worked(2, "a", 1)])


def test_two_starts_under_one_token_are_seen() -> None:
    again: list[Line] = [started(2.5, "b", 1, 2), ended(2.6, "b", 2)]
    assert "I3" in rules([posted(1), *worked(1.5, "a", 1), *again])


def test_a_start_under_a_token_that_somebody_else_took_is_seen() -> None:
    assert rules([posted(1), taken(2, "b", 1), started(3, "a", 1), effected(4, "a", 1), done(5, "a")]) == ["I3"]


def test_a_takeover_before_the_lease_ran_out_is_seen() -> None:
    lines: list[Line] = [posted(1), taken(2, "a", 1), Disturbed(at=3, process="a", what="kill"), *worked(60, "b", 2)]
    assert rules(lines) == ["I4"]


def test_a_takeover_after_the_lease_ran_out_is_allowed() -> None:
    lines: list[Line] = [posted(1), taken(2, "a", 1), Disturbed(at=3, process="a", what="kill"), *worked(63, "b", 2)]
    assert rules(lines) == []


def test_an_extension_puts_the_takeover_off() -> None:
    lines: list[Line] = [posted(1), taken(2, "a", 1), taken(32, "a", 2), *worked(63, "b", 3)]
    assert rules(lines) == ["I4"]


def test_what_was_given_back_may_be_taken_at_once() -> None:
    failed: list[Line] = [taken(2, "a", 1), started(3, "a", 1), ended(4, "a", 1, "failed"), released(5, 1)]
    assert rules([posted(1), *failed, *worked(6, "b", 2, 2)]) == []


def test_two_processes_that_both_take_the_end_for_theirs_are_two_completions() -> None:
    both: list[Line] = [Told(at=7, process=name, ts=TS, token=1) for name in ("a", "b")]
    assert "I5" in rules([posted(1), *worked(2, "a", 1), *both])
    assert rules([posted(1), *worked(2, "a", 1), both[0]]) == []


def test_after_a_persons_unpin_the_work_may_be_done_again_and_both_may_take_the_end_for_theirs() -> None:
    unpin = Disturbed(at=6.5, process=TS, what="unpin")
    both: list[Line] = [Told(at=at, process=name, ts=TS, token=1) for name, at in (("a", 6.4), ("b", 6.6))]
    late = Disturbed(at=6.7, process=TS, what="unpin")
    assert "I5" not in rules([posted(1), *worked(2, "a", 1), unpin, *both], way="pin")
    assert "I5" in rules([posted(1), *worked(2, "a", 1), late, *both], way="pin")
    assert "I5" in rules([posted(1), *worked(2, "a", 1), unpin, *both])


def test_what_no_emoji_was_left_for_belongs_to_who_wrote_its_claim_into_the_thread() -> None:
    payload = {"event_type": "slackmq_note", "event_payload": {"note": "claim", "generation": 21, "token": 21}}
    args = {"channel": "C1", "text": "", "thread_ts": TS, "metadata": payload}
    reply = {"ok": True, "ts": "9.9"}
    written = Called(at=2, sent=1.9, process="a", method="chat.postMessage", args=args, reply=reply)
    effects: list[Line] = [effected(5, "a", 21), ended(6, "a"), done(7, "a")]
    assert rules([posted(1), written, started(3, "a", 21), *effects]) == []
    assert "I3" in rules([posted(1), written, started(3, "b", 21), *effects])
    early = [started(3, "c", 20, 1), started(4, "a", 21, 2)]
    until = Started(at=3, process="c", run=1, key="k", ts=TS, token=20, attempt=1, until=60)
    assert "I4" not in rules([posted(1), taken(2, "c", 20), early[0], written, early[1], done(7, "a")])
    assert "I4" in rules([posted(1), taken(2, "c", 20), until, written, early[1], done(7, "a")])


def test_an_edit_excuses_no_start_before_a_pin_has_lapsed_but_an_unpin_does() -> None:
    def found(what: str) -> list[str]:
        first = Started(at=2, process="a", run=1, key="k", ts=TS, token=1, attempt=1, until=60)
        lines: list[Line] = [posted(1), first, Disturbed(at=3, process=TS, what=what), started(5, "b", 2, 2)]
        return rules([*lines, effected(6, "b", 2, 2), done(7, "b")], way="pin")

    assert "I4" in found("edit")
    assert "I4" not in found("unpin")


def test_what_somebody_began_is_lost_if_it_never_ends_although_it_was_reworded() -> None:
    edit = Called(at=4, sent=4, process="you", method="chat.update", args={"ts": TS}, reply={"ok": True})
    begun = started(2, "a", 7, key=f"C1/{TS}")
    assert rules([typed(1), edit], way="pin") == []
    assert rules([typed(1), begun, edit], way="pin") == ["I1"]


def test_a_native_start_under_a_token_that_nobody_took_is_seen() -> None:
    lines: list[Line] = [posted(1), effected(4, "a", 1), done(5, "a")]
    assert "I3" in rules([*lines, started(3, "a", 1)], way="native")


def test_two_copies_marked_done_are_two_completions() -> None:
    other = "1800000001.500000"
    assert "I5" in rules([posted(1), posted(1.5, ts=other), *worked(2, "a", 1), done(8, "b", ts=other)])


def test_a_target_that_accepts_a_lower_token_is_no_fence() -> None:
    lines: list[Line] = [
        posted(1),
        effected(2, "a", 2),
        effected(3, "a", 1),
        taken(1.5, "a", 2),
        started(1.6, "a", 2),
        done(4, "a"),
    ]
    assert rules(lines) == ["I6"]


def test_a_target_that_accepts_one_token_from_two_executions_is_no_fence() -> None:
    lines: list[Line] = [posted(1), *worked(2, "a", 1), effected(4.5, "b", 1, run=2)]
    assert "I6" in rules(lines)


def test_a_done_mark_before_the_effect_is_seen() -> None:
    assert rules([posted(1), taken(2, "a", 1), started(3, "a", 1), done(4, "a"), effected(5, "a", 1)]) == ["I6"]


@pytest.mark.parametrize(("what", "expected"), [("kill", []), ("", ["I7"])])
def test_a_repeat_after_a_lapsed_lease_needs_something_that_was_broken(what: str, expected: list[str]) -> None:
    lines: list[Line] = [posted(1), taken(2, "a", 1), started(3, "a", 1), *worked(70, "b", 2, 2)]
    if what:
        lines.append(Disturbed(at=10, process="a", what=what))
    assert rules(lines) == expected


def test_a_repeat_after_the_end_is_not_explained_by_anything() -> None:
    lines: list[Line] = [posted(1), *worked(2, "a", 1), Disturbed(at=3, process="a", what="pause"), taken(70, "b", 2)]
    assert rules([*lines, started(71, "b", 2, 2)]) == ["I7"]


def test_a_repeat_on_another_copy_is_not_explained_by_anything() -> None:
    other = "1800000001.500000"
    lines: list[Line] = [posted(1), posted(1.5, ts=other), *worked(2, "a", 1), taken(9, "b", 1, ts=other)]
    assert rules([*lines, started(10, "b", 1, 2, ts=other)]) == ["I7"]


def test_a_second_execution_in_one_process_before_its_own_claim_ran_out_is_seen() -> None:
    lines: list[Line] = [posted(1), taken(2, "a", 1), started(3, "a", 1), taken(20, "a", 2), started(21, "a", 2, 2)]
    assert rules([*lines, effected(22, "a", 2, 2), done(23, "a")]) == ["I7"]


def test_a_refused_call_changes_nothing() -> None:
    assert rules([posted(1), *worked(2, "a", 1), marked(9, "b", CLOCKS[1], ok=False)]) == []


def test_a_violation_is_told_with_the_lines_around_it() -> None:
    truth = Truth([posted(1), taken(2, "a", 1)], timing=Timing())
    (violation,) = check(truth)
    assert "I1 lost: k never ended" in violation.told(truth)
    assert "> " in violation.told(truth)
    assert "clock1" in told(truth.lines, 1)


def test_the_target_refuses_a_token_lower_than_one_it_saw() -> None:
    record = Record()
    target = Target(record)
    answers = [target.effect(at=0, process="a", run=1, key="k", token=token) for token in (2, 3, 2)]
    assert answers == [True, True, False]
    assert [line.accepted for line in record.lines if isinstance(line, Effected)] == answers
