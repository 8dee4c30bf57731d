"""An embedded Slack on a thread of its own, so that sync and async clients knock at the same doors."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from anyio.from_thread import start_blocking_portal

from slackmq.emulator.launch import running

if TYPE_CHECKING:
    from collections.abc import Iterator

    from slackmq.emulator.launch import About


@pytest.fixture
def emulator() -> Iterator[About]:
    with start_blocking_portal() as portal, portal.wrap_async_context_manager(running(limits=False)) as about:
        yield about


@pytest.fixture
def limited() -> Iterator[About]:
    with start_blocking_portal() as portal, portal.wrap_async_context_manager(running(limits=True)) as about:
        yield about


@pytest.fixture
def jobs(emulator: About) -> str:
    return next(channel.id for channel in emulator.channels if channel.name == "jobs")
