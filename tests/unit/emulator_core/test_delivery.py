from __future__ import annotations

from itertools import count
from typing import Any

from slackmq.emulator.delivery import Delivery, at_random, newest, round_robin

SECOND = 1_000_000
MINUTE = 60 * SECOND


def delivery(**settings: Any) -> Delivery:
    numbers = count(1)
    return Delivery(app="A1", new_id=lambda: f"e{next(numbers)}", **settings)


def sent(line: Delivery, until: int) -> list[tuple[int, str, dict[str, Any]]]:
    """Everything that goes out until then, with its moment."""
    frames: list[tuple[int, str, dict[str, Any]]] = []
    while (due := line.next_due()) is not None and due <= until:
        frames += [(due, conn, frame) for conn, frame in line.due(due)]
    return frames


def test_a_connection_is_greeted_with_their_number() -> None:
    line = delivery()
    first, second = line.connected("a", 0), line.connected("b", 0)
    assert (first["type"], first["num_connections"], second["num_connections"]) == ("hello", 1, 2)
    assert first["connection_info"] == {"app_id": "A1"}


def test_the_eleventh_connection_is_one_too_many() -> None:
    line = delivery()
    assert {line.connected(f"c{number}", 0)["type"] for number in range(10)} == {"hello"}
    refused = line.connected("late", 0)
    assert (refused["type"], refused["reason"]) == ("disconnect", "too_many_websockets")
    assert "late" not in line.connections
    line.disconnected("c3", 0)
    assert line.connected("later", 0)["type"] == "hello"


def test_a_payload_goes_to_one_connection_and_is_done_when_acknowledged() -> None:
    line = delivery()
    line.connected("a", 0)
    line.connected("b", 0)
    line.offer({"n": 1}, 0)
    ((conn, frame),) = line.due(0)
    assert conn == "b"
    assert frame == {
        "envelope_id": "e1",
        "payload": {"n": 1},
        "type": "events_api",
        "accepts_response_payload": False,
        "retry_attempt": 0,
        "retry_reason": "",
    }
    assert line.unacknowledged == 1
    assert line.acknowledged("e1")
    assert (line.unacknowledged, line.next_due(), line.due(10 * MINUTE)) == (0, None, [])


def test_what_nobody_acknowledges_comes_again_at_once_after_a_minute_and_after_five() -> None:
    line = delivery()
    line.connected("a", 0)
    line.offer({}, 0)
    frames = sent(line, 60 * MINUTE)
    assert [(at / SECOND, frame["retry_attempt"], frame["retry_reason"]) for at, _, frame in frames] == [
        (0, 0, ""),
        (3, 1, "timeout"),
        (66, 2, "timeout"),
        (369, 3, "timeout"),
    ]
    assert (line.unacknowledged, line.next_due()) == (0, None)


def test_an_acknowledgement_of_any_sending_counts_once() -> None:
    line = delivery()
    line.connected("a", 0)
    line.offer({}, 0)
    envelopes = [frame["envelope_id"] for _, _, frame in sent(line, 3 * SECOND)]
    assert len(set(envelopes)) == 2
    assert line.acknowledged(envelopes[0])
    assert not line.acknowledged(envelopes[1])
    assert not line.acknowledged("never sent")


def test_what_comes_up_while_nobody_listens_waits_for_its_next_turn() -> None:
    line = delivery()
    line.offer({}, 0)
    assert line.due(0) == []
    line.connected("a", SECOND)
    assert line.due(SECOND) == []
    ((at, conn, frame),) = sent(line, 3 * SECOND)
    assert (at, conn, frame["retry_attempt"]) == (3 * SECOND, "a", 1)


def test_an_absence_of_more_than_seven_minutes_loses_events() -> None:
    line = delivery()
    line.offer({}, 0)
    assert sent(line, 7 * MINUTE) == []
    line.connected("a", 7 * MINUTE)
    assert (line.next_due(), line.unacknowledged) == (None, 0)


def test_what_a_lost_connection_did_not_acknowledge_goes_to_another() -> None:
    line = delivery(choose=newest)
    line.connected("a", 0)
    line.connected("b", 0)
    line.offer({}, 0)
    assert [conn for conn, _ in line.due(0)] == ["b"]
    line.disconnected("b", SECOND)
    line.disconnected("unknown", SECOND)
    assert [conn for _, conn, _ in sent(line, 3 * SECOND)] == ["a"]


def test_payloads_go_out_in_the_order_they_came() -> None:
    line = delivery()
    line.connected("a", 0)
    for number in range(5):
        line.offer({"n": number}, number)
    assert [frame["payload"]["n"] for _, frame in line.due(10)] == [0, 1, 2, 3, 4]


def test_who_gets_what_can_be_chosen() -> None:
    dice = iter([0.0, 0.99, 0.5])
    for choose, expected in ((round_robin(), "abca"), (newest, "cccc"), (at_random(lambda: next(dice, 0.0)), "acba")):
        line = delivery(choose=choose)
        for conn in "abc":
            line.connected(conn, 0)
        for _ in range(4):
            line.offer({}, 0)
        assert "".join(conn for conn, _ in line.due(0)) == expected


def test_patience_and_repetitions_can_be_chosen() -> None:
    line = delivery(patience=SECOND, again=(0,))
    line.connected("a", 0)
    line.offer({}, 0)
    assert [at for at, _, _ in sent(line, MINUTE)] == [0, SECOND]
