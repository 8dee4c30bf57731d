"""Any sequence of coming, going, renaming, archiving and scheduling, beside a model of plain sets and lists."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from slackmq.emulator.model import Caller
from slackmq.emulator.seed import QUEUE_SCOPES, Seed, SeedApp, SeedChannel, SeedPerson
from slackmq.emulator.workspace import OPERATOR, Workspace

START = 1_700_000_000
SEED = Seed(
    people=(SeedPerson(name="you"), SeedPerson(name="colleague")),
    channels=(SeedChannel(name="general"),),
    apps=(SeedApp(name="bot", scopes=(*QUEUE_SCOPES, "im:write", "im:read", "im:history")),),
    scheduled_metadata_bug=False,
)
WHO = st.sampled_from([0, 1, 2])
NAMES = st.sampled_from(["a", "b", "c", "d"])


@dataclass
class Expected:
    """What we believe of a channel: `texts` is what people said, oldest first."""

    name: str
    members: set[int]
    private: bool
    archived: bool = False
    topic: str = ""
    texts: list[str] = field(default_factory=list[str])
    read: dict[int, str] = field(default_factory=dict[int, str])


class ConversationsMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.workspace = Workspace(SEED)
        self.second = START
        self.calls: list[tuple[int, Caller, str, dict[str, Any]]] = []
        self.replies: list[Any] = []
        people = self.call(OPERATOR, "emulator.users.list")["users"]
        apps = self.call(OPERATOR, "emulator.apps.list")["apps"]
        tokens = [apps[0]["bot_token"], *(person["token"] for person in people)]
        self.callers = [caller for caller in map(self.workspace.authorize, tokens) if isinstance(caller, Caller)]
        self.channels: dict[str, Expected] = {}
        self.waiting: dict[str, tuple[int, str, int]] = {}
        self.directs: dict[frozenset[int], str] = {}

    def call(self, caller: Caller, method: str, **args: Any) -> dict[str, Any]:
        self.calls.append((self.second * 1_000_000, caller, method, args))
        self.replies.append(self.workspace.apply(*self.calls[-1]))
        return dict(self.replies[-1].reply)

    def ask(self, who: int, method: str, **args: Any) -> str | None:
        """The error, None if there is none."""
        return self.call(self.callers[who], method, **args).get("error")

    def sees(self, who: int, channel: Expected) -> bool:
        return not channel.private or who in channel.members

    def any_channel(self, data: st.DataObject) -> tuple[str, Expected]:
        ident = data.draw(st.sampled_from(sorted(self.channels)))
        return ident, self.channels[ident]

    @rule(who=WHO, name=NAMES, private=st.booleans())
    def create(self, who: int, name: str, *, private: bool) -> None:
        reply = self.call(self.callers[who], "conversations.create", name=name, is_private=private)
        if any(channel.name == name for channel in self.channels.values()):
            assert reply["error"] == "name_taken"
        else:
            self.channels[reply["channel"]["id"]] = Expected(name=name, members={who}, private=private)

    @precondition(lambda self: self.channels)
    @rule(who=WHO, data=st.data(), name=NAMES)
    def rename(self, who: int, data: st.DataObject, name: str) -> None:
        ident, channel = self.any_channel(data)
        error = self.ask(who, "conversations.rename", channel=ident, name=name)
        if error is None:
            assert who in channel.members
            assert not channel.archived
            assert all(other is channel or other.name != name for other in self.channels.values())
            channel.name = name
        else:
            assert error in {"channel_not_found", "not_in_channel", "is_archived", "not_authorized", "name_taken"}

    @precondition(lambda self: self.channels)
    @rule(who=WHO, data=st.data())
    def join(self, who: int, data: st.DataObject) -> None:
        ident, channel = self.any_channel(data)
        error = self.ask(who, "conversations.join", channel=ident)
        if not self.sees(who, channel):
            assert error == "channel_not_found"
        elif channel.private:
            assert error == "method_not_supported_for_channel_type"
        elif channel.archived:
            assert error == "is_archived"
        else:
            assert error is None
            channel.members.add(who)

    @precondition(lambda self: self.channels)
    @rule(who=WHO, data=st.data())
    def leave(self, who: int, data: st.DataObject) -> None:
        ident, channel = self.any_channel(data)
        error = self.ask(who, "conversations.leave", channel=ident)
        if not self.sees(who, channel):
            assert error == "channel_not_found"
        elif channel.archived:
            assert error == "is_archived"
        elif channel.private and channel.members == {who}:
            assert error == "last_member"
        else:
            assert error is None
            channel.members.discard(who)

    @precondition(lambda self: self.channels)
    @rule(who=WHO, other=WHO, data=st.data(), deed=st.sampled_from(["invite", "kick"]))
    def invite_or_kick(self, who: int, other: int, data: st.DataObject, deed: str) -> None:
        ident, channel = self.any_channel(data)
        user = self.callers[other].user
        error = self.ask(who, f"conversations.{deed}", channel=ident, users=user, user=user)
        if error is None:
            assert who in channel.members
            assert who != other
            assert (other in channel.members) is (deed == "kick")
            (channel.members.add if deed == "invite" else channel.members.discard)(other)
        elif who in channel.members and who != other and not channel.archived:
            assert (other in channel.members) is (deed == "invite")

    @precondition(lambda self: self.channels)
    @rule(who=WHO, data=st.data())
    def archive_or_unarchive(self, who: int, data: st.DataObject) -> None:
        ident, channel = self.any_channel(data)
        if channel.archived:
            error = self.ask(who, "conversations.unarchive", channel=ident)
            if self.sees(who, channel):
                assert error is None
                channel.archived = False
                channel.members.add(who)
        else:
            error = self.ask(who, "conversations.archive", channel=ident)
            assert (error is None) is (who in channel.members)
            channel.archived = who in channel.members

    @precondition(lambda self: self.channels)
    @rule(who=WHO, data=st.data(), text=st.sampled_from(["hello", "bye"]))
    def post_and_read(self, who: int, data: st.DataObject, text: str) -> None:
        ident, channel = self.any_channel(data)
        reply = self.call(self.callers[who], "chat.postMessage", channel=ident, text=text)
        assert reply["ok"] is (who in channel.members and not channel.archived)
        if reply["ok"]:
            channel.texts.append(text)
            channel.read[who] = reply["ts"]
            assert self.ask(who, "conversations.mark", channel=ident, ts=reply["ts"]) is None

    @precondition(lambda self: self.channels)
    @rule(who=WHO, data=st.data(), wait=st.integers(1, 5))
    def schedule(self, who: int, data: st.DataObject, wait: int) -> None:
        ident, channel = self.any_channel(data)
        text = f"later {len(self.calls)}"
        args = {"channel": ident, "text": text, "post_at": self.second + wait}
        reply = self.call(self.callers[who], "chat.scheduleMessage", **args)
        assert reply["ok"] is (who in channel.members and not channel.archived)
        if reply["ok"]:
            self.waiting[reply["scheduled_message_id"]] = (self.second + wait, ident, who)

    @precondition(lambda self: self.waiting)
    @rule(who=WHO, data=st.data())
    def take_back(self, who: int, data: st.DataObject) -> None:
        ident = data.draw(st.sampled_from(sorted(self.waiting)))
        _, channel, author = self.waiting[ident]
        error = self.ask(who, "chat.deleteScheduledMessage", channel=channel, scheduled_message_id=ident)
        assert (error is None) is (who == author and self.sees(who, self.channels[channel]))
        if error is None:
            del self.waiting[ident]

    @rule(step=st.integers(1, 3))
    def time_passes_and_what_is_due_arrives(self, step: int) -> None:
        self.second += step
        due = self.workspace.next_due()
        assert due == min((at * 1_000_000 for at, _, _ in self.waiting.values()), default=None)
        before = {ident: self.texts(ident) for ident in self.channels}
        posted = self.call(OPERATOR, "emulator.due")["posted"]
        ready = {ident: each for ident, each in self.waiting.items() if each[0] <= self.second}
        self.waiting = {ident: each for ident, each in self.waiting.items() if ident not in ready}
        welcome = [
            channel
            for _, channel, who in ready.values()
            if who in self.channels[channel].members and not self.channels[channel].archived
        ]
        assert len(posted) == len(welcome)
        for ident, channel in self.channels.items():
            arrived = self.texts(ident)[len(before[ident]) :]
            assert len(arrived) == welcome.count(ident)
            channel.texts += arrived

    @rule(who=WHO, other=WHO)
    def write_to_a_person(self, who: int, other: int) -> None:
        reply = self.call(self.callers[who], "chat.postMessage", channel=self.callers[other].user, text="psst")
        pair = frozenset({who, other})
        assert reply["channel"] == self.directs.setdefault(pair, reply["channel"])

    def texts(self, ident: str) -> list[str]:
        """What people said in a channel, oldest first, as somebody reads it who is in it."""
        state = self.workspace._state.channels[ident]
        rows = [state.messages[ts].row for ts in state.shown]
        return [row["text"] for row in rows if "subtype" not in row]

    @invariant()
    def the_channels_are_as_expected(self) -> None:
        for ident, channel in self.channels.items():
            assert self.texts(ident) == channel.texts
            for who in channel.members:
                caller = self.callers[who]
                found = self.workspace.apply(0, caller, "conversations.members", {"channel": ident}).reply["members"]
                assert set(found) == {self.callers[member].user for member in channel.members}
                info = self.workspace.apply(0, caller, "conversations.info", {"channel": ident}).reply["channel"]
                assert (info["name"], info["is_archived"]) == (channel.name, channel.archived)
                assert info["last_read"] == channel.read.get(who, "0000000000.000000")

    def teardown(self) -> None:
        """The same calls on a new workspace give the same replies and events."""
        fresh = Workspace(SEED)
        assert [fresh.apply(*call) for call in self.calls] == self.replies


TestConversations = ConversationsMachine.TestCase
TestConversations.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
