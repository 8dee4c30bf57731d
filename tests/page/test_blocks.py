"""The newer kinds of blocks: drawn as one reads them, used as one uses them, and files handed over in a modal."""

from __future__ import annotations

import queue
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import FilePayload, expect
from slack_sdk import WebClient
from tests.clients.manifests import manifest
from tests.page import kit
from tests.page.test_looks import inspect
from tests.page.test_places import DOT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from playwright.sync_api import Browser, Page
    from tests.clients.manifests import Operator

    from slackmq.emulator.launch import About

pytestmark = [
    pytest.mark.skipif(not Path("/usr/bin/chromium").exists(), reason="no browser: apt-get install chromium"),
]


@pytest.fixture
def heard(deployer: Any) -> queue.Queue[dict[str, Any]]:
    """What the app was told of buttons."""
    told: queue.Queue[dict[str, Any]] = queue.Queue()

    def listener(ack: Any, body: dict[str, Any]) -> None:
        ack()
        told.put(body["actions"][0])

    for action in ("one", "two", "three", "judged", "thrown"):
        deployer.action(action)(listener)
    return told


def test_markdown_is_drawn_and_nothing_else_comes_of_it(page: Page, bot: Any, homeops: str) -> None:
    bot.chat_postMessage(channel=homeops, text="x", blocks=[{"type": "markdown", "text": kit.REPORT}])
    shown = page.locator("#messages .marked")
    expect(shown.locator(".h1")).to_have_text("Report")
    expect(shown.locator(".line").first).to_have_text("A bold word, leaning, gone, a*b*, a link and no link.")
    assert [shown.locator(tag).count() for tag in ("i", "s", "code", "a", "li li")] == [1, 1, 1, 1, 1]
    expect(shown.locator("ol")).to_have_attribute("start", "3")
    expect(shown.locator("blockquote")).to_have_text("quoted")
    expect(shown.locator("pre")).to_have_text('def f(): return "<1>"')
    expect(shown.locator("td")).to_have_text(["hall", "3"])
    expect(shown.locator(".task")).to_contain_text("done")
    bot.chat_postMessage(channel=homeops, text="x", blocks=[{"type": "markdown", "text": kit.EVIL}])
    expect(shown.last).to_contain_text("onerror=")
    assert page.locator("#messages img").count() == 0


def test_a_table_has_a_head_and_columns_that_keep_to_their_side(page: Page, bot: Any, homeops: str) -> None:
    bot.chat_postMessage(channel=homeops, text="x", blocks=[kit.NEWER[1]])
    table = page.locator("#messages table")
    expect(table.locator("th")).to_have_text(["Room", "Lamps"])
    expect(table.locator("td")).to_have_text(["hall", "12"])
    expect(table.locator("td b")).to_have_text("hall")
    assert table.locator("td").last.evaluate("cell => getComputedStyle(cell).textAlign") == "right"


def test_dates_groups_and_colours_are_written_out(page: Page, bot: Any, homeops: str) -> None:
    date = {"type": "date", "timestamp": 86400 * 365, "format": "{date_num}", "fallback": "long ago"}
    group = {"type": "usergroup", "usergroup_id": "S1"}
    colour = {"type": "color", "value": "#ff8800"}
    text = "from <!date^31536000^{date_num}|then> by <!subteam^S1|@ops>, <!date^x^{date}|some day>"
    bot.chat_postMessage(channel=homeops, text="x", blocks=[kit.rich(date, group, colour)])
    bot.chat_postMessage(channel=homeops, text=text)
    rich, typed = (page.locator("#messages .message .text").nth(at) for at in (0, 1))
    expect(rich).to_contain_text("1971-01-01")
    expect(rich.locator(".mention")).to_have_text("@S1")
    expect(rich.locator(".sample rect")).to_have_attribute("fill", "#ff8800")
    expect(typed).to_have_text("from 1971-01-01 by @ops, some day")


def test_buttons_in_cards_and_feedback_reach_their_app(
    page: Page, deployer: Any, homeops: str, heard: queue.Queue[dict[str, Any]]
) -> None:
    deployer.client.chat_postMessage(channel=homeops, text="x", blocks=kit.NEWER)
    cards = page.locator("#messages .card")
    expect(cards).to_have_count(3)
    for at, action in enumerate(("one", "two", "three")):
        cards.nth(at).get_by_role("button", name="Take it").click()
        assert heard.get(timeout=60)["action_id"] == action
    page.get_by_role("button", name="Bad").click()
    told = heard.get(timeout=60)
    assert (told["type"], told["action_id"], told["value"]) == ("feedback_buttons", "judged", "down")
    assert told["text"]["text"] == "Bad"
    page.get_by_role("button", name="Throw away").click()
    told = heard.get(timeout=60)
    assert (told["type"], told["value"]) == ("icon_button", "it")


