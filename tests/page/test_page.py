"""The page in a real browser: live without a reload, strange text shown as text, every click a call of Slack's."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pytest
from anyio.from_thread import start_blocking_portal
from playwright.sync_api import expect
from slack_sdk import WebClient
from tests.ports import unused_port

from slackmq.emulator.launch import running

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page

    from slackmq.emulator.launch import About

CHROMIUM = Path("/usr/bin/chromium")
SCROLL = "document.querySelector('#channel .scroll')"
PICTURES = Path("test-results")
SCHEMES: list[Literal["light", "dark"]] = ["light", "dark"]
HEIGHTS = {1280: 800, 390: 844}

pytestmark = [
    pytest.mark.skipif(not CHROMIUM.exists(), reason="no browser: apt-get install chromium"),
]


def messages(page: Page) -> list[str]:
    return page.locator("#messages .text").all_inner_texts()


def test_what_is_typed_appears_without_a_reload(page: Page, bot: Any, homeops: str) -> None:
    page.fill("#composer-text", "toggle dining light")
    page.keyboard.press("Enter")
    expect(page.locator("#messages .text")).to_have_text("toggle dining light")
    expect(page.locator("#composer-text")).to_have_value("")
    (row,) = bot.conversations_history(channel=homeops)["messages"]
    assert (row["text"], "bot_id" in row) == ("toggle dining light", False)


def test_shift_enter_begins_a_new_line(page: Page) -> None:
    page.locator("#composer-text").press_sequentially("one")
    page.keyboard.press("Shift+Enter")
    page.locator("#composer-text").press_sequentially("two")
    page.keyboard.press("Enter")
    expect(page.locator("#messages .text")).to_have_text("one\ntwo", use_inner_text=True)


def test_what_a_program_does_appears_live(page: Page, bot: Any, homeops: str) -> None:
    ts = bot.chat_postMessage(channel=homeops, text="resize")["ts"]
    expect(page.locator("#messages .text")).to_have_text("resize")
    bot.reactions_add(channel=homeops, timestamp=ts, name="clock1")
    reaction = page.get_by_role("button", name="clock1, 1, by slackmq")
    expect(reaction).to_be_visible()
    bot.chat_update(channel=homeops, ts=ts, text="resized")
    expect(page.locator("#messages .text")).to_have_text("resized (edited)")
    expect(reaction).to_be_visible()
    bot.pins_add(channel=homeops, timestamp=ts)
    expect(page.locator("#messages .pin")).to_contain_text("Pinned by slackmq")
    bot.chat_delete(channel=homeops, ts=ts)
    expect(page.locator("#messages .message", has_text="resized")).to_have_count(0)


@pytest.mark.parametrize(
    "text",
    [
        "<script>document.title = 'taken'</script>",
        "<img src=x onerror=\"document.title='taken'\">",
        "<javascript:document.title='taken'|click>",
        "{{ 7 * 7 }} {% raw %} ${7*7}",
        "</textarea></li><b>bold</b>",
        "&lt;b&gt; &amp;amp; 'quotes' \"double\"",
    ],
)
def test_strange_text_is_shown_as_text(page: Page, text: str) -> None:
    page.fill("#composer-text", text)
    page.keyboard.press("Enter")
    expect(page.locator("#messages .text")).to_have_text(text)
    assert "taken" not in page.title()
    page.reload()
    expect(page.locator("#messages .text")).to_have_text(text)
    page.evaluate("window.loaded = 'once'")


def test_strange_text_of_a_program_stays_text_everywhere(page: Page, bot: Any, homeops: str) -> None:
    evil = "<img src=x onerror=\"document.title='taken'\">'\"</pre></details>"
    metadata = {"event_type": "job", "event_payload": {"body": evil}}
    bot.chat_postMessage(channel=homeops, text=f"```{evil}``` `{evil}`", metadata=metadata)
    expect(page.locator("#messages .text pre")).to_have_text(evil)
    page.locator("#messages .metadata summary").click()
    expect(page.locator("#messages .metadata pre")).to_contain_text("onerror=")
    assert "taken" not in page.title()
    assert page.locator("#messages img").count() == 0


def test_markup_is_drawn(page: Page, emulator: About, bot: Any, homeops: str) -> None:
    text = f"*bold* _leaning_ `code` <https://example.org|a link> <@{emulator.users[1].id}> :tada:"
    bot.chat_postMessage(channel=homeops, text=text)
    shown = page.locator("#messages .text")
    expect(shown).to_have_text("bold leaning code a link @colleague 🎉")
    assert [shown.locator(tag).count() for tag in ("b", "i", "code", "a[href='https://example.org']")] == [1, 1, 1, 1]


def test_a_click_reacts_and_another_takes_it_back(page: Page, emulator: About, bot: Any, homeops: str) -> None:
    ts = bot.chat_postMessage(channel=homeops, text="done?")["ts"]
    page.locator("#messages .message").hover()
    page.locator("#messages .actions").get_by_role("button", name="React with white_check_mark").first.click()
    mine = page.locator("#messages .reactions").get_by_role("button", name="white_check_mark, 1, by you")
    expect(mine).to_have_attribute("aria-pressed", "true")
    (reaction,) = bot.reactions_get(channel=homeops, timestamp=ts)["message"]["reactions"]
    assert reaction["users"] == [emulator.users[0].id]
    mine.click()
    expect(page.locator("#messages .reactions")).to_have_count(0)


def test_an_emoji_that_does_not_exist_is_refused_in_a_sentence(page: Page, bot: Any, homeops: str) -> None:
    bot.chat_postMessage(channel=homeops, text="x")
    page.locator("#messages .message").hover()
    page.locator("#messages .picker summary").click()
    page.get_by_label("Name of an emoji").fill("no_such_thing")
    page.keyboard.press("Enter")
    expect(page.locator("#notice")).to_have_text("There is no emoji of that name.")


def test_a_thread_opens_and_takes_a_reply(page: Page, bot: Any, homeops: str) -> None:
    ts = bot.chat_postMessage(channel=homeops, text="question")["ts"]
    page.locator("#messages .message").hover()
    with page.expect_response(re.compile("/stream.*thread=")):
        page.get_by_role("button", name="Reply in a thread").click()
    expect(page.locator("#replies .text")).to_have_text(["question"])
    page.fill("#reply-text", "answer")
    page.keyboard.press("Enter")
    expect(page.locator("#replies .text")).to_have_text(["question", "answer"])
    bot.chat_postMessage(channel=homeops, text="another", thread_ts=ts)
    expect(page.locator("#replies .text")).to_have_text(["question", "answer", "another"])
    expect(page.locator("#messages a.replies")).to_contain_text("2 replies")
    assert messages(page) == ["question"]
    page.keyboard.press("Escape")
    expect(page.locator("#thread")).to_be_hidden()


def test_a_thread_has_an_address_of_its_own(page: Page, emulator: About, bot: Any, homeops: str) -> None:
    ts = bot.chat_postMessage(channel=homeops, text="question")["ts"]
    bot.chat_postMessage(channel=homeops, text="answer", thread_ts=ts)
    page.goto(f"{emulator.page_url}c/{homeops}?thread={ts}")
    expect(page.locator("#replies .text")).to_have_text(["question", "answer"])
    page.evaluate("window.loaded = 'once'")


def test_an_own_message_is_edited_pinned_and_deleted(page: Page, bot: Any, homeops: str) -> None:
    page.fill("#composer-text", "helo")
    page.keyboard.press("Enter")
    message = page.locator("#messages .message")
    message.hover()
    message.get_by_role("button", name="Edit", exact=True).click()
    box = page.get_by_label("Edit the message")
    expect(box).to_have_value("helo")
    box.fill("hello")
    page.keyboard.press("Enter")
    expect(page.locator("#messages .text")).to_have_text("hello (edited)")
    message.hover()
    message.get_by_role("button", name="Pin", exact=True).click()
    expect(page.locator("#messages .pin")).to_contain_text("Pinned by you")
    assert len(bot.pins_list(channel=homeops)["items"]) == 1
    pinned = page.locator("#messages .message.pinned")
    pinned.hover()
    pinned.get_by_role("button", name="Unpin").click()
    expect(page.locator("#messages .pin")).to_have_count(0)
    page.once("dialog", lambda dialog: dialog.accept())
    message.first.hover()
    message.first.get_by_role("button", name="Delete").click()
    expect(page.locator("#messages .message", has_text="hello")).to_have_count(0)


def test_a_message_of_somebody_else_offers_neither_edit_nor_delete(page: Page, bot: Any, homeops: str) -> None:
    bot.chat_postMessage(channel=homeops, text="mine")
    message = page.locator("#messages .message")
    message.hover()
    expect(message.get_by_role("button", name="Pin", exact=True)).to_be_visible()
    assert message.get_by_role("button", name=re.compile("Edit|Delete")).count() == 0


def test_one_may_write_as_somebody_else(page: Page, emulator: About, bot: Any, homeops: str) -> None:
    with page.expect_navigation():
        page.select_option("#person", emulator.users[1].id)
    page.fill("#composer-text", "it is me")
    page.keyboard.press("Enter")
    expect(page.locator("#messages .author")).to_have_text("colleague")
    assert bot.conversations_history(channel=homeops)["messages"][0]["user"] == emulator.users[1].id
    page.evaluate("window.loaded = 'once'")


def test_what_is_unread_is_counted_until_the_channel_is_opened(page: Page, emulator: About, bot: Any) -> None:
    general = emulator.channels[0]
    for number in range(3):
        bot.chat_postMessage(channel=general.id, text=str(number))
    link = page.locator(f"#nav-{general.id}")
    expect(link.locator(".count")).to_have_text("3")
    link.click()
    expect(page.locator("#messages .text")).to_have_text(["0", "1", "2"])
    expect(link.locator(".count")).to_have_count(0)
    assert page.title().startswith("#general")
    bot.chat_postMessage(channel=general.id, text="live here too")
    expect(page.locator("#messages .text").last).to_have_text("live here too")


def test_the_list_stays_where_its_reader_left_it(page: Page, bot: Any, homeops: str) -> None:
    for number in range(40):
        bot.chat_postMessage(channel=homeops, text=f"line {number}")
    expect(page.locator("#messages .text").last).to_have_text("line 39")
    scroll = page.locator("#channel .scroll")
    page.wait_for_function(f"() => {{ const s = {SCROLL}; return s.scrollHeight - s.scrollTop - s.clientHeight < 2 }}")
    scroll.evaluate("element => { element.scrollTop = 300 }")
    page.wait_for_function(f"() => {SCROLL}.scrollTop === 300")
    bot.chat_postMessage(channel=homeops, text="new below")
    expect(page.get_by_role("button", name="New messages")).to_be_visible()
    assert scroll.evaluate("element => element.scrollTop") == 300
    page.get_by_role("button", name="New messages").click()
    expect(page.locator("#messages .text").last).to_be_in_viewport()


def test_older_messages_are_a_click_away(page: Page, bot: Any, homeops: str) -> None:
    for number in range(70):
        bot.chat_postMessage(channel=homeops, text=f"line {number}")
    page.reload()
    page.evaluate("window.loaded = 'once'")
    expect(page.locator("#messages .text")).to_have_count(60)
    page.get_by_role("button", name="Older messages").click()
    expect(page.locator("#messages .text")).to_have_count(70)
    assert messages(page) == [f"line {number}" for number in range(70)]


def test_opened_metadata_stays_open_and_an_edit_box_survives_a_reaction(page: Page, bot: Any, homeops: str) -> None:
    metadata = {"event_type": "job", "event_payload": {"kind": "resize"}}
    ts = bot.chat_postMessage(channel=homeops, text="job", metadata=metadata)["ts"]
    page.locator("#messages .metadata summary").click()
    bot.reactions_add(channel=homeops, timestamp=ts, name="eyes")
    expect(page.locator("#messages .reactions")).to_be_visible()
    expect(page.locator("#messages .metadata pre")).to_be_visible()
    page.fill("#composer-text", "own")
    page.keyboard.press("Enter")
    own = page.locator("#messages .message", has_text="own")
    own.hover()
    own.get_by_role("button", name="Edit", exact=True).click()
    page.get_by_label("Edit the message").fill("half typed")
    newest = bot.conversations_history(channel=homeops, limit=1)["messages"][0]["ts"]
    bot.reactions_add(channel=homeops, timestamp=newest, name="eyes")
    bot.chat_postMessage(channel=homeops, text="afterwards")
    expect(page.locator("#messages .text", has_text="afterwards")).to_be_visible()
    expect(page.get_by_label("Edit the message")).to_have_value("half typed")


def test_every_message_has_its_own_place_after_a_storm(page: Page, bot: Any, homeops: str) -> None:
    for number in range(100):
        ts = bot.chat_postMessage(channel=homeops, text=f"line {number}")["ts"]
        bot.reactions_add(channel=homeops, timestamp=ts, name="clock1")
    expect(page.locator("#messages .text").last).to_have_text("line 99")
    shown = messages(page)
    assert len(shown) == len(set(shown))
    assert shown == [f"line {number}" for number in range(100 - len(shown), 100)]


def test_a_page_catches_up_by_itself_after_the_server_was_away(browser: Browser, tmp_path: Path) -> None:
    data, port, page = tmp_path / "workspace.db", unused_port(), browser.new_page()
    for text in ("before", "meanwhile"):
        with (
            start_blocking_portal() as portal,
            portal.wrap_async_context_manager(running(limits=False, data=data, port=port)) as about,
        ):
            WebClient(about.users[1].token, base_url=about.base_url).chat_postMessage(
                channel=about.channels[0].id, text=text
            )
            if text == "before":
                with page.expect_response(re.compile("/stream")):
                    page.goto(about.page_url)
            expect(page.locator("#messages .text").last).to_have_text(text)
    expect(page.locator("#messages .text")).to_have_text(["before", "meanwhile"])
    page.close()


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("width", [1280, 390])
def test_it_fits_a_desk_and_a_telephone(
    browser: Browser, emulator: About, *, bot: Any, homeops: str, scheme: Literal["light", "dark"], width: int
) -> None:
    person: Any = WebClient(emulator.users[0].token, base_url=emulator.base_url)
    ts = person.chat_postMessage(channel=homeops, text="toggle dining light")["ts"]
    bot.reactions_add(channel=homeops, timestamp=ts, name="clock1")
    bot.reactions_add(channel=homeops, timestamp=ts, name="white_check_mark")
    bot.chat_postMessage(channel=homeops, thread_ts=ts, text="*dining* light toggled")
    metadata = {"event_type": "job", "event_payload": {"kind": "resize", "body": {"path": "cat.png", "width": 300}}}
    bot.chat_postMessage(channel=homeops, text="resize `cat.png`", metadata=metadata)
    bot.pins_add(channel=homeops, timestamp=ts)
    page = browser.new_page(viewport={"width": width, "height": HEIGHTS[width]}, color_scheme=scheme)
    page.goto(f"{emulator.page_url}c/{homeops}")
    expect(page.locator("#messages a.replies")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") == width
    PICTURES.mkdir(exist_ok=True)
    page.screenshot(path=PICTURES / f"page-{width}-{scheme}.png")
    page.locator("#messages a.replies").click()
    expect(page.locator("#replies .text")).to_have_count(2)
    expect(page.locator("#reply-text")).to_be_in_viewport()
    page.screenshot(path=PICTURES / f"page-{width}-{scheme}-thread.png")
    page.close()


@pytest.fixture
def workers(emulator: About, tmp_path: Path) -> Iterator[None]:
    """Three worker processes of the house that `slackmq demo` shows."""
    app = emulator.apps[0]
    environment = os.environ | {
        "SLACKMQ_URL": emulator.base_url,
        "SLACK_BOT_TOKEN": app.bot_token,
        "SLACK_APP_TOKEN": app.app_token,
        "SLACKMQ_DEMO_TARGET": str(tmp_path / "target"),
    }
    command = [sys.executable, "-m", "slackmq", "worker", "slackmq.cli.house:app"]
    processes = [subprocess.Popen([*command, "--name", f"worker-{n}"], env=environment) for n in range(3)]
    try:
        yield
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait(60)


@pytest.mark.usefixtures("workers")
def test_three_workers_at_work_are_seen_working(page: Page) -> None:
    lights = ["dining", "hall", "garden", "attic", "porch"]
    for light in lights:
        page.fill("#composer-text", f"toggle {light} light")
        page.keyboard.press("Enter")
        expect(page.locator("#composer-text")).to_have_value("")
    done = page.locator("#messages .reactions button", has_text="\N{WHITE HEAVY CHECK MARK}")
    expect(done).to_have_count(len(lights))
    expect(page.locator("#strip .worker", has_text="idle")).to_have_count(3)
    hands = page.locator("#messages .hand").all_inner_texts()
    assert set(hands) <= {f"done by worker-{number}" for number in range(3)}, hands
    page.screenshot(path=PICTURES / "three-workers.png")
