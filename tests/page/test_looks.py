"""How the page looks in each of its states, in light and dark, wide and narrow; and that axe finds no serious fault."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pytest
from playwright.sync_api import expect
from slack_sdk import WebClient
from tests.page import kit

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from playwright.sync_api import Browser, Page

    from slackmq.emulator.launch import About

AXE = (Path(__file__).parents[1] / "data" / "axe-core-4.14.1.min.js").read_text(encoding="utf-8")
"""axe-core, copied from npm (Mozilla Public License 2.0): for tests only."""
SERIOUS = {"serious", "critical"}

Scheme = Literal["light", "dark"]
SCHEMES: list[Scheme] = ["light", "dark"]

pytestmark = [
    pytest.mark.skipif(not Path("/usr/bin/chromium").exists(), reason="no browser: apt-get install chromium"),
]


@pytest.fixture(params=[(1280, 800, "light"), (1280, 800, "dark"), (390, 844, "light"), (390, 844, "dark")], ids=str)
def window(request: pytest.FixtureRequest, browser: Browser) -> Iterator[tuple[Page, str]]:
    """A window of some size and scheme, and its name."""
    width, height, scheme = request.param
    page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme)
    page.set_default_timeout(60_000)
    yield page, f"{width}-{scheme}"
    page.close()


@pytest.fixture
def furnished(emulator: About, installed: Mapping[str, Any], deployer: Any, homeops: str) -> str:
    """A workspace in which something goes on; returns the ts of a message with a thread."""
    you: Any = WebClient(emulator.users[0].token, base_url=emulator.base_url)
    other: Any = WebClient(emulator.users[1].token, base_url=emulator.base_url)
    bot: Any = WebClient(emulator.apps[0].bot_token, base_url=emulator.base_url)
    worker: Any = WebClient(emulator.apps[0].bot_token, base_url=emulator.base_url)
    worker.headers["User-Agent"] = "slackmq-worker/worker-1"
    ts: str = you.chat_postMessage(channel=homeops, text="toggle dining light")["ts"]
    worker.reactions_add(channel=homeops, timestamp=ts, name="clock1")
    worker.reactions_add(channel=homeops, timestamp=ts, name="white_check_mark")
    bot.chat_postMessage(channel=homeops, thread_ts=ts, text="*dining* light toggled")
    other.chat_postMessage(channel=homeops, thread_ts=ts, text="thanks :tada:")
    held: str = other.chat_postMessage(channel=homeops, text=f"<@{emulator.apps[0].bot_user_id}> water the fern")["ts"]
    worker.reactions_add(channel=homeops, timestamp=held, name="clock1")
    bot.pins_add(channel=homeops, timestamp=ts)
    other.chat_postMessage(channel=emulator.channels[2].id, text="unread here")
    deployer.client.chat_postMessage(channel=homeops, text="x", blocks=kit.DEPLOY)
    deployer.client.views_publish(user_id=emulator.users[0].id, view=kit.HOME)

    @deployer.command("/deploy")  # type: ignore[untyped-decorator]  # Bolt has no type for it
    def deploy(ack: Any, body: dict[str, Any]) -> None:  # pyright: ignore[reportUnusedFunction]  # Bolt keeps it
        ack("You alone see this answer.")
        deployer.client.views_open(trigger_id=body["trigger_id"], view=kit.MODAL)

    assert installed
    return ts


def inspect(page: Page, pictures: Path, name: str) -> None:
    """Take a picture, and let axe look."""
    width = page.evaluate("innerWidth")
    assert page.evaluate("document.documentElement.scrollWidth") == width, "it can be scrolled sideways"
    page.screenshot(path=pictures / f"{name}.png")
    page.evaluate(AXE)
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    faults = {
        violation["id"]: [(node["html"][:160], node["failureSummary"]) for node in violation["nodes"][:3]]
        for violation in found["violations"]
        if violation["impact"] in SERIOUS
    }
    assert faults == {}, faults


def test_a_channel(window: tuple[Page, str], emulator: About, furnished: str, homeops: str, pictures: Path) -> None:
    page, name = window
    with page.expect_response(re.compile("/stream")):
        page.goto(f"{emulator.page_url}c/{homeops}")
    expect(page.locator("#strip .worker")).to_have_count(2)
    inspect(page, pictures, f"channel-{name}")
    page.locator(f"#messages [id='m-{furnished.replace('.', '-')}-replies']").click()
    expect(page.locator("#replies .text")).to_have_count(3)
    inspect(page, pictures, f"thread-{name}")


@pytest.mark.usefixtures("furnished")
def test_a_modal(window: tuple[Page, str], emulator: About, homeops: str, pictures: Path) -> None:
    page, name = window
    with page.expect_response(re.compile("/stream")):
        page.goto(f"{emulator.page_url}c/{homeops}")
    page.fill("#composer-text", "/deploy now")
    page.keyboard.press("Enter")
    page.get_by_role("dialog").get_by_role("button", name="Make").click()
    expect(page.get_by_role("dialog").get_by_role("alert").filter(has_text="required")).to_be_visible()
    inspect(page, pictures, f"modal-{name}")
    page.keyboard.press("Escape")
    expect(page.locator("dialog")).to_have_count(0)
    expect(page.locator(".whisper")).to_be_visible()


@pytest.mark.usefixtures("furnished")
def test_a_home_tab(window: tuple[Page, str], emulator: About, installed: Mapping[str, Any], pictures: Path) -> None:
    page, name = window
    with page.expect_response(re.compile("/stream")):
        page.goto(f"{emulator.page_url}a/{installed['id']}")
    expect(page.locator("#tab .header")).to_be_visible()
    inspect(page, pictures, f"home-{name}")


@pytest.mark.usefixtures("furnished")
def test_search_pins_and_picker(window: tuple[Page, str], emulator: About, homeops: str, pictures: Path) -> None:
    page, name = window
    with page.expect_response(re.compile("/stream")):
        page.goto(f"{emulator.page_url}c/{homeops}")
    page.locator("#messages .picker summary").first.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_label("Name of an emoji")).to_be_visible()
    inspect(page, pictures, f"picker-{name}")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Pins").click()
    expect(page.locator("#pinned .text")).to_have_count(1)
    inspect(page, pictures, f"pins-{name}")
    page.keyboard.press("Escape")
    page.get_by_label("Search messages").fill("light")
    page.keyboard.press("Enter")
    expect(page.locator(".hit")).to_have_count(2)
    inspect(page, pictures, f"search-{name}")
