from __future__ import annotations

from typing import TYPE_CHECKING, Any

from slackmq.claiming.marks import Marks, Reading
from slackmq.envelope import Letter
from slackmq.message import Message, Outcome
from slackmq.notes import Note, Record, read
from slackmq.policy import ONCE, Accept, Options
from slackmq.queue.sightings import Sighting, Sightings

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def sighting(ts: str, *, key: str | None = None, kind: str | None = "a") -> Sighting:
    message = Message(channel="C1", ts=ts, author="U1", kind=kind, key=key or ts)
    return Sighting(letter=Letter(message=message), verdict=Accept(options=Options()))


def test_the_clock_of_a_generation_starts_at_its_first_sight_and_never_again() -> None:
    seen = sighting("1.0")
    seen.take_in(Reading(generation=1), 10.0)
    seen.take_in(Reading(generation=1), 20.0)
    assert seen.first_seen == {1: 10.0}


def test_an_old_read_takes_no_newer_knowledge_back() -> None:
    seen = sighting("1.0")
    seen.take_in(Reading(generation=2, ended=Outcome.DONE), 10.0)
    seen.take_in(Reading(generation=1), 20.0)
    assert (seen.generation, seen.ended) == (2, Outcome.DONE)


def test_the_earliest_copy_is_canonical_in_whatever_order_copies_are_seen() -> None:
    sightings = Sightings()
    late, early = sightings.add(sighting("2.000000", key="k")), sighting("1.000000", key="k")
    assert sightings.canonical(late.message)
    sightings.add(early)
    assert not sightings.canonical(late.message)
    assert sightings.canonical(early.message)


def test_a_job_that_was_deleted_after_it_was_begun_keeps_its_later_copies_from_running() -> None:
    sightings = Sightings()
    first, copy = sightings.add(sighting("1.000000", key="k")), sightings.add(sighting("2.000000", key="k"))
    first.take_in(Reading(generation=1), 0.0)
    first.gone = True
    assert [*sightings.open()] == [copy]
    assert not sightings.canonical(copy.message)


def test_a_job_that_was_deleted_before_it_was_begun_may_be_posted_again() -> None:
    sightings = Sightings()
    first, again = sightings.add(sighting("1.000000", key="k")), sightings.add(sighting("2.000000", key="k"))
    first.gone = True
    assert sightings.canonical(again.message)


def test_a_job_of_a_key_whose_time_is_over_is_no_answer_to_a_later_one() -> None:
    sightings = Sightings(window=100.0)
    old = sightings.add(sighting("1000.000000", key="k"))
    posted = sighting("1101.000000", key="k")
    assert sightings.first(posted.message) is None
    assert sightings.first(sightings.add(posted).message) is posted
    assert sightings.first(old.message) is old


def test_what_happens_once_under_a_name_is_no_copy_of_a_job_with_that_key() -> None:
    sightings = Sightings()
    once = sightings.add(sighting("1.000000", key="k", kind=ONCE))
    job = sightings.add(sighting("2.000000", key="k"))
    assert sightings.canonical(once.message)
    assert sightings.canonical(job.message)
    assert sightings.with_key("k") == job.message


def test_a_message_is_settled_by_a_read_that_began_late_enough() -> None:
    sightings = Sightings()
    seen = sightings.add(sighting("100.000000"))
    sightings.settle(read_at=103.9, skew=4.0, now=7.0)
    assert not seen.settled
    sightings.settle(read_at=104.0, skew=4.0, now=8.0)
    assert seen.settled


def test_what_is_forgotten_takes_its_key_along() -> None:
    sightings = Sightings()
    sightings.add(sighting("1.000000", key="k")).ended = Outcome.DONE
    sightings.forget(before=2.0)
    again = sightings.add(sighting("3.000000", key="k"))
    assert sightings.canonical(again.message)
    assert [*sightings.all()] == [again]


def test_a_copy_is_forgotten_together_with_the_job_that_kept_it_from_running() -> None:
    sightings = Sightings()
    sightings.add(sighting("1.000000", key="k")).ended = Outcome.DONE
    sightings.add(sighting("2.000000", key="k"))
    sightings.forget(before=3.0)
    assert [*sightings.open()] == []


def test_a_copy_is_remembered_as_one_while_it_is_younger_than_what_is_forgotten() -> None:
    sightings = Sightings()
    sightings.add(sighting("1.000000", key="k")).ended = Outcome.DONE
    copy = sightings.add(sighting("3.000000", key="k"))
    sightings.forget(before=2.0)
    assert not sightings.canonical(copy.message)


