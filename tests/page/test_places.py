"""Where one finds things in the page: direct messages, pins, search, files, and who is at work."""

from __future__ import annotations

import base64
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import FilePayload, expect
from slack_sdk import WebClient
from slack_sdk.rtm_v2 import RTMClient
from tests.clients.manifests import manifest

if TYPE_CHECKING:
    from playwright.sync_api import Page
    from tests.clients.manifests import Operator

    from slackmq.emulator.launch import About

pytestmark = [
    pytest.mark.skipif(not Path("/usr/bin/chromium").exists(), reason="no browser: apt-get install chromium"),
]

DOT = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
)


def agent(emulator: About, name: str) -> Any:
    """A bot that says who it is, as a worker of the library does."""
    client = WebClient(emulator.apps[0].bot_token, base_url=emulator.base_url)
    client.headers["User-Agent"] = f"slackmq-worker/{name}"
    return client


def test_the_page_opens_on_the_channel_with_the_newest_message(page: Page, emulator: About, bot: Any) -> None:
    bot.chat_postMessage(channel=emulator.channels[2].id, text="here")
    page.goto(emulator.page_url)
    expect(page.locator("#channel h2")).to_have_text(f"#{emulator.channels[2].name}")
    expect(page.locator("#messages .text")).to_have_text("here")
    page.evaluate("window.loaded = 'once'")


def test_people_write_to_each_other_directly(page: Page, emulator: About) -> None:
    other: Any = WebClient(emulator.users[1].token, base_url=emulator.base_url)
    page.get_by_role("link", name="colleague").click()
    page.fill("#composer-text", "psst")
    page.keyboard.press("Enter")
    expect(page.locator("#messages .text")).to_have_text("psst")
    channel = other.conversations_list(types="im")["channels"][0]["id"]
    assert other.conversations_history(channel=channel)["messages"][0]["text"] == "psst"
    page.goto(f"{emulator.page_url}c/{emulator.channels[0].id}")
    other.chat_postMessage(channel=channel, text="yes?")
    expect(page.locator(f"#nav-{channel} .count")).to_have_text("1")
    page.evaluate("window.loaded = 'once'")


def test_what_is_pinned_is_listed_and_kept_up_to_date(page: Page, bot: Any, homeops: str) -> None:
    first, second = (bot.chat_postMessage(channel=homeops, text=text)["ts"] for text in ("one", "two"))
    bot.pins_add(channel=homeops, timestamp=first)
    page.get_by_role("button", name="Pins").click()
    expect(page.locator("#pinned .text")).to_have_text(["one"])
    bot.pins_add(channel=homeops, timestamp=second)
    expect(page.locator("#pinned .text")).to_have_text(["two", "one"])
    page.keyboard.press("Escape")
    expect(page.locator("#thread")).to_be_hidden()


def test_search_finds_messages_and_replies_and_leads_to_them(page: Page, emulator: About, bot: Any) -> None:
    general = emulator.channels[0].id
    ts = bot.chat_postMessage(channel=general, text="The garden lamp <b>flickers</b>")["ts"]
    for number in range(70):
        bot.chat_postMessage(channel=general, text=f"line {number}")
    bot.chat_postMessage(channel=general, thread_ts=ts, text="garden lamp: replaced")
    page.get_by_label("Search messages").fill("lamp garden")
    page.keyboard.press("Enter")
    expect(page.locator(".hit .text")).to_have_text(["garden lamp: replaced", "The garden lamp <b>flickers</b>"])
    page.locator(".hit").last.click()
    expect(page.locator("#messages .text", has_text="flickers")).to_be_in_viewport()
    page.evaluate("window.loaded = 'once'")


