"""Apps in the page: buttons, menus, modals, home tabs and commands, from a real browser to a real Bolt app and back."""

from __future__ import annotations

import queue
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect
from tests.page import kit

if TYPE_CHECKING:
    from collections.abc import Mapping

    from playwright.sync_api import Page

    from slackmq.emulator.launch import About

pytestmark = [
    pytest.mark.skipif(not Path("/usr/bin/chromium").exists(), reason="no browser: apt-get install chromium"),
]


@pytest.fixture
def heard() -> queue.Queue[dict[str, Any]]:
    """What the app was told."""
    return queue.Queue()


def hear(heard: queue.Queue[dict[str, Any]]) -> Any:
    """A listener that acknowledges and passes the body on."""

    def listener(ack: Any, body: dict[str, Any]) -> None:
        ack()
        heard.put(body)

    return listener


def test_block_kit_is_drawn(page: Page, deployer: Any, homeops: str) -> None:
    deployer.client.chat_postMessage(channel=homeops, text="fallback", blocks=kit.DEPLOY)
    message = page.locator("#messages .message")
    expect(message.locator(".header")).to_have_text("Deploy lamp-service 🚀")
    expect(message.locator(".section b").first).to_have_text("Build 214")
    expect(message.locator(".section code")).to_have_text("312")
    expect(message.locator("hr")).to_be_visible()
    expect(message.locator(".fields > div")).to_have_count(2)
    expect(message.locator(".context i")).to_have_text("the nightly build")
    expect(message.get_by_role("button", name="Deploy")).to_be_visible()
    expect(message).not_to_contain_text("fallback")


def test_rich_text_is_drawn(page: Page, deployer: Any, homeops: str) -> None:
    leaf = {"type": "text", "text": "all of it", "style": {"bold": True}}
    section = {"type": "rich_text_section", "elements": [leaf, {"type": "emoji", "name": "tada"}]}
    rows = {"type": "rich_text_list", "style": "ordered", "elements": [section, section]}
    quote = {"type": "rich_text_quote", "elements": [{"type": "link", "url": "https://example.org", "text": "here"}]}
    block = {"type": "rich_text", "elements": [section, rows, quote]}
    deployer.client.chat_postMessage(channel=homeops, text="x", blocks=[block])
    shown = page.locator("#messages .block")
    expect(shown.locator("b")).to_have_text(["all of it"] * 3)
    expect(shown.locator("ol li")).to_have_count(2)
    expect(shown.locator("blockquote a")).to_have_attribute("href", "https://example.org")


@pytest.mark.parametrize(
    "block",
    [
        {"type": "section", "text": {"type": "mrkdwn", "text": kit.EVIL}, "accessory": kit.button("a", kit.EVIL)},
        {"type": "header", "text": kit.plain(kit.EVIL)},
        {"type": "actions", "elements": [kit.menu(kit.EVIL, kit.EVIL), kit.button(kit.EVIL, kit.EVIL)]},
        {"type": "context", "elements": [{"type": "image", "image_url": "javascript:alert(1)", "alt_text": kit.EVIL}]},
        {"type": "image", "image_url": "data:text/html,<b>", "alt_text": kit.EVIL},
        {
            "type": "rich_text",
            "elements": [{"type": "rich_text_section", "elements": [{"type": "text", "text": kit.EVIL}]}],
        },
        {"type": kit.EVIL},
        kit.field(kit.EVIL, kit.EVIL, {"type": "plain_text_input", "action_id": kit.EVIL, "initial_value": kit.EVIL}),
    ],
    ids=lambda block: str(block["type"])[:12],
)
def test_strange_blocks_stay_text(page: Page, deployer: Any, homeops: str, block: Mapping[str, Any]) -> None:
    deployer.client.chat_postMessage(channel=homeops, text="x", blocks=[{"block_id": kit.EVIL, **block}])
    expect(page.locator("#messages .blocks")).to_contain_text("onerror=" if block["type"] != "input" else "{{ 7*7 }}")
    assert "taken" not in page.title()
    assert page.locator("#messages img").count() == 0
    assert page.locator("#messages a[href^=javascript]").count() == 0


def test_blocks_of_any_shape_are_drawn_or_left_out(page: Page, deployer: Any, homeops: str) -> None:
    strange: list[dict[str, Any]] = [
        {"type": "section", "text": 7, "fields": "x", "accessory": []},
        {"type": "actions", "elements": [{"type": "static_select", "options": {"a": 1}}, {}]},
        {"type": "rich_text", "elements": [3, {"type": "rich_text_list", "indent": "x", "elements": [None]}]},
        {"type": "context", "elements": None},
    ]
    attachments = [{"fields": [1], "blocks": 3, "title": 5}]
    deployer.client.chat_postMessage(channel=homeops, text="x", blocks=strange, attachments=attachments)
    deployer.client.chat_postMessage(channel=homeops, text="afterwards")
    expect(page.locator("#messages .text").last).to_have_text("afterwards")


