"""Many keys at once: each on its own, so that one that fails spoils no other, and in as few posts as possible."""

from __future__ import annotations

from typing import TYPE_CHECKING

import anyio

from slackmq.errors import SlackMQError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Mapping

    from slackmq.kv.store import AsyncStore

__all__ = ["clear", "fill"]


async def clear(store: AsyncStore) -> None:
    """Let all keys be gone that were there before it was called, those of locks too; it takes the skew and few posts.

    Raises:
        SlackMQError: what went wrong first; some keys may be there still.
    """
    keys = await store.keys(fresh=True)
    await _together(store.delete, [(key,) for key in keys])


async def fill(store: AsyncStore, values: Mapping[str, object]) -> None:
    """Put all of these; who reads meanwhile may see some of them before the others.

    Raises:
        SlackMQError: what went wrong first; some may not be there.
    """
    await _together(store.put, values.items())


async def _together(write: Callable[..., Awaitable[object]], calls: Iterable[tuple[object, ...]]) -> None:
    """Writes of one moment share their posts."""
    failures: list[SlackMQError] = []

    async def one(*args: object) -> None:
        try:
            await write(*args)
        except SlackMQError as error:
            failures.append(error)

    async with anyio.create_task_group() as tasks:
        for args in calls:
            tasks.start_soon(one, *args)
    if failures:
        raise failures[0]