def test_search_reads_what_stands_in_blocks(page: Page, bot: Any, homeops: str) -> None:
    header = {"type": "header", "text": {"type": "plain_text", "text": "Deploy lamp-service"}}
    bot.chat_postMessage(channel=homeops, text="a deployment", blocks=[header], attachments=[{"title": "Build 214"}])
    for query in ("lamp-service", "build 214 deploy"):
        page.get_by_label("Search messages").fill(query)
        page.keyboard.press("Enter")
        expect(page.get_by_role("status").filter(has_text=query)).to_contain_text("1 found")
        expect(page.locator(".hit .text")).to_have_text("a deployment")


def test_files_are_sent_and_shown(page: Page, bot: Any, homeops: str) -> None:
    page.fill("#composer-text", "look")
    page.set_input_files(
        ".attach input",
        [
            FilePayload(name="dot.png", mimeType="image/png", buffer=DOT),
            FilePayload(name="page.html", mimeType="text/html", buffer=b"<script>document.title='taken'</script>"),
        ],
    )
    message = page.locator("#messages .message")
    expect(message.locator(".text")).to_have_text("look")
    expect(message.locator("img[alt='dot.png']")).to_be_visible()
    page.wait_for_function("document.querySelector('#messages img').naturalWidth === 1")
    expect(page.locator("#composer-text")).to_have_value("")
    with page.expect_download() as saved:
        message.locator("a.card").click()
    assert saved.value.suggested_filename == "page.html"
    assert len(bot.conversations_history(channel=homeops)["messages"][0]["files"]) == 2


def test_who_works_on_a_message_is_seen_and_who_did_it_stays(
    page: Page, emulator: About, bot: Any, homeops: str
) -> None:
    ts = bot.chat_postMessage(channel=homeops, text="toggle dining light")["ts"]
    agent(emulator, "worker-1").reactions_add(channel=homeops, timestamp=ts, name="clock1")
    hand = page.locator("#messages .hand")
    expect(hand).to_have_text("worker-1 is at work")
    expect(page.locator("#strip .worker")).to_contain_text("worker-1")
    expect(page.locator("#strip .worker a")).to_have_text("toggle dining light")
    agent(emulator, "worker-2").reactions_add(channel=homeops, timestamp=ts, name="clock2")
    expect(hand).to_have_text("worker-2 is at work (claim 2)")
    agent(emulator, "worker-2").reactions_add(channel=homeops, timestamp=ts, name="white_check_mark")
    expect(hand).to_have_text("done by worker-2")
    expect(page.locator("#strip .worker")).to_have_count(0)


def test_a_job_that_its_bot_marks_by_an_edit_is_held_no_longer(
    page: Page, emulator: About, bot: Any, homeops: str
) -> None:
    worker = agent(emulator, "worker-1")
    for text, stamp, sentence in (
        ("water the fern", ":white_check_mark:", "done by worker-1"),
        ("water the ivy", ":x:", "given up by worker-1"),
    ):
        ts = bot.chat_postMessage(channel=homeops, text=text)["ts"]
        worker.reactions_add(channel=homeops, timestamp=ts, name="clock1")
        expect(page.locator("#strip .worker a")).to_have_text(text)
        worker.chat_update(channel=homeops, ts=ts, text=f"{stamp} {text}")
        expect(page.locator("#messages .hand").last).to_have_text(sentence)
        expect(page.locator("#strip .worker")).to_have_count(0)


def test_a_job_that_was_given_back_is_held_by_nobody_until_it_is_taken_again(
    page: Page, emulator: About, bot: Any, homeops: str
) -> None:
    def note(who: Any, what: str) -> None:
        metadata = {"event_type": "slackmq_note", "event_payload": {"note": what}}
        who.chat_postMessage(channel=homeops, thread_ts=ts, text=what, metadata=metadata)

    first, second = agent(emulator, "worker-1"), agent(emulator, "worker-2")
    ts = bot.chat_postMessage(channel=homeops, text="water the fern")["ts"]
    hand = page.locator("#messages .hand")
    first.reactions_add(channel=homeops, timestamp=ts, name="clock1")
    expect(hand).to_have_text("worker-1 is at work")
    note(first, "release")
    expect(hand).to_have_text("given back by worker-1")
    expect(page.locator("#strip .worker")).to_have_count(0)
    second.reactions_add(channel=homeops, timestamp=ts, name="clock2")
    note(first, "release")  # late: it is no longer the first one's to give back
    expect(page.locator("#messages a.replies")).to_contain_text("2 replies")
    expect(hand).to_have_text("worker-2 is at work (claim 2)")
    note(second, "dead")
    expect(hand).to_have_text("given up by worker-2")


