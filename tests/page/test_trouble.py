"""The strip at the foot: faults armed and disarmed, and workers killed by those who started them and nobody else."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from playwright.sync_api import expect
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from tests.page import kit
from tests.page.test_looks import inspect

if TYPE_CHECKING:
    from collections.abc import Sequence

    from playwright.sync_api import Browser, Page

    from slackmq.emulator.launch import About

pytestmark = [
    pytest.mark.skipif(not Path("/usr/bin/chromium").exists(), reason="no browser: apt-get install chromium"),
]


def offer(emulator: About, names: Sequence[str], token: str = "") -> list[str]:
    """What a launcher does: name its children, and hear whom to kill."""
    request = Request(  # noqa: S310  # loopback
        f"{emulator.page_url}emulator/killables",
        data=json.dumps({"names": list(names)}).encode(),
        headers={"X-Emulator-Operator": token or emulator.operator_token, "Content-Type": "application/json"},
    )
    with urlopen(request) as response:  # noqa: S310  # loopback
        return list(json.load(response)["kill"])


def test_faults_are_armed_suffered_counted_and_disarmed(page: Page, bot: Any, homeops: str) -> None:
    page.locator("#faults summary").click()
    page.locator("#faults [name=limited]").fill("100")
    page.locator("#faults [name=retry_after]").fill("7")
    page.locator("#faults [name=times]").fill("1")
    page.locator("#faults [name=seed]").fill("42")
    page.locator("#faults").get_by_role("button", name="Arm", exact=True).click()
    expect(page.locator(".armed")).to_contain_text("seed 42")
    with pytest.raises(SlackApiError) as refused:
        bot.chat_postMessage(channel=homeops, text="now")
    assert refused.value.response.headers["Retry-After"] == "7"
    expect(page.locator(".fault")).to_have_text(re.compile("limited 100 % 1."))
    page.locator("#disarm").click()
    expect(page.locator(".armed")).to_have_count(0)
    bot.chat_postMessage(channel=homeops, text="now")
    expect(page.locator("#messages .text")).to_have_text("now")


def test_a_rate_beyond_all_calls_is_refused_in_a_sentence(page: Page) -> None:
    page.locator("#faults summary").click()
    page.locator("#faults form").evaluate("form => { form.noValidate = true; }")
    page.locator("#faults [name=limited]").fill("101")
    page.locator("#faults").get_by_role("button", name="Arm", exact=True).click()
    expect(page.locator("#notice")).to_contain_text("limited must be between 0 and 1")


def test_only_a_worker_that_its_launcher_named_is_killed_and_by_that_launcher(
    page: Page, emulator: About, bot: Any, homeops: str
) -> None:
    worker: Any = WebClient(emulator.apps[0].bot_token, base_url=emulator.base_url)
    worker.headers["User-Agent"] = "slackmq-worker/worker-1"
    ts = bot.chat_postMessage(channel=homeops, text="water the fern")["ts"]
    worker.reactions_add(channel=homeops, timestamp=ts, name="clock1")
    expect(page.locator("#strip")).to_contain_text("worker-1")
    expect(page.get_by_role("button", name="Kill worker-1")).to_have_count(0)
    assert offer(emulator, ["worker-1", "worker-2"]) == []
    page.once("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Kill worker-1").click()
    expect(page.get_by_role("button", name="Kill worker-1")).to_have_count(0)
    assert offer(emulator, ["worker-2"]) == []
    assert offer(emulator, ["worker-1", "worker-2"]) == ["worker-1"]
    assert offer(emulator, ["worker-2"]) == []


def test_a_name_that_nobody_gave_is_refused(page: Page, emulator: About) -> None:
    answer = page.request.post(f"{emulator.page_url}workers/1/kill")
    assert "was not started by a demo" in answer.text()
    foreign = page.request.post(f"{emulator.page_url}workers/1/kill", headers={"Origin": "http://example.org"})
    assert foreign.status == 403


def test_names_want_the_operators_token(emulator: About) -> None:
    with pytest.raises(HTTPError, match="403"):
        offer(emulator, ["worker-1"], token="guess")


def test_attachments_bear_their_colour_and_videos_their_title(page: Page, bot: Any, homeops: str) -> None:
    video = {
        "type": "video",
        "title": kit.plain("How a lamp is changed"),
        "title_url": "https://example.org/lamp",
        "video_url": "https://example.org/embed",
        "thumbnail_url": "https://example.org/lamp.png",
        "alt_text": "a lamp",
        "author_name": "the builder",
    }
    page.route("https://example.org/**", lambda route: route.fulfill(status=200, content_type="image/png", body=b""))
    bot.chat_postMessage(
        channel=homeops, text="x", blocks=[video], attachments=[{"text": "ok", "color": "good"}, {"text": "#439FE0"}]
    )
    expect(page.locator(".video a")).to_have_attribute("href", "https://example.org/lamp")
    expect(page.locator(".video")).to_contain_text("the builder")
    expect(page.locator(".attachment rect")).to_have_attribute("fill", "#2eb886")


def test_a_private_answer_in_a_thread_is_seen_in_that_thread(
    page: Page, emulator: About, bot: Any, homeops: str
) -> None:
    ts = bot.chat_postMessage(channel=homeops, text="toggle dining light")["ts"]
    bot.chat_postMessage(channel=homeops, thread_ts=ts, text="toggled")
    page.locator("#messages .replies").click()
    expect(page.locator("#replies .text")).to_have_count(2)
    bot.chat_postEphemeral(channel=homeops, user=emulator.users[0].id, thread_ts=ts, text="for you alone")
    expect(page.locator("#replies .whisper .text")).to_have_text("for you alone")
    expect(page.locator("#messages")).not_to_contain_text("for you alone")


@pytest.mark.parametrize("size", [(1280, "light"), (1280, "dark"), (390, "light"), (390, "dark")], ids=str)
def test_the_strip_looks_well(browser: Browser, emulator: About, homeops: str, pictures: Path, size: Any) -> None:
    width, scheme = size
    bot: Any = WebClient(emulator.apps[0].bot_token, base_url=emulator.base_url)
    page = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)
    page.set_default_timeout(60_000)
    worker: Any = WebClient(emulator.apps[0].bot_token, base_url=emulator.base_url)
    worker.headers["User-Agent"] = "slackmq-worker/worker-1"
    attachment = {"title": "Build 214", "text": "All tests passed", "color": "good"}
    ts = bot.chat_postMessage(channel=homeops, text="water the fern", attachments=[attachment])["ts"]
    worker.reactions_add(channel=homeops, timestamp=ts, name="clock1")
    offer(emulator, ["worker-1"])
    page.goto(f"{emulator.page_url}c/{homeops}")
    page.locator("#faults summary").click()
    page.locator("#faults [name=event_loss]").fill("20")
    page.locator("#faults").get_by_role("button", name="Arm", exact=True).click()
    expect(page.locator("#disarm")).to_be_in_viewport(ratio=0.9)
    expect(page.locator("#strip .worker a")).to_be_in_viewport(ratio=0.9)
    inspect(page, pictures, f"strip-{width}-{scheme}")
    page.close()
