from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from slackmq.errors import (
    AlreadyReacted,
    Ambiguous,
    ChannelNotFound,
    MissingScope,
    NotInChannel,
    Refused,
    TokenRefused,
)
from slackmq.slack.api import Channel, Identity, Metadata
from slackmq.slack.client import Client
from slackmq.slack.wire import Reply

if TYPE_CHECKING:
    from collections.abc import Mapping


class ScriptedWire:
    """Answers with the replies it was given, in order, and keeps what was asked."""

    def __init__(self, *script: Reply | Exception) -> None:
        self.script = list(script)
        self.asked: list[tuple[str, Mapping[str, object]]] = []

    async def call(self, method: str, args: Mapping[str, object]) -> Reply:
        self.asked.append((method, args))
        answer = self.script.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def aclose(self) -> None:
        self.script.clear()


class SteppingClock:
    """Whoever sleeps moves the time on."""

    def __init__(self) -> None:
        self.mono = 100.0

    def monotonic(self) -> float:
        return self.mono

    async def sleep(self, delay: float) -> None:
        self.mono += delay

    def random(self) -> float:
        return 0.5

    def new_id(self) -> str:
        return "0" * 32


def yes(date: float | None = None, **body: Any) -> Reply:
    return Reply(status=200, body={"ok": True} | body, date=date)


def no(error: str, **body: Any) -> Reply:
    return Reply(status=200, body={"ok": False, "error": error} | body)


SILENT = Ambiguous("no answer", method="any")
UNSETTLED = [
    Reply(status=500),
    Reply(status=503, body={"ok": False, "error": "service_unavailable"}),
    Reply(status=200),
    Reply(status=408),
    Reply(status=500, body={"ok": True}),
    no("fatal_error"),
    no("internal_error"),
    no("request_timeout"),
    SILENT,
]


def client(*script: Reply | Exception) -> tuple[Client, ScriptedWire, SteppingClock]:
    wire, clock = ScriptedWire(*script), SteppingClock()
    return Client(wire, clock=clock), wire, clock


async def test_a_post_returns_its_ts_and_carries_its_metadata() -> None:
    slack, wire, _ = client(yes(ts="1700000000.000100"))
    metadata = Metadata(type="mq", payload={"key": "k"})
    assert await slack.post("C1", "hi", metadata=metadata, thread="1600000000.000000") == "1700000000.000100"
    ((method, args),) = wire.asked
    assert method == "chat.postMessage"
    assert args["metadata"] == {"event_type": "mq", "event_payload": {"key": "k"}}
    assert (args["channel"], args["text"], args["thread_ts"]) == ("C1", "hi", "1600000000.000000")


async def test_the_clock_of_slack_is_known_from_own_posts_and_date_headers() -> None:
    slack, _, clock = client(yes(date=1699999990.0, ts="1700000000.000100"), yes(date=1700000031.0))
    assert slack.now() == 0.0
    await slack.post("C1", "hi")
    assert slack.now() == pytest.approx(1700000000.0001)
    clock.mono += 30
    await slack.react("C1", "1700000000.000100", "clock1")
    assert slack.now() == pytest.approx(1700000031.0)


@pytest.mark.parametrize("answer", UNSETTLED)
async def test_an_unanswered_write_is_ambiguous_and_sent_once(answer: Reply | Exception) -> None:
    slack, wire, _ = client(answer)
    with pytest.raises(Ambiguous):
        await slack.post("C1", "hi")
    assert len(wire.asked) == 1


@pytest.mark.parametrize("answer", UNSETTLED)
async def test_an_unanswered_read_is_tried_again(answer: Reply | Exception) -> None:
    slack, wire, clock = client(answer, answer, yes(messages=[]))
    assert (await slack.history("C1", oldest=0)).rows == ()
    assert len(wire.asked) == 3
    assert clock.mono > 101


async def test_a_read_that_is_never_answered_is_ambiguous_in_the_end() -> None:
    slack, wire, _ = client(*[SILENT] * 10)
    with pytest.raises(Ambiguous):
        await slack.replies("C1", "1.000000")
    assert len(wire.asked) == 4


