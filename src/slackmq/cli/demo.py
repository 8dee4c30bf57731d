"""`slackmq demo`: three workers, one channel, one worker killed while it holds a job, and an honest tally."""

from __future__ import annotations

import signal
import sys
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, Literal, Protocol

import anyio
from cyclopts import Parameter, validators

from slackmq.cli.children import Children
from slackmq.cli.exits import Exit
from slackmq.cli.house import TARGET
from slackmq.cli.lamp_scene import BOTS, LampScene
from slackmq.cli.retrofit_scene import APPS, RetrofitScene, need_bolt
from slackmq.cli.scene import Scene
from slackmq.cli.screen import opened, sentences
from slackmq.cli.target import Target
from slackmq.clock import SYSTEM

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

    from anyio import CancelScope

    from slackmq.cli.children import Child
    from slackmq.cli.neighbour import Neighbour
    from slackmq.cli.screen import Screen

__all__ = ["demo"]

_WORKERS = 3
_LOOK = 0.25
_SECONDS = {"queue": 60.0, "state": 120.0, "retrofit": 240.0}
"""When a scene ends at the latest."""


class _Stage(Protocol):
    """What can go on after the play."""

    async def obey(self) -> None:
        """Kill whom the page says."""
        ...


def demo(
    scene: Annotated[
        Literal["queue", "state", "retrofit"],
        Parameter(help="What to see: workers and their jobs, bots that keep state, or a Bolt bot with one line more."),
    ] = "queue",
    /,
    *,
    hold: Annotated[bool, Parameter(negative=(), help="Keep the page open afterwards, until Ctrl-C.")] = False,
    seconds: Annotated[
        float | None,
        Parameter(
            validator=validators.Number(gt=0),
            help="It ends by then, done or not.  [60; 120 for state, 240 for retrofit]",
        ),
    ] = None,
    port: Annotated[
        int, Parameter(validator=validators.Number(gte=0, lte=65535), help="Of the page; 0 takes a free one.")
    ] = 0,
) -> int:
    """See it work: three workers, people's messages and a program's jobs in one channel, one worker killed -9.

    The tally comes from the workspace's own record and from what the handlers' target saw. Exit status 1 if a job was
    lost, or repeated without a lapsed lease.

    `slackmq demo state`: three bots, one lamp that one sets and another reads, a counter that two raise to 200 at
    once; then all are killed -9 and their folder is deleted. Exit status 1 if value, history or author is lost.

    `slackmq demo retrofit`: an ordinary Bolt bot in two processes that answers twice as two apps, and never where one
    process is killed after its acknowledgement; then the same with one line more. Exit status 1 if that does not show.
    """
    if scene == "retrofit":
        need_bolt()
    within = seconds or _SECONDS[scene]
    return anyio.run(partial(_demo, scene, hold=hold, seconds=within, port=port))


async def _demo(scene: Literal["queue", "state", "retrofit"], *, hold: bool, seconds: float, port: int) -> Exit:
    ended: list[Exit] = []
    play = _PLAYS[scene]
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(_stop_on_signal, tasks.cancel_scope)
        with TemporaryDirectory(prefix="slackmq-demo-") as folder:
            async with Children.of(Path(folder)) as children:
                deadline = anyio.current_time() + seconds
                status, stage = await play(children, Path(folder), port, deadline)
                ended.append(status)
                if hold:
                    sys.stdout.write("The page stays open until Ctrl-C; ☠ at its foot kills a worker.\n")
                    sys.stdout.flush()
                    await stage.obey()
        tasks.cancel_scope.cancel()
    return ended[0] if ended else Exit.INTERRUPTED


async def _play_state(children: Children, folder: Path, port: int, deadline: float) -> tuple[Exit, LampScene]:
    scene = LampScene(workspace=await _workspace(children, port, BOTS), children=children, machine=folder / "machine")
    verdict = ["", "  WRONG: it did not come to its end in time"]
    with anyio.CancelScope(deadline=deadline):
        verdict = await scene.play()
    sys.stdout.write("\n".join([*verdict, ""]))
    sys.stdout.flush()
    return (Exit.DOES_NOT_HOLD if scene.faults else Exit.OK), scene


async def _play_retrofit(children: Children, folder: Path, port: int, deadline: float) -> tuple[Exit, RetrofitScene]:
    scene = RetrofitScene(workspace=await _workspace(children, port, APPS), children=children, folder=folder)
    with anyio.CancelScope(deadline=deadline):
        await scene.play()
    sys.stdout.write("\n".join([*scene.verdict(), ""]))
    sys.stdout.flush()
    return (Exit.DOES_NOT_HOLD if scene.faults else Exit.OK), scene


async def _workspace(children: Children, port: int, apps: Sequence[str] = ()) -> Neighbour:
    workspace = await children.workspace(port, apps)
    sys.stdout.write(f"Watch it in a browser: {workspace.page_url}\n")
    sys.stdout.flush()
    return workspace


async def _staged(children: Children, folder: Path, port: int) -> Scene:
    workspace = await _workspace(children, port)
    target = folder / "target.jsonl"
    workers = [_worker(children, workspace, target, f"worker-{number}") for number in range(1, _WORKERS + 1)]
    return Scene(workspace=workspace, workers=workers, target=Target(target))


async def _play(children: Children, folder: Path, port: int, deadline: float) -> tuple[Exit, Scene]:
    scene = await _staged(children, folder, port)
    with opened() as screen:
        await _run(scene, screen, deadline)
    found = scene.tally()
    sys.stdout.write("\n".join([*sentences(found, scene), ""]))
    sys.stdout.flush()
    return (Exit.OK if scene.over and found.holds else Exit.DOES_NOT_HOLD), scene


def _worker(children: Children, workspace: Neighbour, target: Path, name: str) -> Child:
    mine = workspace.app()
    return children.start(
        name,
        ["worker", "slackmq.cli.house:app", "-c", "2", "--name", name],
        {
            "SLACKMQ_URL": workspace.base_url,
            "SLACK_BOT_TOKEN": mine.bot_token,
            "SLACK_APP_TOKEN": mine.app_token,
            TARGET: str(target),
        },
    )


async def _run(scene: Scene, screen: Screen, deadline: float) -> None:
    """Until all is done, or the time is over."""
    with anyio.CancelScope(deadline=deadline):
        async with anyio.create_task_group() as tasks:
            for task in (scene.person, scene.program, scene.killer, scene.obey):
                tasks.start_soon(task)
            while not scene.over:
                await scene.look()
                screen.show(scene)
                await SYSTEM.sleep(_LOOK)
            tasks.cancel_scope.cancel()
    with anyio.CancelScope(shield=True):
        await scene.look()
    screen.show(scene)


_PLAYS: Mapping[str, Callable[[Children, Path, int, float], Awaitable[tuple[Exit, _Stage]]]] = {
    "queue": _play,
    "state": _play_state,
    "retrofit": _play_retrofit,
}


async def _stop_on_signal(scope: CancelScope) -> None:
    with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM, signal.SIGHUP) as signals:
        async for _ in signals:
            scope.cancel()