def test_plans_alerts_and_containers_are_drawn(page: Page, bot: Any, homeops: str) -> None:
    bot.chat_postMessage(channel=homeops, text="x", blocks=kit.NEWER)
    expect(page.locator("#messages .alert.warning")).to_have_text("The oven is on")
    expect(page.locator("#messages .task")).to_contain_text(["Pack complete", "Drive in progress"])
    expect(page.get_by_role("link", name="the map")).to_have_attribute("href", "https://example.org/map")
    inside = page.locator("#messages .container b", has_text="it")
    expect(inside).to_be_hidden()
    page.locator("#messages .container summary").click()
    expect(inside).to_be_visible()
    expect(page.locator("#messages .unknown")).to_have_count(0)


@pytest.fixture
def installed(operator: Operator) -> Mapping[str, Any]:
    """The deployer, which may read files."""
    given = manifest()
    given["oauth_config"]["scopes"]["bot"].append("files:read")
    return operator.install(given, "#homeops")


def test_files_in_a_modal_are_handed_to_its_app_alone(
    page: Page, emulator: About, deployer: Any, installed: Mapping[str, Any]
) -> None:
    handed: queue.Queue[dict[str, Any]] = queue.Queue()

    @deployer.command("/deploy")  # type: ignore[untyped-decorator]  # Bolt has no type for it
    def deploy(ack: Any, body: dict[str, Any]) -> None:  # pyright: ignore[reportUnusedFunction]  # Bolt keeps it
        ack()
        deployer.client.views_open(trigger_id=body["trigger_id"], view=kit.FILES)

    @deployer.view("files")  # type: ignore[untyped-decorator]  # as above
    def files(ack: Any, view: dict[str, Any]) -> None:  # pyright: ignore[reportUnusedFunction]  # as above
        ack()
        handed.put(view["state"]["values"]["pictures"]["v"])

    page.fill("#composer-text", "/deploy")
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="Send pictures")
    pictures = dialog.get_by_label("Pictures")
    expect(pictures).to_have_attribute("accept", ".png")
    dialog.get_by_role("button", name="Send").click()
    expect(dialog.get_by_role("alert").filter(has_text="required")).to_have_count(2)
    dots = [FilePayload(name=f"dot{n}.png", mimeType="image/png", buffer=DOT) for n in range(3)]
    pictures.set_input_files(dots)
    dialog.get_by_role("textbox", name="Name").fill("dining")
    dialog.get_by_role("button", name="Send").click()
    expect(page.locator("#notice")).to_have_text("These are more files than the app takes.")
    pictures.set_input_files(dots[:2])
    dialog.get_by_role("button", name="Send").click()
    expect(page.locator("dialog")).to_have_count(0)
    told = handed.get(timeout=60)
    assert [file["name"] for file in told["files"]] == ["dot0.png", "dot1.png"]
    ident = told["files"][0]["id"]
    app: Any = WebClient(installed["bot_token"], base_url=emulator.base_url)
    other: Any = WebClient(emulator.users[1].token, base_url=emulator.base_url)
    assert app.files_info(file=ident)["file"]["size"] == len(DOT)
    assert other.files_list()["files"] == []


@pytest.mark.parametrize("size", [(1440, "light"), (1440, "dark"), (390, "light"), (390, "dark")], ids=str)
def test_newer_blocks_look_well(browser: Browser, emulator: About, homeops: str, pictures: Path, size: Any) -> None:
    width, scheme = size
    bot: Any = WebClient(emulator.apps[0].bot_token, base_url=emulator.base_url)
    bot.chat_postMessage(channel=homeops, text="x", blocks=kit.NEWER)
    page = browser.new_page(viewport={"width": width, "height": 1500}, color_scheme=scheme)
    page.goto(f"{emulator.page_url}c/{homeops}")
    expect(page.locator("#messages .container")).to_be_visible()
    inspect(page, pictures, f"blocks-{width}-{scheme}")
    page.close()
