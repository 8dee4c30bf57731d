"""A read that is behind in order is what a read was a while ago, whatever happened in between, page by page."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

from hypothesis import given, settings
from hypothesis import strategies as st

from slackmq.emulator.faults import Faults, Plan
from slackmq.emulator.lag import Lag
from slackmq.emulator.model import Caller
from slackmq.emulator.workspace import OPERATOR, Workspace

if TYPE_CHECKING:
    from collections.abc import Mapping

SECOND = 1_000_000
START = 1_700_000_000 * SECOND
DEEDS = (
    *("post", "post", "reply", "reply", "broadcast", "edit", "react", "unreact", "pin", "unpin", "delete", "delete"),
    *("show", "other"),
)
Deed = tuple[str, int, int]
deeds = st.lists(
    st.tuples(st.sampled_from(DEEDS), st.integers(0, 7), st.integers(0, 4 * SECOND)), min_size=1, max_size=40
)


class Story:
    """A channel in which things happen, and what reads said after each of them."""

    def __init__(self, faults: Faults, seed: int) -> None:
        self.workspace = Workspace()
        self.plan = Plan(seed=seed, faults=faults)
        self.lag = Lag(plan=self.plan, replies=self.workspace.replies)
        self.now = START
        app = self.workspace.apply(START, OPERATOR, "emulator.apps.list", {}).reply["apps"][0]
        caller = self.workspace.authorize(app["bot_token"])
        assert isinstance(caller, Caller)
        self.caller = caller
        self.channel, self.other = (
            row["id"]
            for row in self.workspace.apply(START, OPERATOR, "emulator.channels.list", {}).reply["channels"][:2]
        )
        self.messages: list[str] = []
        self.moments: list[tuple[int, dict[str, Any]]] = [(0, self.truth())]
        """When reads show it at last, and what they said then."""

    def ask(self, method: str, **args: object) -> Mapping[str, Any]:
        return self.workspace.apply(self.now, self.caller, method, {"channel": self.channel, **args}).reply

    def do(self, deed: str, number: int, pause: int) -> None:
        self.now += pause
        ts = self.messages[number % len(self.messages)] if self.messages else "1600000000.000000"
        parent = next((row["thread_ts"] for row in self.read("conversations.replies", ts=ts) if "thread_ts" in row), ts)
        calls: dict[str, tuple[str, dict[str, object]]] = {
            "post": ("chat.postMessage", {"text": str(number), "metadata": {"event_type": "a", "event_payload": {}}}),
            "reply": ("chat.postMessage", {"text": "reply", "thread_ts": parent}),
            "broadcast": ("chat.postMessage", {"text": "reply", "thread_ts": parent, "reply_broadcast": True}),
            "edit": ("chat.update", {"ts": ts, "text": f"changed at {self.now}"}),
            "show": ("chat.update", {"ts": ts, "text": "shown", "reply_broadcast": True}),
            "react": ("reactions.add", {"timestamp": ts, "name": ("eyes", "x")[number % 2]}),
            "unreact": ("reactions.remove", {"timestamp": ts, "name": ("eyes", "x")[number % 2]}),
            "pin": ("pins.add", {"timestamp": ts}),
            "unpin": ("pins.remove", {"timestamp": ts}),
            "delete": ("chat.delete", {"ts": ts}),
            "other": ("chat.postMessage", {"text": "elsewhere", "channel": self.other}),
        }
        method, args = calls[deed]
        call = {"channel": self.channel, **args}
        outcome = self.workspace.apply(self.now, self.caller, method, call)
        if method == "chat.postMessage" and outcome.reply["ok"] and deed != "other":
            self.messages.append(outcome.reply["ts"])
        for event in outcome.events:
            self.lag.heard(event, self.now)
        self.moments.append((self.plan.seen_at("", self.now), self.truth()))

    def read(self, method: str, **args: object) -> list[Any]:
        """All rows as they are in truth."""
        return list(self.ask(method, include_all_metadata=True, **args).get("messages", []))

    def truth(self) -> dict[str, Any]:
        history = self.ask("conversations.history", include_all_metadata=True)
        threads = {ts: self.read("conversations.replies", ts=ts) for ts in self.messages}
        return {"": history["messages"], "pins": history["pin_count"], **threads}

    def behind(self, now: int, limit: int, method: str = "conversations.history", **args: object) -> list[Any]:
        """All rows as somebody sees them who turns pages at `now`."""
        rows: list[Any] = []
        given: dict[str, object] = {"channel": self.channel, "limit": limit, "include_all_metadata": True, **args}
        for _ in range(100):
            reply = self.lag.shown(method, given, self.ask(method, **given), now)
            page = list(reply.get("messages", []))
            assert len(page) <= limit
            rows = [*page, *rows] if "oldest" in args and method == "conversations.history" else [*rows, *page]
            if not reply.get("has_more"):
                return rows
            given["cursor"] = reply["response_metadata"]["next_cursor"]
        raise AssertionError("the pages have no end")


def bare(rows: list[Any]) -> list[Any]:
    """Without what may differ: the order of who reacted, and the parent as a broadcast once saw it."""
    return [
        {
            **{key: value for key, value in row.items() if key != "root"},
            "reactions": sorted((entry["name"], sorted(entry["users"])) for entry in row.get("reactions", ())),
        }
        for row in rows
    ]


@settings(deadline=None)
@given(deeds, st.integers(0, 50), st.sampled_from((0.5, 3.0, 20.0)), st.integers(1, 5))
def test_what_is_read_in_order_was_true_a_while_ago(story: list[Deed], seed: int, lag: float, limit: int) -> None:
    told = Story(Faults(lag=lag), seed)
    for deed in story:
        told.do(*deed)
    seen = [moment for moment, _ in told.moments]
    assert seen == sorted(seen)
    for earlier, later in pairwise([told.now, *sorted({moment for moment in seen if moment > told.now})]):
        now = (earlier + later) // 2
        truth = [then for moment, then in told.moments if moment <= now][-1]
        assert bare(told.behind(now, limit)) == bare(truth[""])
        assert bare(told.behind(now, limit, oldest="1000000000")) == bare(truth[""])
        reply = told.ask("conversations.history")
        shown = told.lag.shown("conversations.history", {"channel": told.channel}, reply, now)
        assert shown["pin_count"] == truth["pins"]
        for ts in told.messages:
            if truth.get(ts) and truth[ts][0]["ts"] == ts and told.ask("conversations.replies", ts=ts)["ok"]:
                rows = told.behind(now, limit, "conversations.replies", ts=ts)
                assert bare(rows) == bare(truth[ts]), ts


@settings(deadline=None)
@given(deeds, st.integers(0, 50), st.integers(1, 5))
def test_whatever_the_order_everything_is_seen_in_the_end_and_nothing_breaks(
    story: list[Deed], seed: int, limit: int
) -> None:
    told = Story(Faults(lag=5.0, reorder=True), seed)
    for deed in story:
        told.do(*deed)
        rows = told.behind(told.now, limit)
        assert [row["ts"] for row in rows] == sorted({row["ts"] for row in rows}, reverse=True)
    later = told.now + 5 * SECOND
    assert told.behind(later, limit) == told.truth()[""]
