"""The workspace's page reads a store by itself, also one that has moved, and shows what it holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import anyio
import pytest
from tests.contract.opened import opened

from slackmq.emulator.model import Caller
from slackmq.emulator.page.stores import Stores
from slackmq.emulator.page.view import Directory
from slackmq.testing.awaiting import async_workspace

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Mapping

    from slackmq.testing.awaiting import AsyncWorkspace

NOTICE = 121
"""Seconds after which a store has moved."""


@pytest.fixture
async def workspace() -> AsyncGenerator[AsyncWorkspace]:
    async with async_workspace(channels=("general", "state", "state-2"), apps=("one",)) as there:
        yield there


async def test_a_store_that_moved_is_shown_whole_beside_its_new_channel(workspace: AsyncWorkspace) -> None:
    server = workspace._server
    stores = Stores(server)

    def ask(method: str, args: Mapping[str, object]) -> Mapping[str, Any]:
        caller = server.workspace.authorize(workspace.apps[0].bot_token)
        assert isinstance(caller, Caller)
        return server.workspace.apply(server.now(), caller, method, args).reply

    def shown(channel: str) -> dict[str, str]:
        table = stores.table(ask, channel, Directory(people={}, channels={}, me=""))
        return {line.key: line.value for line in table.lines} if table else {}

    async with opened(workspace) as store:
        former = store.status().channel
        await store.put("lamp", {"on": True})
        await store.put("blob", b"\x00\xff")
        whole = {"lamp": '{"on": true}', "blob": "2 bytes"}
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(store.roll, "#state-2")
            while not (await store.head("lamp", fresh=True) and store._inside.follower.state.closes):
                pass
            assert shown(former) == whole
            workspace.advance(NOTICE)
        await store.put("late", 1)
        await store.delete("blob")
        assert store.status().channel != former
        assert shown(store.status().channel) == {"lamp": '{"on": true}', "late": "1"}