def test_a_button_reaches_its_app_and_the_message_is_replaced(
    page: Page, deployer: Any, homeops: str, heard: queue.Queue[dict[str, Any]]
) -> None:
    @deployer.action("go")  # type: ignore[untyped-decorator]  # Bolt has no type for it
    def go(ack: Any, body: dict[str, Any], respond: Any) -> None:  # pyright: ignore[reportUnusedFunction]  # Bolt keeps it
        ack()
        heard.put(body)
        respond(text="deployed", replace_original=True)

    deployer.client.chat_postMessage(channel=homeops, text="x", blocks=kit.DEPLOY)
    page.get_by_role("button", name="Deploy", exact=True).click()
    expect(page.locator("#messages .text", has_text="deployed")).to_be_visible()
    (action,) = heard.get(timeout=60)["actions"]
    assert (action["action_id"], action["block_id"], action["value"]) == ("go", "row", "go")


def test_a_menu_tells_its_app_what_was_chosen(
    page: Page, deployer: Any, homeops: str, heard: queue.Queue[dict[str, Any]]
) -> None:
    for action in ("where", "more"):
        deployer.action(action)(hear(heard))
    deployer.client.chat_postMessage(channel=homeops, text="x", blocks=kit.DEPLOY)
    page.locator("#messages select").select_option("production")
    assert heard.get(timeout=60)["actions"][0]["selected_option"]["value"] == "production"
    page.locator("#messages .overflow summary").click()
    page.get_by_role("button", name="Show the log").click()
    assert heard.get(timeout=60)["actions"][0]["selected_option"]["value"] == "log"


def test_nobody_connected_is_said_in_a_sentence(page: Page, bot: Any, homeops: str) -> None:
    bot.chat_postMessage(channel=homeops, text="x", blocks=kit.DEPLOY)
    page.get_by_role("button", name="Deploy", exact=True).click()
    expect(page.locator("#notice")).to_contain_text("No process of the app is connected")


def test_a_command_opens_a_modal_that_is_filled_in_and_submitted(
    page: Page, deployer: Any, heard: queue.Queue[dict[str, Any]]
) -> None:
    @deployer.command("/deploy")  # type: ignore[untyped-decorator]  # as above
    def deploy(ack: Any, body: dict[str, Any]) -> None:  # pyright: ignore[reportUnusedFunction]  # as above
        ack()
        deployer.client.views_open(trigger_id=body["trigger_id"], view=kit.MODAL)

    deployer.view("made")(hear(heard))
    page.reload()
    page.evaluate("window.loaded = 'once'")
    page.locator("#composer-text").press_sequentially("/de")
    expect(page.locator(".commands li:visible")).to_contain_text("Deploy something")
    page.keyboard.press("Tab")
    expect(page.locator("#composer-text")).to_have_value("/deploy ")
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="New lamp")
    expect(dialog).to_be_visible()
    expect(page.locator("#composer-text")).to_have_value("")
    dialog.get_by_role("button", name="Make").click()
    expect(dialog.get_by_role("alert").filter(has_text="required")).to_be_visible()
    dialog.get_by_role("textbox", name="Name").fill("dining")
    dialog.get_by_role("combobox", name="Room").select_option("garden")
    dialog.get_by_role("checkbox", name="Sunday").check()
    dialog.get_by_role("radio", name="cold").check()
    dialog.get_by_role("button", name="Make").click()
    expect(page.locator("dialog")).to_have_count(0)
    values = heard.get(timeout=60)["view"]["state"]["values"]
    assert values["name"]["v"]["value"] == "dining"
    assert values["room"]["v"]["selected_option"]["value"] == "garden"
    assert [row["value"] for row in values["days"]["v"]["selected_options"]] == ["Sunday"]
    assert values["tone"]["v"]["selected_option"]["value"] == "cold"
    assert values["on"]["v"]["selected_date"] == "2026-11-24"


