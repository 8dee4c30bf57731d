"""Clearing: lets all keys of a store be gone, in as few posts as possible."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio

from slackmq.errors import SlackMQError

if TYPE_CHECKING:
    from slackmq.kv.store import AsyncStore

__all__ = ["clear"]


async def clear(store: AsyncStore) -> None:
    """Let all keys be gone that were there before it was called, those of locks too; it takes the skew and few posts.

    Raises:
        SlackMQError: what went wrong first; some keys may be there still.
    """
    failures: list[SlackMQError] = []

    async def delete(key: str) -> None:
        try:
            await store.delete(key)
        except SlackMQError as error:
            failures.append(error)

    async with anyio.create_task_group() as tasks:
        for key in await store.keys(fresh=True):
            tasks.start_soon(delete, key)
    if failures:
        raise failures[0]
