"""What `slackmq.slack.api.Slack` promises, asked of every Slack there is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from slackmq.errors import (
    AlreadyReacted,
    ChannelNotFound,
    MessageGone,
    MissingScope,
    NotInChannel,
    Refused,
    TokenRefused,
    TooManyReactions,
)
from slackmq.message import Mrkdwn, seconds
from slackmq.slack.api import Metadata

if TYPE_CHECKING:
    from .conftest import Scene


async def test_it_knows_who_it_is(scene: Scene) -> None:
    mine, other = await scene.slack.identity(), await scene.other.identity()
    assert mine == await scene.twin.identity()
    assert mine.team == other.team
    assert mine.user != other.user
    assert mine.bot != other.bot


async def test_a_token_that_nobody_knows_is_refused(scene: Scene) -> None:
    with pytest.raises(TokenRefused) as caught:
        await scene.stranger.identity()
    assert caught.value.remedy


async def test_a_channel_is_found_by_its_name_with_and_without_its_sign_and_by_its_id(scene: Scene) -> None:
    found = await scene.slack.channel("#jobs")
    assert (found.id, found.name, found.member) == (scene.jobs, "jobs", True)
    assert await scene.slack.channel("jobs") == found
    assert await scene.slack.channel(scene.jobs) == found


@pytest.mark.parametrize("name", ["#nowhere", "C0NOWHERE00"])
async def test_a_channel_that_is_not_there_is_not_found(scene: Scene, name: str) -> None:
    with pytest.raises(ChannelNotFound) as caught:
        await scene.slack.channel(name)
    assert "/invite" in caught.value.remedy


async def test_a_channel_the_bot_is_not_in_is_seen_and_refuses_posts(scene: Scene) -> None:
    assert not (await scene.slack.channel("#empty")).member
    with pytest.raises(NotInChannel, match="/invite"):
        await scene.slack.post(scene.empty, "hi")


async def test_what_was_posted_can_be_read_as_it_was_written(scene: Scene) -> None:
    text = "resize a&b <U1> &amp; http://example.com\n@here *bold*"
    ts = await scene.slack.post(scene.jobs, text, metadata=Metadata(type="mq", payload={"n": [1, {"a": None}]}))
    (seen,) = (await scene.other.history(scene.jobs, oldest=seconds(ts) - 1)).rows
    me = await scene.slack.identity()
    assert (seen.ts, seen.text, seen.user, seen.bot) == (ts, text, me.user, me.bot)
    assert seen.metadata == Metadata(type="mq", payload={"n": [1, {"a": None}]})
    assert not seen.edited
    assert await scene.twin.row(scene.jobs, ts) == seen


async def test_a_mention_in_mark_up_stays_one(scene: Scene) -> None:
    me = await scene.slack.identity()
    ts = await scene.slack.post(scene.jobs, Mrkdwn(f"for <@{me.user}>"))
    seen = await scene.slack.row(scene.jobs, ts)
    assert seen is not None
    assert seen.text == f"for <@{me.user}>"


async def test_a_person_is_read_as_typed(scene: Scene) -> None:
    typed = await scene.apply(scene.person_token, "chat.postMessage", channel=scene.jobs, text="resize a&amp;b")
    ts = typed["ts"]
    seen = await scene.slack.row(scene.jobs, ts)
    assert seen is not None
    assert (seen.text, seen.bot, seen.metadata) == ("resize a&b", None, None)


async def test_timestamps_rise_in_the_order_of_posting(scene: Scene) -> None:
    posted = [await scene.slack.post(scene.jobs, str(number)) for number in range(5)]
    assert posted == sorted(set(posted))


async def test_an_edit_is_seen_and_keeps_the_metadata(scene: Scene) -> None:
    metadata = Metadata(type="mq", payload={"key": "k"})
    ts = await scene.slack.post(scene.jobs, "old", metadata=metadata)
    await scene.twin.edit(scene.jobs, ts, "new & final")
    seen = await scene.slack.row(scene.jobs, ts)
    assert seen is not None
    assert (seen.text, seen.edited, seen.metadata) == ("new & final", True, metadata)


async def test_an_edit_may_replace_the_metadata(scene: Scene) -> None:
    ts = await scene.slack.post(scene.jobs, "old", metadata=Metadata(type="mq", payload={"n": 1}))
    await scene.slack.edit(scene.jobs, ts, "new", metadata=Metadata(type="mq", payload={"n": 2}))
    seen = await scene.slack.row(scene.jobs, ts)
    assert seen is not None
    assert seen.metadata == Metadata(type="mq", payload={"n": 2})


async def test_nobody_edits_what_another_posted(scene: Scene) -> None:
    ts = await scene.slack.post(scene.jobs, "mine")
    with pytest.raises(Refused):
        await scene.other.edit(scene.jobs, ts, "yours")


async def test_an_emoji_is_put_on_a_message_once_by_all_processes_of_an_app(scene: Scene) -> None:
    ts = await scene.slack.post(scene.jobs, "hi")
    await scene.slack.react(scene.jobs, ts, "clock1")
    for again in (scene.slack, scene.twin):
        with pytest.raises(AlreadyReacted):
            await again.react(scene.jobs, ts, "clock1")
    await scene.twin.react(scene.jobs, ts, "clock2")


async def test_each_app_has_its_own_registers(scene: Scene) -> None:
    ts = await scene.slack.post(scene.jobs, "hi")
    await scene.slack.react(scene.jobs, ts, "clock1")
    await scene.other.react(scene.jobs, ts, "clock1")
    mine, other = await scene.slack.identity(), await scene.other.identity()
    (seen,) = (await scene.slack.history(scene.jobs, oldest=seconds(ts) - 1)).rows
    assert seen.reactions == {"clock1": frozenset({mine.user, other.user})}


async def test_a_reaction_tells_when_it_was_sent(scene: Scene) -> None:
    ts = await scene.slack.post(scene.jobs, "hi")
    before = scene.clock.monotonic()
    assert await scene.slack.react(scene.jobs, ts, "clock1") == before
    assert scene.clock.monotonic() > before


async def test_a_message_that_bears_too_many_emoji_takes_no_more(scene: Scene) -> None:
    ts = await scene.slack.post(scene.jobs, "hi")
    faces = [f"clock{hour}" for hour in range(1, 13)] + [f"clock{hour}30" for hour in range(1, 13)]
    for face in faces[:23]:
        await scene.slack.react(scene.jobs, ts, face)
    with pytest.raises(TooManyReactions):
        await scene.slack.react(scene.jobs, ts, faces[23])


async def test_a_message_that_is_gone_takes_no_emoji_and_is_not_seen(scene: Scene) -> None:
    ts = await scene.slack.post(scene.jobs, "hi")
    await scene.apply(scene.bot_token, "chat.delete", channel=scene.jobs, ts=ts)
    with pytest.raises(MessageGone):
        await scene.slack.react(scene.jobs, ts, "clock1")
    assert await scene.slack.row(scene.jobs, ts) is None
    assert (await scene.slack.history(scene.jobs, oldest=seconds(ts) - 1)).rows == ()
    with pytest.raises(MessageGone):
        await scene.slack.replies(scene.jobs, ts)


async def test_history_is_complete_and_in_order_however_many_pages_it_takes(scene: Scene) -> None:
    first = await scene.slack.post(scene.jobs, "0")
    for number in range(1, 450):
        await scene.apply(scene.bot_token, "chat.postMessage", channel=scene.jobs, text=str(number))
    page = await scene.slack.history(scene.jobs, oldest=seconds(first) - 1)
    assert [seen.text for seen in page.rows] == [str(number) for number in range(450)]


async def test_a_window_leaves_out_its_start_and_keeps_its_end(scene: Scene) -> None:
    first, second, third = [await scene.slack.post(scene.jobs, text) for text in ("1", "2", "3")]
    page = await scene.slack.history(scene.jobs, oldest=seconds(first), latest=seconds(second))
    assert [seen.ts for seen in page.rows] == [second]
    page = await scene.slack.history(scene.jobs, oldest=seconds(first))
    assert [seen.ts for seen in page.rows] == [second, third]


async def test_a_page_names_a_moment_before_it_was_read(scene: Scene) -> None:
    ts = await scene.slack.post(scene.jobs, "hi")
    page = await scene.slack.history(scene.jobs, oldest=seconds(ts) - 1)
    assert page.read_at >= seconds(ts) - 0.1
    later = await scene.slack.post(scene.jobs, "later")
    assert scene.slack.now() >= seconds(later) > seconds(ts)


async def test_replies_stand_in_their_thread_alone(scene: Scene) -> None:
    parent = await scene.slack.post(scene.jobs, "parent")
    replies = [await scene.slack.post(scene.jobs, text, thread=parent) for text in ("1", "2")]
    rows = (await scene.slack.history(scene.jobs, oldest=seconds(parent) - 1)).rows
    assert [seen.ts for seen in rows] == [parent]
    assert (rows[0].replies, rows[0].latest_reply, rows[0].thread) == (2, replies[-1], parent)
    assert [(seen.ts, seen.text, seen.thread) for seen in await scene.slack.replies(scene.jobs, parent)] == [
        (replies[0], "1", parent),
        (replies[1], "2", parent),
    ]
    assert await scene.slack.row(scene.jobs, replies[0]) is None


async def test_a_message_without_a_thread_has_no_replies(scene: Scene) -> None:
    assert await scene.slack.replies(scene.jobs, await scene.slack.post(scene.jobs, "hi")) == ()


async def test_an_app_without_the_permission_is_told_which_it_lacks(scene: Scene) -> None:
    with pytest.raises(MissingScope) as caught:
        await scene.poor.post(scene.jobs, "hi")
    assert "chat:write" in caught.value.needed
    assert "manifest" in caught.value.remedy


async def test_a_token_revoked_while_at_work_is_told_apart(scene: Scene) -> None:
    await scene.slack.identity()
    apps = (await scene.operate("emulator.apps.list"))["apps"]
    assert (await scene.operate("emulator.apps.revoke", app=apps[0]["id"]))["ok"]
    with pytest.raises(TokenRefused, match="token_revoked"):
        await scene.slack.post(scene.jobs, "hi")
