"""`slackmq demo`: three workers, one channel, one worker killed while it holds a job, and an honest tally."""

from __future__ import annotations

import signal
import sys
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated

import anyio
from cyclopts import Parameter, validators

from slackmq.cli.children import Children
from slackmq.cli.exits import Exit
from slackmq.cli.house import TARGET
from slackmq.cli.scene import Scene
from slackmq.cli.screen import opened, sentences
from slackmq.cli.target import Target
from slackmq.clock import SYSTEM

if TYPE_CHECKING:
    from anyio import CancelScope

    from slackmq.cli.children import Child
    from slackmq.cli.neighbour import Neighbour
    from slackmq.cli.screen import Screen

__all__ = ["demo"]

_WORKERS = 3
_LOOK = 0.25


def demo(
    *,
    hold: Annotated[bool, Parameter(negative=(), help="Keep the page open afterwards, until Ctrl-C.")] = False,
    seconds: Annotated[float, Parameter(validator=validators.Number(gt=0), help="It ends by then, done or not.")] = 60,
    port: Annotated[
        int, Parameter(validator=validators.Number(gte=0, lte=65535), help="Of the page; 0 takes a free one.")
    ] = 0,
) -> int:
    """See it work: three workers, people's messages and a program's jobs in one channel, one worker killed -9.

    The tally comes from the workspace's own record and from what the handlers' target saw. Exit status 1 if a job was
    lost, or repeated without a lapsed lease.
    """
    return anyio.run(partial(_demo, hold=hold, seconds=seconds, port=port))


async def _demo(*, hold: bool, seconds: float, port: int) -> Exit:
    ended: list[Exit] = []
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(_stop_on_signal, tasks.cancel_scope)
        with TemporaryDirectory(prefix="slackmq-demo-") as folder:
            async with Children.of(Path(folder)) as children:
                deadline = anyio.current_time() + seconds
                scene = await _staged(children, Path(folder), port)
                ended.append(await _play(scene, deadline))
                if hold:
                    sys.stdout.write("The page stays open until Ctrl-C; ☠ at its foot kills a worker.\n")
                    sys.stdout.flush()
                    await scene.obey()
        tasks.cancel_scope.cancel()
    return ended[0] if ended else Exit.INTERRUPTED


async def _staged(children: Children, folder: Path, port: int) -> Scene:
    workspace = await children.workspace(port)
    sys.stdout.write(f"Watch it in a browser: {workspace.page_url}\n")
    sys.stdout.flush()
    target = folder / "target.jsonl"
    workers = [_worker(children, workspace, target, f"worker-{number}") for number in range(1, _WORKERS + 1)]
    return Scene(workspace=workspace, workers=workers, target=Target(target))


async def _play(scene: Scene, deadline: float) -> Exit:
    with opened() as screen:
        await _run(scene, screen, deadline)
    found = scene.tally()
    sys.stdout.write("\n".join([*sentences(found, scene), ""]))
    sys.stdout.flush()
    return Exit.OK if scene.over and found.holds else Exit.DOES_NOT_HOLD


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


async def _stop_on_signal(scope: CancelScope) -> None:
    with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM, signal.SIGHUP) as signals:
        async for _ in signals:
            scope.cancel()
