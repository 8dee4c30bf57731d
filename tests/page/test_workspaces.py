"""A further workspace has a page of its own, at a name that the browser takes for this machine."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from anyio.from_thread import start_blocking_portal
from playwright.sync_api import expect

from slackmq.emulator.launch import running

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Browser, ConsoleMessage

CHROMIUM = Path("/usr/bin/chromium")

pytestmark = [
    pytest.mark.skipif(not CHROMIUM.exists(), reason="no browser: apt-get install chromium"),
]


def test_people_of_two_workspaces_write_each_on_their_own_page(browser: Browser, pictures: Path) -> None:
    served = running(limits=False, workspaces=["Acme"])
    with start_blocking_portal() as portal, portal.wrap_async_context_manager(served) as local:
        [acme] = local.beside
        context = browser.new_context(viewport={"width": 1280, "height": 800})
        for there, text in ((local, "of ours"), (acme, "of theirs")):
            page = context.new_page()
            page.set_default_timeout(60_000)
            complaints: list[str] = []
            page.on("console", _into(complaints))
            channel = next(channel.id for channel in there.channels if channel.name == "homeops")
            with page.expect_response(re.compile("/stream")):
                page.goto(f"{there.page_url}c/{channel}")
            page.fill("#composer-text", text)
            page.keyboard.press("Enter")
            expect(page.locator("#messages .text")).to_have_text([text])
            page.screenshot(path=pictures / f"workspace-{there.team.lower()}.png")
            assert there.team in page.title() + page.inner_text("body")
            assert complaints == []
            page.close()
        context.close()


def _into(complaints: list[str]) -> Callable[[ConsoleMessage], None]:
    return lambda message: complaints.append(message.text)
