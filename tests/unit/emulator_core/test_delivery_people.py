"""What people wait for, and connections that are told to go."""

from __future__ import annotations

from itertools import count
from typing import Any

from slackmq.emulator.delivery import LIFETIME, NOTICE, Delivery, Settled

SECOND = 1_000_000


def delivery(*connections: str, lifetime: int | None = None) -> Delivery:
    numbers = count(1)
    line = Delivery(app="A1", new_id=lambda: f"e{next(numbers)}")
    for conn in connections:
        line.connected(conn, 0, lifetime=lifetime)
    return line


def test_a_click_takes_an_answer_and_says_nothing_of_retries() -> None:
    line = delivery("a")
    line.ask({"type": "block_actions"}, 0, kind="interactive", interaction="1")
    ((_, frame),) = line.due(0)
    assert frame == {
        "envelope_id": "e1",
        "payload": {"type": "block_actions"},
        "type": "interactive",
        "accepts_response_payload": True,
    }
    assert line.acknowledged("e1", {"text": "done"})
    assert line.settled() == [Settled(interaction="1", payload={"text": "done"})]
    assert line.settled() == []


def test_a_slash_command_has_an_envelope_of_its_own_kind() -> None:
    line = delivery("a")
    line.ask({}, 0, kind="slash_commands", interaction="1")
    assert line.due(0)[0][1]["type"] == "slash_commands"


def test_what_a_person_waits_for_is_sent_once() -> None:
    line = delivery("a")
    line.ask({}, 0, kind="interactive", interaction="1")
    line.due(0)
    assert line.next_due() == 3 * SECOND
    assert line.due(3 * SECOND) == []
    assert line.settled() == [Settled(interaction="1", payload={}, failure="operation_timeout")]
    assert not line.acknowledged("e1", {})


def test_without_a_connection_a_person_hears_at_once() -> None:
    line = delivery()
    line.ask({}, 0, kind="interactive", interaction="1")
    assert line.due(0) == []
    assert line.settled() == [Settled(interaction="1", payload={}, failure="dispatch_failed")]


def test_an_acknowledged_event_settles_nothing() -> None:
    line = delivery("a")
    line.offer({}, 0)
    line.due(0)
    assert line.acknowledged("e1", {"text": "x"})
    assert line.settled() == []


def said(frames: list[tuple[str, dict[str, Any]]]) -> list[tuple[str, str]]:
    return [(conn, frame["reason"]) for conn, frame in frames]


def test_a_connection_is_warned_and_then_told_to_go() -> None:
    line = delivery("a", lifetime=LIFETIME)
    assert line.next_due() == LIFETIME - NOTICE
    assert said(line.due(LIFETIME - NOTICE)) == [("a", "warning")]
    assert list(line.connections) == ["a"]
    assert line.next_due() == LIFETIME
    assert said(line.due(LIFETIME)) == [("a", "refresh_requested")]
    assert len(line.connections) == 0
    assert line.next_due() is None


def test_a_retired_connection_gets_nothing_more() -> None:
    line = delivery("a", "b")
    line.retire("b", "link_disabled", 0)
    line.retire("unknown", "link_disabled", 0)
    assert said(line.due(0)) == [("b", "link_disabled")]
    line.offer({}, 0)
    assert [conn for conn, _ in line.due(0)] == ["a"]


def test_a_warned_connection_that_closes_by_itself_is_forgotten() -> None:
    line = delivery("a")
    line.retire("a", "warning", 0)
    assert said(line.due(0)) == [("a", "warning")]
    line.disconnected("a", SECOND)
    assert line.next_due() is None


def test_hello_says_how_long_the_connection_will_last() -> None:
    hello = delivery().connected("a", 0, lifetime=360 * SECOND)
    assert hello["debug_info"]["approximate_connection_time"] == 360