@pytest.mark.parametrize(
    "limited",
    [
        Reply(status=429, body={"ok": False, "error": "ratelimited"}, retry_after=7.0),
        no("rate_limited"),
        Reply(status=429),
    ],
)
async def test_a_limited_write_is_sent_again_when_slack_allows(limited: Reply) -> None:
    slack, wire, clock = client(limited, yes(ts="1.000000"))
    assert await slack.post("C1", "hi") == "1.000000"
    assert len(wire.asked) == 2
    assert clock.mono >= 100 + (limited.retry_after or 3)


async def test_a_refusal_is_an_error_with_its_remedy() -> None:
    slack, wire, _ = client(no("not_in_channel"))
    with pytest.raises(NotInChannel, match="/invite"):
        await slack.post("C1", "hi")
    assert len(wire.asked) == 1


async def test_a_refused_read_is_not_tried_again() -> None:
    slack, wire, _ = client(no("token_revoked"))
    with pytest.raises(TokenRefused, match="revoked"):
        await slack.history("C1", oldest=0)
    assert len(wire.asked) == 1


async def test_a_second_reaction_is_told_apart() -> None:
    slack, _, _ = client(yes(), no("already_reacted"))
    await slack.react("C1", "1.000000", "clock1")
    with pytest.raises(AlreadyReacted):
        await slack.react("C1", "1.000000", "clock1")


async def test_a_wrong_address_is_named_as_one() -> None:
    slack, _, _ = client(Reply(status=404))
    with pytest.raises(Refused, match="SLACKMQ_URL"):
        await slack.post("C1", "hi")


async def test_an_edit_keeps_the_metadata_it_does_not_name() -> None:
    slack, wire, _ = client(yes(), yes())
    await slack.edit("C1", "1.000000", "new")
    await slack.edit("C1", "1.000000", "new", metadata=Metadata(type="mq", payload={}))
    assert "metadata" not in wire.asked[0][1]
    assert wire.asked[1][1]["metadata"] == {"event_type": "mq", "event_payload": {}}


async def test_identity_is_asked_once() -> None:
    slack, wire, _ = client(yes(team_id="T1", user_id="U1", bot_id="B1"))
    assert await slack.identity() == await slack.identity() == Identity(team="T1", user="U1", bot="B1")
    assert len(wire.asked) == 1


async def test_a_persons_token_is_refused() -> None:
    slack, _, _ = client(yes(team_id="T1", user_id="U1"))
    with pytest.raises(TokenRefused, match="xoxb-"):
        await slack.identity()


def listed(name: str, channel: str, *, member: bool = True) -> dict[str, object]:
    return {"id": channel, "name": name, "is_member": member}


async def test_a_channel_is_found_by_name_on_any_page_and_remembered() -> None:
    first = yes(channels=[listed("general", "C1")], response_metadata={"next_cursor": "c2"})
    slack, wire, _ = client(first, yes(channels=[listed("jobs", "C2")], response_metadata={"next_cursor": ""}))
    assert await slack.channel("#jobs") == Channel(id="C2", name="jobs", member=True)
    assert await slack.channel("jobs") == Channel(id="C2", name="jobs", member=True)
    assert (await slack.channel("#general")).id == "C1"
    assert [args.get("cursor") for _, args in wire.asked] == [None, "c2"]


async def test_a_channel_the_bot_is_not_in_is_asked_for_again() -> None:
    slack, _, _ = client(yes(channels=[listed("jobs", "C2", member=False)]), yes(channels=[listed("jobs", "C2")]))
    assert not (await slack.channel("#jobs")).member
    assert (await slack.channel("#jobs")).member


async def test_a_channel_is_found_by_id() -> None:
    slack, wire, _ = client(yes(channel=listed("jobs", "C2")))
    assert (await slack.channel("C2")).name == "jobs"
    assert wire.asked == [("conversations.info", {"channel": "C2"})]


async def test_a_missing_channel_is_named_with_what_to_do() -> None:
    slack, _, _ = client(yes(channels=[listed("general", "C1")]))
    with pytest.raises(ChannelNotFound, match=r'"#nowhere".*/invite'):
        await slack.channel("#nowhere")


async def test_a_bot_for_public_channels_alone_needs_no_more_scopes() -> None:
    slack, wire, _ = client(no("missing_scope", needed="groups:read"), yes(channels=[listed("jobs", "C2")]))
    assert (await slack.channel("#jobs")).id == "C2"
    assert wire.asked[-1][1]["types"] == "public_channel"


