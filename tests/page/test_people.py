"""What people of a queue see in the page: a question with its buttons, and the app's Home tab."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import expect

from slackmq.app import App
from slackmq.home.home import Home
from slackmq.job import Job  # noqa: TC001  # a handler's annotations are read at run time
from slackmq.testing import QUICK, workspace

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page

    from slackmq.testing import Workspace

pytestmark = [
    pytest.mark.skipif(not Path("/usr/bin/chromium").exists(), reason="no browser: apt-get install chromium"),
    pytest.mark.timeout(120),
]


@pytest.fixture
def town() -> Iterator[Workspace]:
    with workspace() as there:
        yield there


@pytest.fixture
def tab(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    page = context.new_page()
    page.set_default_timeout(30_000)
    expect.set_options(timeout=30_000)
    yield page
    expect.set_options(timeout=5_000)
    context.close()


def test_a_person_presses_a_button_and_a_plain_function_goes_on(town: Workspace, tab: Page, pictures: Path) -> None:
    ann = town.person("you")
    app = App("#jobs", timing=QUICK)

    @app.task
    def deploy(job: Job, version: str) -> str:
        return f"deployed {version} for {job.approve(f'Deploy {version} to <prod>?', by=[ann.id]).wait().by}"

    with town.working(app):
        message = town.run(deploy.post, "1.4")
        town.until("jobs", lambda rows: rows[1:], thread=message.ts, within=30)
        tab.goto(f"{town.page_url}c/{message.channel}")
        with tab.expect_response(re.compile("/stream.*thread=")):
            tab.get_by_text("1 reply").click()
        expect(tab.get_by_role("button", name="Deny")).to_be_visible()
        tab.screenshot(path=pictures / "approve.png")
        tab.get_by_role("button", name="Approve", exact=True).click()
        expect(tab.locator("#replies").get_by_text("deployed 1.4 for").first).to_be_visible()
        expect(tab.get_by_role("button", name="Approve", exact=True)).to_have_count(0)
        tab.screenshot(path=pictures / "approved.png")


def test_the_home_tab_shows_the_queue_and_its_buttons_work(town: Workspace, tab: Page, pictures: Path) -> None:
    ann = town.person("you")
    app = App("#jobs", timing=QUICK, home=Home(allowed=[ann.id]))

    @app.task(attempts=1)
    def resize(path: str) -> str:
        if path == "bad.png":
            raise ValueError("no picture")
        return "resized"

    with town.working(app):
        for path in ("cat.png", "bad.png"):
            ts = town.run(resize.post, path).ts
            town.until("jobs", lambda rows: rows[1:], thread=ts, within=30)
        tab.goto(f"{town.page_url}a/{town.app.id}")
        home = tab.get_by_role("region", name="Home tab")
        expect(home.get_by_text("#jobs")).to_be_visible()
        expect(home.get_by_role("button", name="Redrive")).to_have_count(1)
        tab.screenshot(path=pictures / "home.png")
        home.get_by_role("button", name="Pause").click()
        expect(home.get_by_text(re.compile("is paused"))).to_be_visible()
        home.get_by_role("button", name="Redrive").click()
        expect(home.get_by_text(re.compile("posted again"))).to_be_visible()
        home.get_by_role("button", name="Cancel").click()
        expect(home.get_by_text(re.compile("It is cancelled"))).to_be_visible()
        tab.screenshot(path=pictures / "home-after.png")
        home.get_by_role("button", name="Resume").click()
        expect(home.get_by_text(re.compile("goes on"))).to_be_visible()
