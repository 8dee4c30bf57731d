"""The server with its journal answers as the pure core does, whatever is called in which order."""

from __future__ import annotations

import asyncio
import json
from itertools import count
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from slackmq.emulator.limits import Limits
from slackmq.emulator.model import Caller
from slackmq.emulator.seed import Seed
from slackmq.emulator.server import Server
from slackmq.emulator.workspace import OPERATOR, Workspace

START, SECOND = 1_700_000_000, 1_000_000
SPACE = Workspace()
BOT = SPACE.apply(0, OPERATOR, "emulator.apps.list", {}).reply["apps"][0]["bot_token"]
PEOPLE = [row["token"] for row in SPACE.apply(0, OPERATOR, "emulator.users.list", {}).reply["users"]]
JOBS = SPACE.apply(0, OPERATOR, "emulator.channels.list", {}).reply["channels"][2]["id"]

# The clock goes on by a second a call, so a message that call n made has this ts, or nearly.
stamps = st.integers(0, 50).map(lambda number: f"{START + number}.000000")
texts = st.sampled_from(["hello", "a < b & c", "see example.com", ""])
marks = {"timestamp": stamps, "name": st.sampled_from(["eyes", "x", "no_such"])}
steps = st.one_of(
    *(
        st.tuples(st.sampled_from([BOT, *PEOPLE]), st.just(method), st.fixed_dictionaries(needed, optional=optional))
        for method, needed, optional in (
            ("chat.postMessage", {"text": texts}, {"thread_ts": stamps, "reply_broadcast": st.booleans()}),
            ("chat.update", {"ts": stamps, "text": texts}, {}),
            ("chat.delete", {"ts": stamps}, {}),
            ("chat.scheduleMessage", {"text": texts, "post_at": st.integers(START, START + 60)}, {}),
            ("reactions.add", marks, {}),
            ("reactions.remove", marks, {}),
            ("pins.add", {"timestamp": stamps}, {}),
            ("pins.remove", {"timestamp": stamps}, {}),
            ("pins.list", {}, {}),
            ("conversations.history", {}, {"oldest": stamps, "latest": stamps, "limit": st.integers(0, 5)}),
            ("conversations.replies", {"ts": stamps}, {}),
            ("conversations.leave", {}, {}),
            ("conversations.join", {}, {}),
            ("users.conversations", {}, {}),
            ("chat.scheduledMessages.list", {}, {}),
        )
    )
)


async def _served(calls: list[tuple[str, str, dict[str, Any]]]) -> list[Any]:
    """What a server answers, whose clock goes on by a second a call."""
    replies: list[Any] = []
    moment = START * SECOND
    async with Server.opened(None, seed=Seed(), limits=Limits.off(), clock=lambda: moment) as server:
        for token, method, args in calls:
            answer = await server.call(token, method, args)
            replies.append(answer.reply)
            replies.append(await server.act(OPERATOR, "emulator.due", {}))
            moment += SECOND
    return replies


@settings(max_examples=40, deadline=None)
@given(st.lists(steps, min_size=50, max_size=50))
def test_the_server_answers_as_the_core_does(steps: list[tuple[str, str, dict[str, Any]]]) -> None:
    calls = [(token, method, {"channel": JOBS, **args}) for token, method, args in steps]
    core, expected = Workspace(), list[Any]()
    for now, (token, method, args) in zip(count(START * SECOND, SECOND), calls, strict=False):
        caller = core.authorize(token)
        assert isinstance(caller, Caller)
        expected.append(core.apply(now, caller, method, args).reply)
        expected.append(core.apply(now, OPERATOR, "emulator.due", {}).reply)
    assert json.dumps(asyncio.run(_served(calls))) == json.dumps(expected)
