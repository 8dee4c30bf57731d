"""A workspace, and those who call it: a bot, a second bot, a person, the operator. Time goes on by 1 ms a call."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Any

import pytest

from slackmq.emulator.model import Caller
from slackmq.emulator.workspace import OPERATOR, Workspace

if TYPE_CHECKING:
    from collections.abc import Callable

    from slackmq.emulator.model import Event

    Ask = Callable[..., dict[str, Any]]


@pytest.fixture
def workspace() -> Workspace:
    return Workspace()


@pytest.fixture
def told() -> list[Event]:
    """Every event so far."""
    return []


@pytest.fixture
def as_caller(workspace: Workspace, told: list[Event]) -> Callable[[Caller], Ask]:
    moments = count(1_700_000_000_000_000, 1000)

    def asking(caller: Caller) -> Ask:
        def ask(method: str, **args: object) -> dict[str, Any]:
            outcome = workspace.apply(next(moments), caller, method, args)
            told.extend(outcome.events)
            return dict(outcome.reply)

        return ask

    return asking


@pytest.fixture
def with_token(workspace: Workspace, as_caller: Callable[[Caller], Ask]) -> Callable[[str], Ask]:
    def asking(token: str) -> Ask:
        caller = workspace.authorize(token)
        assert isinstance(caller, Caller)
        return as_caller(caller)

    return asking


@pytest.fixture
def operator(as_caller: Callable[[Caller], Ask]) -> Ask:
    return as_caller(OPERATOR)


@pytest.fixture
def bot(operator: Ask, with_token: Callable[[str], Ask]) -> Ask:
    """The seeded app's bot, a member of all channels."""
    return with_token(operator("emulator.apps.list")["apps"][0]["bot_token"])


@pytest.fixture
def bot_of(operator: Ask, with_token: Callable[[str], Ask]) -> Callable[..., Ask]:
    """A new app's bot with the given scopes, a member of #jobs."""

    def installing(*scopes: str) -> Ask:
        app = operator("emulator.apps.install", name="other", channels=["#jobs"], scopes=list(scopes))["app"]
        return with_token(app["bot_token"])

    return installing


@pytest.fixture
def stranger(operator: Ask, with_token: Callable[[str], Ask]) -> Ask:
    """A second app's bot, a member of #jobs only."""
    app = operator("emulator.apps.install", name="stranger", channels=["#jobs"])["app"]
    return with_token(app["bot_token"])


@pytest.fixture
def you(operator: Ask, with_token: Callable[[str], Ask]) -> Ask:
    return with_token(operator("emulator.users.list")["users"][0]["token"])


@pytest.fixture
def jobs(operator: Ask) -> str:
    """The id of #jobs."""
    return str(next(row["id"] for row in operator("emulator.channels.list")["channels"] if row["name"] == "jobs"))


@pytest.fixture
def post(bot: Ask, jobs: str) -> Callable[..., str]:
    """Post as the bot to #jobs; returns the ts."""

    def posting(text: str = "hello", **args: object) -> str:
        return str(bot("chat.postMessage", channel=jobs, text=text, **args)["ts"])

    return posting


@pytest.fixture
def row(bot: Ask, jobs: str) -> Callable[[str], dict[str, Any]]:
    """How history shows a message of #jobs."""

    def reading(ts: str) -> dict[str, Any]:
        args = {"oldest": ts, "latest": ts, "inclusive": True, "include_all_metadata": True}
        return dict(bot("conversations.history", channel=jobs, **args)["messages"][0])

    return reading
