"""Any sequence of calls, beside a model of a few sets: the workspace promises the same whatever came before."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

from slackmq.emulator.model import Caller
from slackmq.emulator.workspace import OPERATOR, Workspace

START = 1_700_000_000_000_000
EMOJI = st.sampled_from(["clock1", "clock2", "clock3", "white_check_mark"])
WHO = st.sampled_from([0, 1, 2])


@dataclass
class Expected:
    """What we believe of a message: who reacted with what, in order; what it says; its parent."""

    author: int
    text: str
    parent: str | None = None
    reactions: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    pinned: bool = False


class WorkspaceMachine(RuleBasedStateMachine):
    messages: Bundle[str] = Bundle("messages")

    def __init__(self) -> None:
        super().__init__()
        self.workspace = Workspace()
        self.calls: list[tuple[int, Caller, str, dict[str, Any]]] = []
        self.replies: list[Any] = []
        self.now = START
        self.living: dict[str, Expected] = {}
        self.callers = [self.caller(token) for token in self.tokens()]
        self.jobs = self.workspace.apply(0, OPERATOR, "emulator.channels.list", {}).reply["channels"][2]["id"]

    def tokens(self) -> list[str]:
        second = self.call(OPERATOR, "emulator.apps.install", name="second", channels="jobs")["app"]["bot_token"]
        first = self.workspace.apply(0, OPERATOR, "emulator.apps.list", {}).reply["apps"][0]["bot_token"]
        person = self.workspace.apply(0, OPERATOR, "emulator.users.list", {}).reply["users"][0]["token"]
        return [first, second, person]

    def caller(self, token: str) -> Caller:
        caller = self.workspace.authorize(token)
        assert isinstance(caller, Caller)
        return caller

    def call(self, caller: Caller, method: str, **args: Any) -> dict[str, Any]:
        self.calls.append((self.now, caller, method, args))
        outcome = self.workspace.apply(self.now, caller, method, args)
        self.replies.append(outcome)
        assert outcome.reply["ok"] or outcome.events == ()
        return dict(outcome.reply)

    def ask(self, who: int, method: str, **args: Any) -> str | None:
        """The error, None if there is none."""
        return self.call(self.callers[who], method, channel=self.jobs, **args).get("error")

    @rule(step=st.integers(-2_000_000, 5_000_000))
    def time_passes_or_the_clock_is_set_back(self, step: int) -> None:
        self.now = max(START, self.now + step)

    @rule(target=messages, who=WHO, text=st.sampled_from(["a", "b"]))
    def post(self, who: int, text: str) -> str:
        ts = str(self.call(self.callers[who], "chat.postMessage", channel=self.jobs, text=text)["ts"])
        assert all(ts > other for other in self.living)
        self.living[ts] = Expected(author=who, text=text)
        return ts

    @rule(target=messages, who=WHO, to=messages)
    def reply(self, who: int, to: str) -> str:
        reply = self.call(self.callers[who], "chat.postMessage", channel=self.jobs, text="r", thread_ts=to)
        if to not in self.living:
            assert reply["error"] == "thread_not_found"
            return to
        self.living[reply["ts"]] = Expected(author=who, text="r", parent=self.living[to].parent or to)
        return str(reply["ts"])

    @rule(who=WHO, ts=messages, name=EMOJI)
    def react(self, who: int, ts: str, name: str) -> None:
        error = self.ask(who, "reactions.add", timestamp=ts, name=name)
        if ts not in self.living:
            assert error == "message_not_found"
            return
        users = self.living[ts].reactions.setdefault(name, [])
        user = self.callers[who].user
        assert error == ("already_reacted" if user in users else None)
        if error is None:
            users.append(user)

    @rule(who=WHO, ts=messages, name=EMOJI)
    def unreact(self, who: int, ts: str, name: str) -> None:
        error = self.ask(who, "reactions.remove", timestamp=ts, name=name)
        if ts not in self.living:
            assert error == "message_not_found"
            return
        users = self.living[ts].reactions.get(name, [])
        user = self.callers[who].user
        assert error == (None if user in users else "no_reaction")
        if error is None:
            users.remove(user)
        if not users:
            self.living[ts].reactions.pop(name, None)

    @rule(who=WHO, ts=messages)
    def pin(self, who: int, ts: str) -> None:
        error = self.ask(who, "pins.add", timestamp=ts)
        if ts in self.living:
            assert error == ("already_pinned" if self.living[ts].pinned else None)
            self.living[ts].pinned = True
        else:
            assert error == "message_not_found"

    @rule(who=WHO, ts=messages)
    def unpin(self, who: int, ts: str) -> None:
        error = self.ask(who, "pins.remove", timestamp=ts)
        if ts in self.living:
            assert error == (None if self.living[ts].pinned else "no_pin")
            self.living[ts].pinned = False
        else:
            assert error == "message_not_found"

    @rule(who=WHO, ts=messages, text=st.sampled_from(["c", "d"]))
    def edit(self, who: int, ts: str, text: str) -> None:
        error = self.ask(who, "chat.update", ts=ts, text=text)
        if ts not in self.living:
            assert error == "message_not_found"
        elif self.living[ts].author != who:
            assert error == "cant_update_message"
        else:
            assert error is None
            self.living[ts].text = text

    @rule(who=WHO, ts=consumes(messages))
    def delete(self, who: int, ts: str) -> None:
        if any(message.parent == ts for message in self.living.values()):
            return  # a tombstone: its own test
        error = self.ask(who, "chat.delete", ts=ts)
        if ts not in self.living:
            assert error == "message_not_found"
        elif self.living[ts].author != who:
            assert error == "cant_delete_message"
        else:
            assert error is None
            del self.living[ts]

    @rule(data=st.data(), inclusive=st.booleans(), limit=st.integers(1, 5))
    def history_in_pages_is_the_window(self, data: st.DataObject, *, inclusive: bool, limit: int) -> None:
        edges = st.sampled_from([*self.living, f"{self.now // 1_000_000}.000000"])
        oldest, latest = data.draw(edges), data.draw(edges)
        seen: list[str] = []
        args: dict[str, Any] = {"oldest": oldest, "latest": latest, "inclusive": inclusive, "limit": limit}
        for _ in range(len(self.replies) + 1):
            page = self.call(self.callers[0], "conversations.history", channel=self.jobs, **args)
            seen += [row["ts"] for row in page["messages"] if row.get("subtype") != "pinned_item"]
            if not page["has_more"]:
                break
            args["cursor"] = page["response_metadata"]["next_cursor"]
        within = [
            ts
            for ts, message in self.living.items()
            if message.parent is None and (oldest < ts < latest or (inclusive and oldest <= ts <= latest))
        ]
        assert seen == sorted(within, reverse=True)

    @invariant()
    def rows_show_what_was_done(self) -> None:
        for ts, expected in self.living.items():
            args = {"channel": self.jobs, "ts": ts, "limit": 1000}
            rows = self.workspace.apply(self.now, self.callers[0], "conversations.replies", args).reply["messages"]
            row = next(row for row in rows if row["ts"] == ts)
            assert (row["text"], row["user"]) == (expected.text, self.callers[expected.author].user)
            shown = {entry["name"]: entry["users"] for entry in row.get("reactions", [])}
            assert shown == {name: users for name, users in expected.reactions.items() if users}
            assert all(entry["count"] == len(entry["users"]) for entry in row.get("reactions", []))
            assert ("pinned_to" in row) is expected.pinned
            replies = sorted(other for other, message in self.living.items() if message.parent == ts)
            assert row.get("reply_count", 0) == len(replies)
            assert row.get("latest_reply") == (replies[-1] if replies else None)

    @invariant()
    def pins_are_what_is_pinned(self) -> None:
        pins = self.workspace.apply(self.now, self.callers[0], "pins.list", {"channel": self.jobs}).reply["items"]
        assert {pin["message"]["ts"] for pin in pins} == {ts for ts, it in self.living.items() if it.pinned}

    def teardown(self) -> None:
        """The same calls on a new workspace give the same replies and events."""
        fresh = Workspace()
        assert [fresh.apply(*call) for call in self.calls] == self.replies


TestWorkspace = WorkspaceMachine.TestCase
TestWorkspace.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
