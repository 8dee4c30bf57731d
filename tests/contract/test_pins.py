"""What every Slack promises of pins."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from slackmq.errors import AlreadyPinned, MessageGone

if TYPE_CHECKING:
    from .conftest import Scene


async def test_a_message_is_pinned_by_one_app_only(scene: Scene) -> None:
    ts = await scene.slack.post(scene.jobs, "one")
    await scene.slack.pin(scene.jobs, ts)
    for slack in (scene.other, scene.twin, scene.slack):
        with pytest.raises(AlreadyPinned):
            await slack.pin(scene.jobs, ts)


async def test_a_row_tells_who_pinned_it_and_when(scene: Scene) -> None:
    ts = await scene.slack.post(scene.jobs, "one")
    before = scene.clock.server() // 1_000_000
    await scene.other.pin(scene.jobs, ts)
    row = await scene.slack.row(scene.jobs, ts)
    assert row is not None
    assert row.pin is not None
    assert row.pin.by == (await scene.other.identity()).user
    assert before <= row.pin.since <= scene.clock.server() // 1_000_000


async def test_a_pin_is_taken_off_once_by_anybody(scene: Scene) -> None:
    ts = await scene.slack.post(scene.jobs, "one")
    await scene.slack.pin(scene.jobs, ts)
    assert await scene.other.unpin(scene.jobs, ts)
    assert not await scene.slack.unpin(scene.jobs, ts)
    row = await scene.slack.row(scene.jobs, ts)
    assert row is not None
    assert row.pin is None


async def test_what_is_deleted_cannot_be_pinned(scene: Scene) -> None:
    ts = await scene.slack.post(scene.jobs, "one")
    await scene.apply(scene.bot_token, "chat.delete", channel=scene.jobs, ts=ts)
    with pytest.raises(MessageGone):
        await scene.slack.pin(scene.jobs, ts)
