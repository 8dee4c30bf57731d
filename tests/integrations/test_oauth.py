"""Bolt's installations and states in a store, held against what slack_sdk's own stores do."""

from __future__ import annotations

import re
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import anyio
import pytest
from slack_bolt import App, BoltRequest
from slack_bolt.oauth.oauth_settings import OAuthSettings
from slack_sdk.oauth.installation_store import FileInstallationStore, Installation

from slackmq.errors import ConfigurationError
from slackmq.integrations.oauth import (
    AsyncStoreInstallations,
    AsyncStoreStates,
    StoreInstallations,
    StoreStates,
)
from slackmq.kv.secret import Secret
from slackmq.kv.store import AsyncStore
from slackmq.policy import Timing
from slackmq.slack.connect import open_slack
from slackmq.sync import Store
from slackmq.testing.awaiting import async_workspace
from slackmq.testing.blocking import workspace

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Iterator
    from pathlib import Path

FAST = Timing(scan=timedelta(seconds=3), skew=timedelta(seconds=0.1))
SECRET = Secret("0123456789abcdef0123456789abcdef", encrypt=True)
HERE: dict[str, Any] = {"enterprise_id": None, "team_id": "T1"}


@pytest.fixture(autouse=True)
def no_blocked_loop() -> None:
    """Not watched here: closing the embedded workspace joins its idle journal thread inside the loop."""


@pytest.fixture
def store() -> Iterator[Store]:
    with (
        workspace(channels=("general", "state")) as slack,
        Store("#state", settings=slack.app.settings, timing=FAST, secret=SECRET) as store,
    ):
        yield store


@asynccontextmanager
async def opened() -> AsyncGenerator[AsyncStore]:
    async with (
        async_workspace(channels=("general", "state")) as slack,
        open_slack(slack.app.settings) as client,
        AsyncStore(client, "#state", timing=FAST, secret=SECRET) as store,
    ):
        yield store


def installation(user: str, token: str) -> Installation:
    return Installation(
        app_id="A1",
        team_id="T1",
        user_id=user,
        bot_token=token,
        bot_id="B1",
        bot_user_id="UB",
        bot_scopes=["chat:write"],
        custom_values={"plan": "free"},
    )


def seen(found: Any) -> Any:
    """What a finding holds, but for when it was installed."""
    return found and {name: value for name, value in found.to_dict().items() if name != "installed_at"}


def test_it_finds_what_the_files_of_bolt_find(store: Store, tmp_path: Path) -> None:
    ours, files = StoreInstallations(store), FileInstallationStore(base_dir=str(tmp_path))
    for kept in (ours, files):
        kept.save(installation("U1", "xoxb-1"))
        kept.save(installation("U2", "xoxb-2"))
    questions: list[dict[str, Any]] = [{}, *({"user_id": f"U{number}"} for number in (1, 2, 3))]
    for asked in [*questions, dict[str, Any](is_enterprise_install=True)]:
        assert seen(ours.find_installation(**HERE, **asked)) == seen(files.find_installation(**HERE, **asked))
    assert seen(ours.find_bot(**HERE)) == seen(files.find_bot(**HERE))
    assert seen(ours.find_installation(**HERE, user_id="U1"))["bot_token"] == "xoxb-2"
    for kept in (ours, files):
        kept.delete_installation(**HERE, user_id="U1")
    assert ours.find_installation(**HERE, user_id="U1") is files.find_installation(**HERE, user_id="U1") is None
    for kept in (ours, files):
        kept.delete_all(**HERE)
    assert ours.find_bot(**HERE) is files.find_bot(**HERE) is None
    assert ours.find_installation(**HERE, user_id="U2") is None
    assert not store.find("oauth/", fresh=True)


def test_a_state_is_good_once_and_not_for_ever(store: Store) -> None:
    states = StoreStates(store)
    state = states.issue()
    assert [states.consume(state), states.consume(state), states.consume("invented")] == [True, False, False]
    late = StoreStates(store, expires=timedelta(seconds=0.2)).issue()
    assert not states.consume(late)


def test_tokens_are_kept_in_no_store_that_others_can_read() -> None:
    with workspace(channels=("general", "state")) as slack:
        with Store("#state", settings=slack.app.settings, timing=FAST) as store:
            with pytest.raises(ConfigurationError, match="could read the tokens"):
                StoreInstallations(store)
            StoreInstallations(store, plain=True)
        secret = Store("#state", settings=slack.app.settings, timing=FAST, secret=Secret(SECRET.keys[0].decode()))
        with secret as store, pytest.raises(ConfigurationError, match="could read the tokens"):
            StoreInstallations(store)


def test_no_token_stands_in_the_channel() -> None:
    with (
        workspace(channels=("general", "state")) as slack,
        Store("#state", settings=slack.app.settings, timing=FAST, secret=SECRET) as store,
    ):
        StoreInstallations(store).save(installation("U1", "xoxb-secret"))
        assert not any("xoxb-secret" in str(row) for row in slack.messages("#state"))


def test_bolt_takes_them(store: Store) -> None:
    settings = OAuthSettings(
        client_id="1.2",
        client_secret="s",
        scopes=["chat:write"],
        installation_store=StoreInstallations(store),
        state_store=StoreStates(store),
    )
    app = App(signing_secret="s", oauth_settings=settings)
    assert app.oauth_flow is not None
    request = BoltRequest(body="")
    state = app.oauth_flow.issue_new_state(request)
    url = app.oauth_flow.build_authorize_url(state, request)
    assert re.search(rf"state={state}", url)
    assert settings.state_store.consume(state)


async def test_it_is_the_same_for_an_app_that_awaits() -> None:
    async with opened() as store:
        ours, states = AsyncStoreInstallations(store), AsyncStoreStates(store)
        await ours.async_save(installation("U1", "xoxb-1"))
        await ours.async_save(installation("U2", "xoxb-2"))
        found = await ours.async_find_installation(**HERE, user_id="U1")
        bot = await ours.async_find_bot(**HERE)
        assert found is not None
        assert bot is not None
        assert (found.user_id, found.bot_token, bot.bot_token) == ("U1", "xoxb-2", "xoxb-2")
        await ours.async_delete_all(**HERE)
        assert await ours.async_find_bot(**HERE) is None
        state, good = await states.async_issue(), list[bool]()

        async def consume() -> None:
            good.append(await states.async_consume(state))

        async with anyio.create_task_group() as tasks:
            for _ in range(3):
                tasks.start_soon(consume)
        assert sorted(good) == [False, False, True]
