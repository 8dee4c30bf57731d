"""A browser, an embedded Slack on a thread of its own, and its page."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from anyio.from_thread import start_blocking_portal
from playwright.sync_api import expect, sync_playwright
from slack_bolt import App
from slack_bolt.adapter.socket_mode import SocketModeHandler
from slack_sdk import WebClient
from tests.clients.manifests import Operator, manifest

from slackmq.emulator.launch import running

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from playwright.sync_api import Browser, Page

    from slackmq.emulator.launch import About

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        expect.set_options(timeout=60_000)  # a busy machine draws late
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def emulator() -> Iterator[About]:
    with start_blocking_portal() as portal, portal.wrap_async_context_manager(running(limits=False)) as about:
        yield about


@pytest.fixture
def homeops(emulator: About) -> str:
    return next(channel.id for channel in emulator.channels if channel.name == "homeops")


@pytest.fixture
def bot(emulator: About) -> WebClient:
    return WebClient(emulator.apps[0].bot_token, base_url=emulator.base_url)


@pytest.fixture
def page(browser: Browser, emulator: About, homeops: str) -> Iterator[Page]:
    """The page of #homeops. At the end nothing may have been complained about, by the policy or by a script."""
    complaints: list[str] = []
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    page = context.new_page()
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.set_default_timeout(60_000)
    with page.expect_response(re.compile("/stream")):
        page.goto(f"{emulator.page_url}c/{homeops}")
    page.evaluate("window.loaded = 'once'")
    yield page
    assert page.evaluate("window.loaded") == "once", "the page was loaded anew"
    context.close()
    assert complaints == []


@pytest.fixture
def pictures() -> Path:
    """Where screenshots go."""
    folder = Path("test-results")
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture
def operator(emulator: About) -> Operator:
    return Operator(emulator)


@pytest.fixture
def installed(operator: Operator) -> Mapping[str, Any]:
    """An app with a command, shortcuts and a home tab, in #homeops."""
    return operator.install(manifest(), "#homeops")


@pytest.fixture
def deployer(emulator: About, installed: Mapping[str, Any]) -> Iterator[Any]:
    """That app, written with Bolt, listening over Socket Mode; tests add what it does."""
    app = App(client=WebClient(installed["bot_token"], base_url=emulator.base_url))
    handler: Any = SocketModeHandler(
        app, installed["app_token"], ping_interval=1
    )  # it looks that often whether it is connected
    handler.connect()
    yield app
    handler.close()
