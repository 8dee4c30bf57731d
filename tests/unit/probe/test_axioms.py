"""Each axiom holds in the embedded workspace; each one, broken on purpose, is noticed, and no other one is blamed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from slackmq.probe.finding import Verdict
from slackmq.simulation.world import EPOCH
from slackmq.slack.wire import Reply

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    Forward = Callable[[str, Mapping[str, object]], Awaitable[Reply]]
    Place = Any  # the fixture's class stands in conftest.py, which is no module to import from

LATE = 20.0
"""Seconds by which a broken workspace shows things late: far beyond the skew of 4 s."""


def age(place: Place, ts: str) -> float:
    return float(place.world.now - (float(ts) - EPOCH))


def test_in_the_embedded_workspace_every_axiom_holds(place: Place) -> None:
    report = place.report()
    assert {finding.probe: finding.verdict for finding in report.findings} == {
        f"P{number}": Verdict.NOTED if number == 6 else Verdict.HOLDS for number in range(1, 10)
    }
    assert report.broken == ()
    assert [finding.unprobed for finding in report.findings if finding.unprobed] == []
    assert report.recommended == 3.0  # the least skew: nothing was late
    assert report.left == 0


async def both_win_emoji(_place: Place, _app: int, method: str, args: Mapping[str, object], forward: Forward) -> Reply:
    """Now and then two clients are told that the emoji is theirs."""
    reply = await forward(method, args)
    beaten = reply.body.get("error") == "already_reacted" and args["name"] == "clock2"
    return Reply(status=200, body={"ok": True}, date=reply.date) if beaten else reply


def test_two_winners_of_one_emoji_are_noticed(place: Place) -> None:
    place.twist = both_win_emoji
    finding = place.finding("P1")
    assert finding.verdict is Verdict.BROKEN
    assert finding.broken == 1
    assert finding.numbers["most_winners"] == finding.numbers["clients"]
    assert 'claim="reaction"' in finding.remedy


def test_no_winner_of_an_emoji_is_noticed(place: Place) -> None:
    async def nobody(_place: Place, _app: int, method: str, args: Mapping[str, object], forward: Forward) -> Reply:
        reply = await forward(method, args)
        won = method == "reactions.add" and reply.body["ok"] and args["name"] == "clock1"
        return Reply(status=200, body={"ok": False, "error": "already_reacted"}) if won else reply

    place.twist = nobody
    assert place.finding("P1").verdict is Verdict.BROKEN


def test_two_winners_of_one_pin_are_noticed(place: Place) -> None:
    async def both(_place: Place, app: int, method: str, args: Mapping[str, object], forward: Forward) -> Reply:
        reply = await forward(method, args)
        beaten = reply.body.get("error") == "already_pinned" and app == 1
        return Reply(status=200, body={"ok": True}, date=reply.date) if beaten else reply

    place.twist = both
    finding = place.finding("P2")
    assert finding.verdict is Verdict.BROKEN
    assert 'claim="pin"' in finding.remedy


def test_history_that_shows_messages_later_than_the_skew_is_noticed(place: Place) -> None:
    async def late(place: Place, _app: int, method: str, args: Mapping[str, object], forward: Forward) -> Reply:
        reply = await forward(method, args)
        if method != "conversations.history":
            return reply
        shown = [
            row for row in reply.body["messages"] if age(place, row["ts"]) > LATE or "soon is this" not in row["text"]
        ]
        return replace(reply, body={**reply.body, "messages": shown})

    place.twist = late
    report = place.report()
    assert {finding.probe for finding in report.broken} == {"P3"}
    finding = next(finding for finding in report.findings if finding.probe == "P3")
    assert finding.broken == finding.tries
    assert finding.numbers["missed_after_s"] > 4.0
    assert finding.numbers["p100_s"] > LATE
    assert report.recommended == pytest.approx(3 * finding.numbers["p100_s"])
    assert "Timing(skew=" in finding.remedy


def test_history_that_shows_emoji_later_than_the_skew_is_noticed(place: Place) -> None:
    async def late(place: Place, _app: int, method: str, args: Mapping[str, object], forward: Forward) -> Reply:
        reply = await forward(method, args)
        if method == "reactions.add" and reply.body["ok"]:
            place.added = getattr(place, "added", {}) | {args["name"]: place.world.now}
        if method != "conversations.history":
            return reply
        rows = [
            {
                **row,
                "reactions": [
                    mark for mark in row.get("reactions", ()) if place.world.now - place.added[mark["name"]] > LATE
                ],
            }
            for row in reply.body["messages"]
        ]
        return replace(reply, body={**reply.body, "messages": rows})

    place.twist = late
    assert {finding.probe for finding in place.report().broken} == {"P4"}
    assert "emoji" in place.told[3].detail


def test_a_message_that_history_never_shows_is_noticed(place: Place) -> None:
    async def hidden(_place: Place, _app: int, method: str, args: Mapping[str, object], forward: Forward) -> Reply:
        reply = await forward(method, args)
        shown = [row for row in reply.body.get("messages", ()) if "soon is this" not in row["text"]]
        return replace(reply, body={**reply.body, "messages": shown}) if method == "conversations.history" else reply

    place.twist = hidden
    finding = place.finding("P3")
    assert finding.verdict is Verdict.BROKEN
    assert "not seen within" in finding.detail


def shifted(by: float) -> Any:
    """The second app's posts get timestamps that are off."""

    async def twist(_place: Place, app: int, method: str, args: Mapping[str, object], forward: Forward) -> Reply:
        if app == 1 and method in {"chat.delete", "chat.postMessage"}:
            if "ts" in args:
                args = {**args, "ts": f"{float(str(args['ts'])) - by:.6f}"}
            reply = await forward(method, args)
            return replace(reply, body={**reply.body, "ts": f"{float(reply.body['ts']) + by:.6f}"})
        return await forward(method, args)

    return twist


