"""A channel in which programs keep their state is shown as a table beside its messages."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect
from slack_sdk import WebClient

from slackmq.kv.batch import Batch
from slackmq.policy import Timing
from slackmq.slack.connect import Settings
from slackmq.sync import Store

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page

    from slackmq.emulator.launch import About

pytestmark = [
    pytest.mark.skipif(not Path("/usr/bin/chromium").exists(), reason="no browser: apt-get install chromium"),
]

FAST = Timing(scan=timedelta(seconds=3), skew=timedelta(seconds=0.1))


@pytest.fixture
def jobs(emulator: About) -> str:
    return next(channel.id for channel in emulator.channels if channel.name == "jobs")


@pytest.fixture
def store(emulator: About) -> Iterator[Store]:
    settings = Settings(token=emulator.apps[0].bot_token, url=emulator.base_url)
    with Store("#jobs", settings=settings, timing=FAST) as store:
        yield store


def rows(page: Page) -> Any:
    return page.locator(".store tbody tr")


def test_a_store_stands_beside_its_channel_and_follows_it(page: Page, emulator: About, jobs: str, store: Store) -> None:
    expect(page.locator("#store")).to_be_hidden()
    store["lamp"] = {"on": True}
    store["blob"] = b"\x00\xff"
    store.put("while", "a moment", ttl=timedelta(hours=1))
    page.goto(f"{emulator.page_url}c/{jobs}")
    page.evaluate("window.loaded = 'once'")
    expect(rows(page).locator("th")).to_have_text(["blob", "lamp", "while"])
    expect(rows(page).locator("code")).to_have_text(["2 bytes", '{"on": true}', "a moment"])
    expect(rows(page).locator("td small").last).to_have_text(emulator.apps[0].name)
    expect(rows(page).nth(2).locator("small").first).to_contain_text("until ")
    expect(page.locator(".store caption")).to_have_text("3 keys in 3 records")
    store["lamp"] = "off"
    del store["blob"]
    expect(rows(page).locator("code")).to_have_text(["off", "a moment"])
    page.keyboard.press("Escape")
    expect(page.locator("#thread")).to_be_hidden()
    page.get_by_role("button", name="State").click()
    expect(rows(page)).to_have_count(2)


def test_a_channel_becomes_a_store_with_its_first_record(page: Page, emulator: About, jobs: str, store: Store) -> None:
    page.goto(f"{emulator.page_url}c/{jobs}")
    page.evaluate("window.loaded = 'once'")
    expect(page.locator("#thread")).to_be_hidden()
    store["k"] = 1
    page.get_by_role("button", name="State").click()
    expect(rows(page).locator("th")).to_have_text(["k"])


def test_the_table_says_what_the_store_says(page: Page, emulator: About, jobs: str, store: Store) -> None:
    first = store.create("a", 1)
    store.replace("a", 2, last=first)
    with pytest.raises(Exception, match="stands in revision"):
        store.replace("a", 3, last=first)
    store.commit(Batch().put("b", [1, {"c": None}]).put("c", "gone").delete("d"))
    store.purge("c")
    for _ in range(3):
        store.transact("n", lambda count: int(str(count)) + 1, default=0)
    with store.lock("door", ttl=timedelta(seconds=60)):
        page.goto(f"{emulator.page_url}c/{jobs}")
        page.evaluate("window.loaded = 'once'")
        found = dict(
            zip(rows(page).locator("th").all_inner_texts(), rows(page).locator("code").all_inner_texts(), strict=True)
        )
        assert found.pop("lock/door") == store["lock/door"]
        assert found == {"a": "2", "b": '[1, {"c": null}]', "n": "3"}
    expect(rows(page)).to_have_count(3)


def test_what_is_damaged_or_deleted_is_not_in_the_table(
    page: Page, emulator: About, bot: Any, jobs: str, store: Store
) -> None:
    store["a"] = "<b>bold</b>"
    store["b"] = 1
    now = round(datetime.now(UTC).timestamp() * 1_000_000)
    for body in ("nonsense", "[]", f'["w", {now}, [0, 0, ""], [[1, [["w", "k", -1]]]]]'):
        metadata = {"event_type": "slackmq_kv", "event_payload": {"v": 1, "body": body, "tag": ""}}
        bot.chat_postMessage(channel=jobs, text="?", metadata=metadata)
    hidden = {"event_type": "slackmq_kv", "event_payload": {"v": 1, "body": "x", "tag": "", "hidden": True}}
    bot.chat_postMessage(channel=jobs, text="?", metadata=hidden)
    page.goto(f"{emulator.page_url}c/{jobs}")
    page.evaluate("window.loaded = 'once'")
    expect(rows(page).locator("code")).to_have_text(["<b>bold</b>", "1"])
    expect(page.locator(".store caption")).to_have_text("2 keys in 2 records · 1 encrypted · 3 that cannot be read")
    first = bot.conversations_history(channel=jobs)["messages"][-1]["ts"]
    bot.chat_delete(channel=jobs, ts=first)
    expect(rows(page).locator("th")).to_have_text(["b"])


@pytest.mark.parametrize("size", [(1280, 800, "light"), (1280, 800, "dark"), (390, 844, "light")], ids=str)
def test_how_a_store_looks(  # noqa: PLR0917  # pytest hands over by name
    browser: Browser, emulator: About, jobs: str, store: Store, pictures: Path, size: tuple[int, int, Any]
) -> None:
    width, height, scheme = size
    bot: Any = WebClient(emulator.apps[0].bot_token, base_url=emulator.base_url)
    store.put("lamp/dining", {"on": True, "level": 80})
    store.put("lamp/hall", "off")
    store.put("counter", 200)
    store.put("session/4711", "a moment", ttl=timedelta(hours=1))
    store.put("a/rather/long/key/that/wraps", "a rather long value that wraps where there is no room for it")
    bot.chat_postMessage(channel=jobs, text="The lamp is on.")
    page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme)
    page.goto(f"{emulator.page_url}c/{jobs}")
    if width < 1000:
        expect(page.locator("#thread")).to_be_hidden()
        page.get_by_role("button", name="State").click()
    expect(rows(page)).to_have_count(5)
    page.screenshot(path=pictures / f"state-{width}-{scheme}.png")
    page.close()
