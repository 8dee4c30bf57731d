"""What `slackmq.slack.surfacing.Surfaces` promises, and blocks in messages, asked of every Slack there is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from slackmq.errors import MissingScope, Refused
from slackmq.message import Mrkdwn

if TYPE_CHECKING:
    from slackmq.slack.surfacing import Block

    from .conftest import Scene

BUTTON: dict[str, Any] = {
    "type": "actions",
    "block_id": "b",
    "elements": [
        {"type": "button", "action_id": "go", "value": "v", "text": {"type": "plain_text", "text": "Go"}},
    ],
}


def section(text: str) -> Block:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


async def person(scene: Scene) -> str:
    return str((await scene.apply(scene.person_token, "auth.test"))["user_id"])


async def shown(scene: Scene, ts: str) -> list[str]:
    """The types of a message's blocks."""
    rows = await scene.apply(scene.person_token, "conversations.history", channel=scene.jobs, oldest="0")
    row = next(row for row in rows["messages"] if row["ts"] == ts)
    return [block["type"] for block in row.get("blocks", ())]


async def test_blocks_are_shown_until_an_edit_takes_them_away(scene: Scene) -> None:
    ts = await scene.slack.post(scene.jobs, "press", blocks=[section("Press *it*"), BUTTON])
    assert await shown(scene, ts) == ["section", "actions"]
    await scene.slack.edit(scene.jobs, ts, Mrkdwn("*pressed*"), blocks=())
    assert "actions" not in await shown(scene, ts)
    seen = await scene.slack.row(scene.jobs, ts)
    assert seen is not None
    assert seen.text == "*pressed*"


async def test_more_blocks_than_a_message_has_are_refused(scene: Scene) -> None:
    with pytest.raises(Refused, match="invalid_blocks"):
        await scene.slack.post(scene.jobs, "press", blocks=[section(str(number)) for number in range(51)])


async def test_a_whisper_is_in_no_history(scene: Scene) -> None:
    user, ts = await person(scene), await scene.slack.post(scene.jobs, "a job")
    await scene.slack.surfaces.whisper(scene.jobs, user, "<no>", thread=ts)
    assert await scene.slack.replies(scene.jobs, ts) == ()


async def test_a_whisper_to_somebody_who_is_not_there_is_refused(scene: Scene) -> None:
    me = await scene.slack.identity()
    await scene.apply(scene.person_token, "conversations.kick", channel=scene.jobs, user=me.user)
    await scene.apply(scene.person_token, "conversations.invite", channel=scene.empty, users=me.user)
    other = await scene.other.identity()
    with pytest.raises(Refused, match="user_not_in_channel"):
        await scene.slack.surfaces.whisper(scene.empty, other.user, "hi")


async def test_a_home_tab_is_replaced_by_what_is_published(scene: Scene) -> None:
    user = await person(scene)
    app = (await scene.operate("emulator.apps.list"))["apps"][0]["id"]
    for text in ("once", "twice"):
        await scene.slack.surfaces.publish(user, [section(text), BUTTON])
    opened = await scene.operate("emulator.modals.home", app=app, user=user)
    assert [block["type"] for block in opened["view"]["blocks"]] == ["section", "actions"]
    assert opened["view"]["blocks"][0]["text"]["text"] == "twice"


async def test_a_home_tab_has_a_hundred_blocks_at_most(scene: Scene) -> None:
    user = await person(scene)
    await scene.slack.surfaces.publish(user, [section(str(number)) for number in range(100)])
    with pytest.raises(Refused):
        await scene.slack.surfaces.publish(user, [section(str(number)) for number in range(101)])


async def test_a_group_is_its_people_of_now(scene: Scene) -> None:
    user, other = await person(scene), (await scene.other.identity()).user
    made = await scene.operate("emulator.usergroups.put", handle="deployers", users=[user, other])
    group = made["usergroup"]["id"]
    assert await scene.slack.surfaces.members(group) == {user, other}
    await scene.operate("emulator.usergroups.put", handle="deployers", users=[user])
    assert await scene.twin.surfaces.members(group) == {user}


async def test_a_group_that_is_not_there_or_not_to_be_read_is_refused(scene: Scene) -> None:
    with pytest.raises(Refused, match="no_such_subteam"):
        await scene.slack.surfaces.members("S0NONE")
    with pytest.raises(MissingScope) as caught:
        await scene.poor.surfaces.members("S0NONE")
    assert caught.value.needed == "usergroups:read"
