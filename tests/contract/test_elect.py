"""Leadership: one process leads, another one takes over, and the tokens rise."""

from __future__ import annotations

from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

import anyio
import pytest

from slackmq.kv.batch import Batch
from slackmq.kv.errors import LockLost, RevisionMismatch
from slackmq.kv.store import AsyncStore
from slackmq.policy import Timing
from slackmq.slack.connect import open_events, open_slack
from slackmq.sync import Store
from slackmq.testing.awaiting import async_workspace
from slackmq.testing.blocking import workspace

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from slackmq.testing.awaiting import AsyncWorkspace

FAST = Timing(scan=timedelta(seconds=3), quiet=timedelta(seconds=6), skew=timedelta(seconds=0.1))
SHORT = timedelta(seconds=2)


@pytest.fixture
async def there() -> AsyncGenerator[AsyncWorkspace]:
    async with async_workspace(channels=("general", "state"), apps=("one", "two")) as there:
        yield there


@asynccontextmanager
async def opened(workspace: AsyncWorkspace, app: int = 0) -> AsyncGenerator[AsyncStore]:
    settings = workspace.apps[app].settings
    async with (
        open_slack(settings) as slack,
        AsyncStore(slack, "#state", events=open_events(settings), timing=FAST, name=f"process-{app}") as store,
    ):
        yield store


async def test_one_leads_at_a_time_and_everybody_knows_who(there: AsyncWorkspace) -> None:
    tokens: list[int] = []
    async with opened(there) as one, opened(there, 1) as two, anyio.create_task_group() as tasks:
        elected = anyio.Event()

        async def wait() -> None:
            async with two.elect("reports", ttl=SHORT) as term:
                tokens.append(term.token)
                elected.set()

        async with one.elect("reports", ttl=SHORT) as term:
            tokens.append(term.token)
            tasks.start_soon(wait)
            leader = await two.elect("reports").leader(fresh=True)
            assert leader is not None
            assert (leader.name, leader.author) == ("process-0", there.apps[0].bot_user)
            assert (leader.token, leader.until > leader.since) == (term.token, True)
            assert not elected.is_set()
            assert term.remaining() > timedelta(0)
        await elected.wait()
    assert tokens == sorted(set(tokens))
    assert len(tokens) == 2


async def test_a_leader_that_lost_its_lead_is_stopped_and_may_be_elected_again(there: AsyncWorkspace) -> None:
    tokens: list[int] = []
    async with opened(there) as one, opened(there, 1) as two:
        async for term in one.elect("reports", ttl=SHORT):
            async with term:
                tokens.append(term.token)
                if len(tokens) == 2:
                    break
                await two.delete(term.key)  # as if it had run out
                await anyio.sleep_forever()
            assert term.lost is not None
        assert tokens[0] < tokens[1]
        with pytest.raises(RevisionMismatch):
            await one.commit(Batch().put("report", "late").held("lock/leader/reports", token=tokens[0]))
        assert await two.elect("reports").leader(fresh=True) is None


async def test_who_leads_once_is_told_by_an_error_that_it_was_lost(there: AsyncWorkspace) -> None:
    async with opened(there) as one, opened(there, 1) as two:

        async def lead_and_lose() -> None:
            async with one.elect("reports", ttl=SHORT) as term:
                await two.delete(term.key)
                await anyio.sleep_forever()

        with pytest.raises(LockLost):
            await lead_and_lose()
        with pytest.raises(ZeroDivisionError):
            async with one.elect("reports", ttl=SHORT):
                raise ZeroDivisionError
        with anyio.move_on_after(0.5) as scope:
            async for term in one.elect("reports", ttl=SHORT):
                async with term:
                    await anyio.sleep_forever()
        assert scope.cancelled_caught


def test_it_is_the_same_without_await() -> None:
    tokens: list[int] = []
    with workspace(channels=("general", "state"), apps=("one", "two")) as there:
        one = Store("#state", settings=there.apps[0].settings, timing=FAST, name="process-0")
        two = Store("#state", settings=there.apps[1].settings, timing=FAST)
        with one, two:
            for term in one.elect("reports", ttl=SHORT):
                assert (term.token, term.key) == (0, "")
                with term:
                    tokens.append(term.token)
                    leader = two.leader("reports", fresh=True)
                    assert leader is not None
                    assert (leader.name, leader.token) == ("process-0", term.token)
                    assert term.remaining() > timedelta(0)
                    if len(tokens) == 2:
                        break
                    two.delete(term.key)
                    while term.token:
                        two.find(fresh=True)
                assert term.lost is not None
            assert two.leader("reports", fresh=True) is None
            with pytest.raises(ZeroDivisionError), one.elect("reports", ttl=SHORT):
                raise ZeroDivisionError
    assert tokens == sorted(set(tokens))
