"""What every test stands on: asyncio as the loop, a home of its own, no door to the real Slack, no blocked loop."""

from __future__ import annotations

import inspect
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from blockbuster import BlockBuster
from hypothesis import settings

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

FOREIGN = ("SLACK_", "SLACKMQ_")  # a token from the developer's shell must never meet a test
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy")  # slack_sdk obeys them
HOMES = ("XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_RUNTIME_DIR", "XDG_STATE_HOME")

settings.register_profile("slackmq", deadline=None)  # no test judges how fast a machine is
settings.load_profile("slackmq")

REAL = ("acceptance", "clients", "contract", "integrations", "page", "unit/face", "unit/testing")
"""Rooms whose tests wait for processes, sockets, threads or a browser."""
PATIENCE = 300
"""Seconds after which a test there is ended. Who waits goes on as soon as it can: this only ends what hangs."""


def pytest_collection_modifyitems(items: Sequence[pytest.Item]) -> None:
    """Give tests of what is real minutes, unless they name a time: the machine may be slow, and busy with others."""
    rooms = tuple(Path(__file__).parent / room for room in REAL)
    for item in items:
        if item.get_closest_marker("timeout") is None and any(item.path.is_relative_to(room) for room in rooms):
            item.add_marker(pytest.mark.timeout(PATIENCE))


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """The library is written in anyio, its doors (aiohttp, slack_sdk) are asyncio's."""
    return "asyncio"


@pytest.fixture(scope="session", autouse=True)
def own_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A home, and an environment without proxies and tokens, for this process and all that it starts."""
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith(FOREIGN) or name in PROXIES]:
            patch.delenv(name)
        patch.setenv("HOME", str(home))
        for name in HOMES:
            patch.setenv(name, str(home / name.lower()))
            (home / name.lower()).mkdir(mode=0o700)
        yield


@pytest.fixture(autouse=True)
def no_blocked_loop(request: pytest.FixtureRequest) -> Iterator[None]:
    """In an async test our code must not block the loop: files, sleeps, locks and SQLite belong to threads."""
    if not inspect.iscoroutinefunction(_innermost(request)):
        yield
        return
    guard = BlockBuster(scanned_modules=["slackmq"])
    # The page's templates are small files of this package, read once and then kept.
    guard.functions["os.stat"].can_block_in("jinja2/loaders.py", {"get_source"})
    guard.functions["io.BufferedReader.read"].can_block_in("jinja2/loaders.py", {"get_source"})
    guard.functions["io.TextIOWrapper.read"].can_block_in("jinja2/loaders.py", {"get_source"})
    guard.activate()
    try:
        yield
    finally:
        guard.deactivate()


def _innermost(request: pytest.FixtureRequest) -> object:
    """The test function itself, also under hypothesis."""
    function = getattr(request, "function", None)
    hypothesis = getattr(function, "hypothesis", None)
    return getattr(hypothesis, "inner_test", function)