def test_timestamps_that_do_not_rise_with_the_order_of_posts_are_noticed(place: Place) -> None:
    place.twist = shifted(-30.0)
    finding = place.finding("P5")
    assert finding.verdict is Verdict.BROKEN
    assert finding.numbers["turned"] > 0


def test_one_timestamp_for_two_posts_is_noticed(place: Place) -> None:
    real: dict[str, str] = {}
    latest = [""]

    async def twins(_place: Place, app: int, method: str, args: Mapping[str, object], forward: Forward) -> Reply:
        if app == 1 and method == "chat.delete":
            args = {**args, "ts": real.get(str(args["ts"]), args["ts"])}
        reply = await forward(method, args)
        if method == "chat.postMessage" and "which is first" in str(args["text"]):
            if app == 0:
                latest[0] = str(reply.body["ts"])
            elif latest[0]:
                real[latest[0]] = str(reply.body["ts"])
                return replace(reply, body={**reply.body, "ts": latest[0]})
        return reply

    place.twist = twins
    finding = place.finding("P5")
    assert finding.verdict is Verdict.BROKEN
    assert finding.numbers["twins"] > 0


def test_what_slack_makes_of_one_client_msg_id_is_told_and_is_no_verdict(place: Place) -> None:
    async def deduplicates(
        _place: Place, _app: int, method: str, args: Mapping[str, object], forward: Forward
    ) -> Reply:
        if method == "chat.postMessage" and "client_msg_id" in args and ids:
            return Reply(status=200, body={"ok": True, "ts": ids[0]})
        reply = await forward(method, args)
        if "client_msg_id" in args:
            ids.append(str(reply.body["ts"]))
        return reply

    ids: list[str] = []
    assert place.finding("P6").detail == "two posts made two messages"
    place.twist = deduplicates
    finding = place.finding("P6")
    assert finding.detail == "two posts made one message"
    assert finding.verdict is Verdict.NOTED


def test_an_event_that_comes_twice_without_a_mark_is_noticed(place: Place) -> None:
    place.hearing = lambda frame: [frame, frame] if "heard once" in str(frame) else [frame]
    report = place.report()
    assert {finding.probe for finding in report.broken} == {"P7"}
    assert 'claim="native"' in report.broken[0].remedy


def test_a_repetition_that_is_not_marked_is_noticed(place: Place) -> None:
    place.hearing = lambda frame: [{**frame, "retry_attempt": 0, "retry_reason": ""}]
    finding = place.finding("P7")
    assert finding.verdict is Verdict.BROKEN
    assert finding.broken == 1


def test_where_nothing_is_repeated_the_mark_counts_as_not_probed(place: Place) -> None:
    place.hearing = lambda frame: [] if frame.get("retry_attempt") else [frame]
    finding = place.finding("P7")
    assert finding.verdict is Verdict.HOLDS
    assert "did not come again" in finding.unprobed


@pytest.mark.parametrize("by", [5.0, -30.0])
def test_a_date_header_of_another_clock_is_noticed(place: Place, by: float) -> None:
    async def off(_place: Place, _app: int, method: str, args: Mapping[str, object], forward: Forward) -> Reply:
        reply = await forward(method, args)
        return replace(reply, date=(reply.date or 0.0) + by)

    place.twist = off
    report = place.report()
    assert {finding.probe for finding in report.broken} == {"P8"}
    assert "proxy" in report.broken[0].remedy


@pytest.mark.parametrize("code", ["too_many_emoji", "too_many_reactions"])
def test_a_message_that_takes_too_few_emoji_is_noticed(place: Place, code: str) -> None:
    async def full(_place: Place, _app: int, method: str, args: Mapping[str, object], forward: Forward) -> Reply:
        if method == "reactions.add" and args["name"] == "clock11":
            return Reply(status=200, body={"ok": False, "error": code}, date=None)
        return await forward(method, args)

    place.twist = full
    report = place.report()
    assert {finding.probe for finding in report.broken} == {"P9"}
    assert code in report.broken[0].detail
    assert "Marks(generations=" in report.broken[0].remedy