def test_a_worker_with_both_hands_full_says_how_many_more_it_holds(
    page: Page, emulator: About, bot: Any, homeops: str
) -> None:
    for number in range(5):
        ts = bot.chat_postMessage(channel=homeops, text=f"water plant {number}")["ts"]
        agent(emulator, "worker-1").reactions_add(channel=homeops, timestamp=ts, name="clock1")
    expect(page.locator("#strip .worker a")).to_have_text(["water plant 4", "water plant 3"])
    expect(page.locator("#strip .worker")).to_contain_text("and 3 more")


def test_a_connection_is_cut_and_comes_back(page: Page, deployer: Any) -> None:
    strip = page.locator("#strip .worker", has_text="deployer")
    expect(strip).to_have_count(1)
    first = strip.get_by_role("button").get_attribute("hx-post")
    strip.get_by_role("button", name="Cut the connection of deployer").click()
    expect(page.locator(f"#strip [hx-post='{first}']")).to_have_count(0)
    expect(strip).to_have_count(1)
    assert deployer is not None


def test_a_bot_of_the_old_kind_is_seen_connected_and_its_line_is_cut(page: Page, operator: Operator) -> None:
    app = operator.call("emulator.apps.classic", name="oldie", channels=["#jobs"])["app"]
    client: Any = RTMClient(token=app["bot_token"], base_url=operator.about.base_url, auto_reconnect_enabled=False)
    strip = page.locator("#strip .worker", has_text="oldie")
    try:
        client.connect()
        expect(strip).to_contain_text("idle")
        expect(page.get_by_role("link", name="oldie")).to_contain_text("1 connected")
        strip.get_by_role("button", name="Cut the connection of oldie").click()
        expect(strip).to_have_count(0)
    finally:
        client.close()


def test_an_emoji_is_picked_with_the_keyboard_alone(page: Page, bot: Any, homeops: str) -> None:
    bot.chat_postMessage(channel=homeops, text="x")
    summary = page.locator("#messages .picker summary")
    summary.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_label("Name of an emoji")).to_be_visible()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("#messages .reactions button")).to_have_count(1)


def test_a_reaction_of_somebody_else_is_joined_and_left_at_a_click(
    page: Page, emulator: About, bot: Any, homeops: str
) -> None:
    ts = bot.chat_postMessage(channel=homeops, text="x")["ts"]
    bot.reactions_add(channel=homeops, timestamp=ts, name="tada")
    page.get_by_role("button", name="tada, 1, by slackmq").click()
    expect(page.locator("#messages .reactions .n")).to_have_text("2")
    (reaction,) = bot.reactions_get(channel=homeops, timestamp=ts)["message"]["reactions"]
    assert reaction["users"] == [emulator.apps[0].bot_user_id, emulator.users[0].id]
    page.locator("#messages .reactions button").click()
    expect(page.locator("#messages .reactions .n")).to_have_text("1")


def test_an_app_that_listens_at_its_url_is_shown_as_such(page: Page, operator: Operator) -> None:
    operator.install(manifest("http://127.0.0.1:9/slack/events"), "#homeops")
    page.reload()
    row = page.locator("#strip li.worker", has_text="deployer")
    expect(row).to_contain_text("over HTTP")
    expect(row).not_to_have_class(re.compile("away"))
    page.evaluate("window.loaded = 'once'")
