"""The demo ends when all is done, and not a moment before."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import anyio

from slackmq.cli.house import app
from slackmq.cli.neighbour import Neighbour, NeighbourApp, NeighbourChannel
from slackmq.cli.scene import ALL, Scene
from slackmq.cli.tally import Kill
from slackmq.cli.target import Target

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path


def workspace(reading: Callable[[], object]) -> Neighbour:
    """A workspace with an empty record, where something happens while it is read."""

    class Reading(Neighbour, frozen=True, kw_only=True):
        async def record(self) -> Sequence[Mapping[str, Any]]:
            reading()
            return []

    bot = NeighbourApp(id="A1", name="bot", bot_token="xoxb-1", app_token="xapp-1", bot_user_id="U1")
    channel = NeighbourChannel(id="C1", name=app.channel.removeprefix("#"))
    return Reading(base_url="", page_url="", users=(), channels=(channel,), apps=(bot,), operator_token="")


def test_a_message_that_comes_while_the_record_is_read_is_waited_for(tmp_path: Path) -> None:
    def reading() -> None:
        scene.posted = ALL

    kills = [Kill(worker=1, at=0)]
    scene = Scene(workspace=workspace(reading), workers=(), target=Target(tmp_path / "target"), kills=kills)
    scene.posted = ALL - 1
    anyio.run(scene.look)
    assert not scene.over
    anyio.run(scene.look)
    assert scene.over
