"""The page with the keyboard alone: what one was on is not lost when it is drawn anew, closed or left."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

    from slackmq.emulator.launch import About

pytestmark = [
    pytest.mark.skipif(not Path("/usr/bin/chromium").exists(), reason="no browser: apt-get install chromium"),
]


def press(control: Locator) -> None:
    """Reach a control as Tab does, and use it."""
    control.focus()
    control.press("Enter")


def test_a_message_that_is_drawn_anew_keeps_the_keyboard_where_it_was(page: Page, bot: Any, homeops: str) -> None:
    bot.chat_postMessage(channel=homeops, text="toggle dining light")
    press(page.get_by_role("button", name="React with white_check_mark"))
    expect(page.locator("#messages .reactions button")).to_have_count(1)
    expect(page.get_by_role("button", name="React with white_check_mark")).to_be_focused()
    press(page.get_by_role("button", name="Pin", exact=True))
    expect(page.get_by_role("button", name="Unpin")).to_be_focused()
    press(page.locator("#messages .picker summary"))
    page.get_by_label("Name of an emoji").fill("rocket")
    page.keyboard.press("Enter")
    expect(page.locator("#messages .reactions button")).to_have_count(2)
    expect(page.locator("#messages .picker summary")).to_be_focused()


def test_a_thread_that_is_closed_gives_the_keyboard_back_to_its_message(page: Page, bot: Any, homeops: str) -> None:
    ts = bot.chat_postMessage(channel=homeops, text="question")["ts"]
    press(page.get_by_role("button", name="Reply in a thread"))
    expect(page.locator("#reply-text")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Reply in a thread")).to_be_focused()
    bot.chat_postMessage(channel=homeops, text="answer", thread_ts=ts)
    press(page.locator("#messages a.replies"))
    expect(page.locator("#reply-text")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("#messages a.replies")).to_be_focused()
    bot.pins_add(channel=homeops, timestamp=ts)
    press(page.get_by_role("button", name="Pins"))
    expect(page.locator("#pinned .text")).to_have_count(1)
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Pins")).to_be_focused()


def test_an_edit_that_is_saved_or_left_gives_the_keyboard_back(page: Page, bot: Any, homeops: str) -> None:
    page.fill("#composer-text", "@here: helo")
    page.keyboard.press("Enter")
    edit = page.get_by_role("button", name="Edit", exact=True)
    press(edit)
    expect(page.get_by_label("Edit the message")).to_be_focused()
    page.keyboard.press("Escape")
    expect(edit).to_be_focused()
    press(edit)
    expect(page.get_by_label("Edit the message")).to_have_value("@here: helo")
    page.get_by_label("Edit the message").fill("@here: hello")
    page.keyboard.press("Enter")
    expect(page.locator("#messages .text")).to_contain_text("hello (edited)")
    expect(edit).to_be_focused()
    expect(page.locator("#messages .mention")).to_have_text("@here")
    assert bot.conversations_history(channel=homeops)["messages"][0]["text"] == "<!here>: hello"


def test_one_writes_at_once_in_the_channel_that_one_went_to(page: Page, emulator: About) -> None:
    press(page.get_by_role("link", name="jobs"))
    expect(page.locator("#channel h2")).to_have_text("#jobs")
    expect(page.locator("#composer-text")).to_be_focused()
    page.keyboard.type("hello")
    page.keyboard.press("Enter")
    expect(page.locator("#messages .text")).to_have_text("hello")
    assert page.url.endswith(emulator.channels[2].id)


def test_the_list_of_channels_stays_as_far_as_it_was_scrolled(
    page: Page, emulator: About, bot: Any, homeops: str
) -> None:
    for number in range(40):
        bot.conversations_create(name=f"room-{number:02}")
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"{emulator.page_url}a/{emulator.apps[0].id}")
    page.evaluate("window.loaded = 'once'")
    expect(page.locator(f"#nav-{emulator.apps[0].id}")).to_be_in_viewport(ratio=0.9)
    before = page.locator("#nav").evaluate("list => list.scrollLeft")
    assert before > 0
    bot.chat_postMessage(channel=homeops, text="hello")
    expect(page.locator(f"#nav-{homeops} .count")).to_have_text("1")
    assert page.locator("#nav").evaluate("list => list.scrollLeft") > 0
    page.locator("#nav").evaluate("list => { list.scrollLeft = 300 }")
    bot.chat_postMessage(channel=homeops, text="hello")
    expect(page.locator(f"#nav-{homeops} .count")).to_have_text("2")
    assert page.locator("#nav").evaluate("list => list.scrollLeft") == 300


def test_faults_are_armed_and_disarmed_and_a_connection_is_cut(page: Page, deployer: Any) -> None:
    cut = page.get_by_role("button", name="Cut the connection of deployer")
    faults = page.locator("#faults summary")
    expect(cut).to_have_count(1)
    before = cut.get_attribute("id")
    press(faults)
    page.keyboard.press("Tab")
    page.keyboard.type("50")
    page.keyboard.press("Enter")
    expect(page.locator(".armed")).to_contain_text("latency 50 %")
    expect(faults).to_be_focused()
    press(page.locator("#disarm"))
    expect(page.locator(".armed")).to_have_count(0)
    expect(page.locator("body")).not_to_be_focused()
    press(cut)
    expect(page.locator(f"#{before}")).to_have_count(0)
    expect(page.locator("body")).not_to_be_focused()
    assert deployer is not None