def test_a_modal_shows_the_complaints_of_its_app_and_keeps_what_was_typed(page: Page, deployer: Any) -> None:
    @deployer.shortcut("new")  # type: ignore[untyped-decorator]  # as above
    def new(ack: Any, body: dict[str, Any]) -> None:  # pyright: ignore[reportUnusedFunction]  # as above
        ack()
        deployer.client.views_open(trigger_id=body["trigger_id"], view=kit.MODAL)

    @deployer.view("made")  # type: ignore[untyped-decorator]  # as above
    def made(ack: Any) -> None:  # pyright: ignore[reportUnusedFunction]  # as above
        ack(response_action="errors", errors={"name": f"Taken {kit.EVIL}"})

    page.reload()
    page.evaluate("window.loaded = 'once'")
    page.locator(".composer summary").click()
    page.get_by_role("button", name="New", exact=True).click()
    name = page.get_by_role("textbox", name="Name")
    name.fill("dining")
    page.get_by_role("button", name="Make").click()
    expect(page.get_by_role("dialog").get_by_role("alert").filter(has_text="Taken")).to_contain_text(kit.EVIL)
    expect(name).to_have_value("dining")
    page.keyboard.press("Escape")
    expect(page.locator("dialog")).to_have_count(0)


def test_a_modal_that_its_app_updates_keeps_what_was_typed(page: Page, deployer: Any) -> None:
    opened: queue.Queue[str] = queue.Queue()

    @deployer.command("/deploy")  # type: ignore[untyped-decorator]  # as above
    def deploy(ack: Any, body: dict[str, Any]) -> None:  # pyright: ignore[reportUnusedFunction]  # as above
        ack()
        opened.put(deployer.client.views_open(trigger_id=body["trigger_id"], view=kit.MODAL)["view"]["id"])

    page.fill("#composer-text", "/deploy")
    page.keyboard.press("Enter")
    page.get_by_role("textbox", name="Name").fill("half typed")
    deployer.client.views_update(view_id=opened.get(timeout=60), view={**kit.MODAL, "title": kit.plain("Newer lamp")})
    expect(page.get_by_role("dialog", name="Newer lamp")).to_be_visible()
    expect(page.get_by_role("textbox", name="Name")).to_have_value("half typed")


def test_an_answer_for_one_person_is_seen_by_that_person_alone(page: Page, emulator: About, deployer: Any) -> None:
    @deployer.command("/deploy")  # type: ignore[untyped-decorator]  # as above
    def deploy(ack: Any) -> None:  # pyright: ignore[reportUnusedFunction]  # as above
        ack("only for you")

    page.fill("#composer-text", "/deploy now")
    page.keyboard.press("Enter")
    whisper = page.locator("#messages .whisper")
    expect(whisper).to_contain_text("Only visible to you")
    expect(whisper.locator(".text")).to_have_text("only for you")
    with page.expect_navigation():
        page.select_option("#person", emulator.users[1].id)
    expect(page.locator("#messages .start")).to_be_visible()
    expect(page.locator("#messages .whisper")).to_have_count(0)
    page.evaluate("window.loaded = 'once'")


def test_an_unknown_command_is_refused_and_stays_typed(page: Page) -> None:
    page.fill("#composer-text", "/nonsense at all")
    page.keyboard.press("Enter")
    expect(page.locator("#notice")).to_contain_text("No app has the command /nonsense.")
    expect(page.locator("#composer-text")).to_have_value("/nonsense at all")


def test_a_home_tab_is_published_when_it_is_opened_and_its_buttons_work(
    page: Page, deployer: Any, installed: Mapping[str, Any]
) -> None:
    @deployer.event("app_home_opened")  # type: ignore[untyped-decorator]  # as above
    def opened(event: dict[str, Any]) -> None:  # pyright: ignore[reportUnusedFunction]  # as above
        deployer.client.views_publish(user_id=event["user"], view=kit.HOME)

    @deployer.action("toggle")  # type: ignore[untyped-decorator]  # as above
    def toggle(ack: Any, body: dict[str, Any]) -> None:  # pyright: ignore[reportUnusedFunction]  # as above
        ack()
        text = {"type": "mrkdwn", "text": "*Dining* is off"}
        blocks = [{"type": "section", "text": text}]
        deployer.client.views_publish(user_id=body["user"]["id"], view={"type": "home", "blocks": blocks})

    page.reload()
    page.locator(f"#nav-{installed['id']}").click()
    expect(page.locator("#tab .header")).to_have_text("Lamps at home")
    page.get_by_role("button", name="Toggle").click()
    expect(page.locator("#tab")).to_contain_text("Dining is off")
    page.evaluate("window.loaded = 'once'")


def test_a_message_shortcut_reaches_its_app(
    page: Page, deployer: Any, homeops: str, heard: queue.Queue[dict[str, Any]]
) -> None:
    deployer.shortcut("copy")(hear(heard))
    deployer.client.chat_postMessage(channel=homeops, text="copy me")
    page.locator("#messages .message").hover()
    page.locator("#messages summary[aria-label='Shortcuts of apps']").click()
    page.get_by_role("button", name="Copy").click()
    assert heard.get(timeout=60)["message"]["text"] == "copy me"
