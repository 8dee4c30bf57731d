"""The log of claims: the lowest valid timestamp wins, whoever reads it and in whatever order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hypothesis import given
from hypothesis import strategies as st

from slackmq.claiming.log import Entry, micros, replay
from slackmq.notes import Note

if TYPE_CHECKING:
    from random import Random

    from slackmq.notes import Kind

LEASE = 60.0


def entry(at: float, note: Kind, op: str, *, user: str = "U1", **more: Any) -> Entry:
    return Entry(ts=f"{at:.6f}", user=user, note=Note(note=note, op=op, token=more.get("generation", 0), **more))


def claim(at: float, op: str, generation: int = 1, **more: Any) -> Entry:
    return entry(at, "claim", op, generation=generation, lease=LEASE, **more)


def holder(*entries: Entry) -> str | None:
    hold = replay(entries).hold
    return hold.op if hold else None


def test_an_empty_log_has_no_holder() -> None:
    assert holder() is None


def test_of_two_claims_the_earlier_one_counts() -> None:
    assert holder(claim(101, "b"), claim(100, "a")) == "a"


def test_a_claim_on_one_that_has_not_lapsed_does_not_count() -> None:
    assert holder(claim(100, "a"), claim(160, "b", 2)) == "a"


def test_a_claim_after_one_has_lapsed_counts() -> None:
    assert holder(claim(100, "a"), claim(160.1, "b", 2)) == "b"


def test_a_renewal_written_in_time_keeps_the_claim() -> None:
    renewed = entry(130, "renew", "r", about="a", lease=LEASE)
    assert holder(claim(100, "a"), renewed, claim(189, "b", 2)) == "a"


def test_a_renewal_that_came_too_late_renews_nothing() -> None:
    late = entry(161, "renew", "r", about="a", lease=LEASE)
    assert holder(claim(100, "a"), late, claim(162, "b", 2)) == "b"


def test_while_the_holder_of_a_pin_goes_on_nobody_follows_a_claim_that_came_too_late_to_matter() -> None:
    stray, goes_on = claim(100, "a", 2), entry(150, "renew", "r", base="U2", lease=LEASE)
    assert holder(stray, claim(161, "b", 3)) == "b"
    assert holder(stray, goes_on, claim(161, "b", 3)) == "a"
    assert holder(stray, goes_on, claim(211, "b", 3)) == "b"


def test_nobody_renews_what_another_holds() -> None:
    stale = entry(170, "renew", "r", about="a", lease=LEASE)
    assert holder(claim(100, "a"), claim(161, "b", 2), stale, claim(222, "c", 3)) == "c"


def test_what_was_given_back_may_be_claimed_at_once() -> None:
    given = entry(110, "release", "x", about="a", retry_at=110.0)
    assert holder(claim(100, "a"), given, claim(111, "b", 2)) == "b"


def test_a_withdrawn_claim_counts_as_never_made() -> None:
    withdrawn = entry(105, "withdraw", "w", about="a")
    assert holder(claim(100, "a"), claim(101, "b"), withdrawn) == "b"


def test_a_claim_on_a_pin_counts_only_when_the_pin_has_lapsed() -> None:
    assert holder(claim(150, "a", 2, base="U9", since=100.0)) is None
    assert holder(claim(161, "a", 2, base="U9", since=100.0)) is None  # it may have been pinned at 100.9
    assert holder(claim(161.1, "a", 2, base="U9", since=100.0)) == "a"


def test_a_pin_is_renewed_and_given_back_in_the_log() -> None:
    renewed = entry(140, "renew", "r", base="U9", lease=LEASE)
    given = entry(150, "release", "x", base="U9", retry_at=150.0)
    follower = claim(170, "a", 2, base="U9", since=100.0)
    assert holder(renewed, follower) is None
    assert holder(renewed, given, follower) == "a"


def test_only_the_holder_of_the_moment_finishes() -> None:
    stale, own = entry(170, "done", "d1", about="a"), entry(180, "done", "d2", about="b")
    assert replay([claim(100, "a"), claim(161, "b", 2), stale, own]).finished == "d2"


def test_a_token_rises_with_every_timestamp() -> None:
    assert micros("100.000009") < micros("100.000010") < micros("101.000000")


@st.composite
def logs(draw: st.DrawFn) -> list[Entry]:
    """Claims, renewals and releases at any time, by people who may be wrong."""
    lines: list[Entry] = []
    for number in range(draw(st.integers(1, 8))):
        at = draw(st.integers(100, 500)) + number / 1000
        generation = draw(st.integers(1, 5))
        about = draw(st.sampled_from([f"c{n}" for n in range(8)]))
        lines.append(
            draw(
                st.sampled_from(
                    [
                        claim(at, f"c{number}", generation),
                        entry(at, "renew", f"r{number}", about=about, lease=LEASE),
                        entry(at, "release", f"x{number}", about=about, retry_at=at),
                    ]
                )
            )
        )
    return lines


@given(logs(), st.randoms(use_true_random=False))
def test_everybody_who_has_read_the_same_notes_knows_the_same_holder(lines: list[Entry], dice: Random) -> None:
    shuffled = list(lines)
    dice.shuffle(shuffled)
    assert replay(shuffled) == replay(lines)


@given(logs())
def test_a_later_holder_has_a_higher_generation_and_began_after_the_earlier_one_had_lapsed(lines: list[Entry]) -> None:
    ordered = sorted(lines, key=lambda line: micros(line.ts))
    for length in range(len(ordered)):
        before, after = replay(ordered[:length]).hold, replay(ordered[: length + 1]).hold
        if before and after and before.op != after.op:
            assert after.generation > before.generation
            assert before.retry_at is not None or float(after.ts) > before.expires