async def test_a_missing_scope_for_public_channels_is_an_error() -> None:
    lacking = no("missing_scope", needed="channels:read", provided="chat:write")
    slack, _, _ = client(lacking, lacking)
    with pytest.raises(MissingScope, match="channels:read"):
        await slack.channel("#jobs")


def said(ts: str, **more: object) -> dict[str, object]:
    return {"type": "message", "ts": ts, "user": "U1", "text": ts} | more


async def test_history_gives_all_pages_oldest_first_each_message_once() -> None:
    slack, wire, _ = client(
        yes(messages=[said("40.000000"), said("30.000000")], response_metadata={"next_cursor": "c2"}),
        yes(messages=[said("30.000000"), said("20.000000")], has_more=False),
    )
    page = await slack.history("C1", oldest=10)
    assert [seen.ts for seen in page.rows] == ["20.000000", "30.000000", "40.000000"]
    assert wire.asked[0][1] == {"channel": "C1", "limit": 200, "include_all_metadata": True, "oldest": "10.000000"}
    assert wire.asked[1][1]["cursor"] == "c2"


async def test_a_window_is_open_at_its_start_and_closed_at_its_end() -> None:
    messages = [said("40.000000"), said("9.500000"), said("9.400000")]
    slack, wire, _ = client(yes(messages=messages))
    page = await slack.history("C1", oldest=9.4, latest=40)
    assert [seen.ts for seen in page.rows] == ["9.500000", "40.000000"]
    assert (wire.asked[0][1]["latest"], wire.asked[0][1]["inclusive"]) == ("40.000000", True)


async def test_history_leaves_out_replies_and_keeps_everything_else() -> None:
    messages = [
        said("50.000000", subtype="channel_join"),
        said("40.000000", thread_ts="10.000000", subtype="thread_broadcast"),
        said("30.000000", thread_ts="10.000000"),
        said("20.000000", subtype="tombstone"),
        said("10.000000", thread_ts="10.000000", reply_count=2),
    ]
    slack, _, _ = client(yes(messages=messages))
    page = await slack.history("C1", oldest=0)
    assert [seen.ts for seen in page.rows] == ["10.000000", "20.000000", "40.000000", "50.000000"]


async def test_a_wide_window_is_read_in_large_pages() -> None:
    slack, wire, clock = client(yes(date=1700000000.0), yes(messages=[]), yes(messages=[]))
    await slack.react("C1", "1.000000", "clock1")
    clock.mono += 1
    await slack.history("C1", oldest=1700000000 - 86400)
    await slack.history("C1", oldest=1700000000 - 600)
    assert [args["limit"] for _, args in wire.asked[1:]] == [999, 200]


async def test_a_page_was_read_after_the_moment_it_names() -> None:
    slack, _, clock = client(yes(date=1000.0), yes(date=1060.0, messages=[]))
    await slack.react("C1", "1.000000", "clock1")
    clock.mono += 10
    page = await slack.history("C1", oldest=0)
    assert page.read_at == pytest.approx(1010, abs=0.02)


async def test_one_row_is_read_by_its_ts() -> None:
    slack, wire, _ = client(yes(messages=[said("20.000000", text="a &amp; b")]))
    seen = await slack.row("C1", "20.000000")
    assert seen is not None
    assert seen.text == "a & b"
    args = wire.asked[0][1]
    assert (args["oldest"], args["latest"], args["inclusive"], args["limit"]) == ("20.000000", "20.000000", True, 1)


@pytest.mark.parametrize("messages", [[], [said("19.000000")]])
async def test_a_row_that_cannot_be_seen_is_none(messages: list[dict[str, object]]) -> None:
    slack, _, _ = client(yes(messages=messages))
    assert await slack.row("C1", "20.000000") is None


async def test_replies_come_oldest_first_without_their_parent() -> None:
    slack, _, _ = client(
        yes(messages=[said("10.000000"), said("20.000000")], response_metadata={"next_cursor": "c2"}),
        yes(messages=[said("10.000000"), said("30.000000")]),
    )
    assert [seen.ts for seen in await slack.replies("C1", "10.000000")] == ["20.000000", "30.000000"]