def test_what_has_not_ended_is_not_forgotten_however_old() -> None:
    sightings = Sightings()
    seen = sightings.add(sighting("1.000000"))
    sightings.forget(before=100_000.0)
    assert [*sightings.open()] == [seen]


def test_what_a_person_typed_is_forgotten_unless_somebody_has_begun_it() -> None:
    sightings = Sightings()
    _talk, begun, given_back = (sightings.add(sighting(f"{n}.000000", kind=None)) for n in (1, 2, 3))
    begun.take_in(Reading(generation=1), 0.0)
    given_back.record.add(Note(note="release", op="a", token=0, retry_at=5.0))
    assert sightings.oldest_unfinished(typed_since=50_000.0) == 2.0
    sightings.forget(before=100_000.0)
    assert [*sightings.open()] == [begun, given_back]


def test_whoever_goes_through_all_messages_is_not_disturbed_if_some_are_forgotten_meanwhile() -> None:
    sightings = Sightings()
    first, second = (sightings.add(sighting(f"{n}.000000")) for n in (1, 2))
    first.ended = second.ended = Outcome.DONE
    found = sightings.all()
    assert next(found) is first
    sightings.forget(before=3.0)
    assert [*found] == [second]
    assert sightings.canonical(second.message)


def test_a_corrected_message_keeps_the_key_under_which_its_copies_are_known() -> None:
    sightings = Sightings()
    seen = sightings.add(sighting("1.000000", key="k"))
    seen.correct(sighting("1.000000", key="other").letter, seen.verdict)
    assert sightings.canonical(seen.message)


def test_what_is_being_worked_on_is_not_forgotten() -> None:
    sightings = Sightings()
    seen = sightings.add(sighting("1.000000"))
    seen.busy = True
    sightings.forget(before=2.0)
    assert sightings.get("1.000000") is seen


def test_only_the_own_bots_marks_count() -> None:
    marks = Marks()
    reactions = {
        "clock1": frozenset({"ME", "U2"}),
        "clock3": frozenset({"U2"}),
        "white_check_mark": frozenset({"U2"}),
        "tada": frozenset({"ME"}),
    }
    assert marks.read(reactions, "ME") == Reading(generation=1)


def test_the_highest_generation_counts_also_after_twelve_oclock() -> None:
    mine = frozenset({"ME"})
    assert Marks().read({"clock12": mine, "clock130": mine, "x": mine}, "ME") == Reading(
        generation=13, ended=Outcome.DEAD
    )


def note(kind: str, op: str, **fields: object) -> dict[str, object]:
    return {"note": kind, "op": op, "token": 1} | fields


def written(payloads: Sequence[Mapping[str, Any]]) -> list[tuple[str, str, Mapping[str, Any]]]:
    return [(f"{number}.000000", "ME", payload) for number, payload in enumerate(payloads, 1)]


def test_a_note_written_twice_counts_once() -> None:
    record = Record()
    read(written([note("attempt", "a", token=2), note("attempt", "a", token=2)]), record)
    assert record.attempts == 2


def test_an_execution_that_was_handed_back_is_no_attempt() -> None:
    record = Record()
    read(written([note("release", "a", retry_at="5.0", failed=False)]), record)
    assert record.attempts == 0
    assert record.releases == {1: 5.0}


def test_a_failed_execution_is_one() -> None:
    record = Record()
    read(written([note("release", "a", retry_at="5.0")]), record)
    assert record.attempts == 1


def test_an_attempt_of_which_nobody_heard_again_was_not_given_back() -> None:
    def given_back(*payloads: Mapping[str, Any]) -> bool:
        record = Record()
        read(written(payloads), record)
        return record.all_given_back(4)

    first = note("release", "a", token=1, retry_at="5.0")
    handed_back = note("release", "b", token=2, attempt=2, retry_at="6.0", failed=False)
    second = note("release", "c", token=4, attempt=2, retry_at="7.0")
    assert given_back(first, handed_back, second)
    assert not given_back(handed_back, second)
    assert not given_back(first, handed_back)


def test_a_strangers_metadata_is_passed_over() -> None:
    record = Record()
    read(written([{"note": "party"}, {}, note("refusal", "a")]), record)
    assert record.refused
    assert record.attempts == 1


def test_a_note_survives_the_way_through_slack() -> None:
    original = Note(note="release", op="a", token=3, attempt=2, retry_at=1.5, failed=False, worker="w")
    record = Record()
    read(written([original.payload()]), record)
    assert record.releases == {3: 1.5}
