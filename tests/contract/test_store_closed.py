"""Whoever waits for a store that is closed meanwhile is told so, and waits no longer."""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING

import anyio
import pytest
from tests.contract.opened import opened

from slackmq.errors import Ambiguous, ConfigurationError, SlackMQError

if TYPE_CHECKING:
    from slackmq.kv.store import AsyncStore
    from slackmq.testing.awaiting import AsyncWorkspace


async def _watch(store: AsyncStore) -> None:
    async with aclosing(store.watch("nothing/")) as changes:
        async for _ in changes:
            raise AssertionError


async def _lock(store: AsyncStore) -> None:
    async with store.lock("door"):
        raise AssertionError


async def _create(store: AsyncStore) -> None:
    await store.create("made", 1)


async def _put(store: AsyncStore) -> None:
    for number in range(1_000_000):
        await store.put("k", number)


async def _fresh(store: AsyncStore) -> None:
    while True:
        await store.get("lock/door", fresh=True)


@pytest.mark.parametrize("wait", [_watch, _lock, _create, _put, _fresh])
async def test_who_waits_for_a_store_that_is_closed_is_told(workspace: AsyncWorkspace, wait: object) -> None:
    told: list[SlackMQError] = []

    async def asks(store: AsyncStore) -> None:
        try:
            await wait(store)  # type: ignore[operator]
        except SlackMQError as error:
            told.append(error)

    async with opened(workspace, 1) as other, other.lock("door"):
        with anyio.fail_after(60):
            async with anyio.create_task_group() as tasks, opened(workspace) as store:
                await store.get("lock/door", fresh=True)
                tasks.start_soon(asks, store)
                tasks.start_soon(asks, store)
                await anyio.wait_all_tasks_blocked()
    assert len(told) == 2
    assert all(isinstance(error, ConfigurationError | Ambiguous) for error in told)
