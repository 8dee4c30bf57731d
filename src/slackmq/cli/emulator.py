"""`slackmq emulator`: a Slack of this machine, in the foreground."""

from __future__ import annotations

import os
import sys
from functools import partial
from pathlib import Path  # noqa: TC003  # the command reads the annotations
from typing import TYPE_CHECKING, Annotated, Literal, Protocol

import anyio
import msgspec
from cyclopts import Parameter, validators

from slackmq.cli.local import PORT, Home
from slackmq.cli.neighbour import Neighbour
from slackmq.emulator.faults import FaultsUnreadable, faults_said
from slackmq.emulator.launch import CannotStart, serve
from slackmq.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from slackmq.emulator.faults import Faults
    from slackmq.emulator.launch import About

__all__ = ["emulator"]


class _Run(Protocol):
    """`serve` with everything but whom to tell."""

    def __call__(self, *, ready: Callable[[About], None]) -> Awaitable[None]: ...


def emulator(
    *,
    port: Annotated[
        int | None, Parameter(validator=validators.Number(gte=0, lte=65535), help=f"0 takes a free one.  [{PORT}]")
    ] = None,
    host: Annotated[
        str, Parameter(help="Address to listen at; any but this machine's own lets your whole network in.")
    ] = "127.0.0.1",
    data: Annotated[Path | None, Parameter(help="File that keeps the workspace; made if it is missing.")] = None,
    limits: Annotated[Literal["on", "off"], Parameter(help="Whether Slack's published rate limits apply.")] = "on",
    app: Annotated[
        tuple[str, ...], Parameter(negative=(), help="Install an app of this name; may be given several times.")
    ] = (),
    workspace: Annotated[
        tuple[str, ...],
        Parameter(negative=(), help="Run a further workspace with the same apps; may be given several times."),
    ] = (),
    faults: Annotated[
        str, Parameter(help="What goes wrong, as lost_answer=0.1,lag=3,reorder; the reference names all.")
    ] = "",
    seed: Annotated[int, Parameter(help="Decides which calls and events the faults strike.")] = 0,
    admin: Annotated[Literal["here", "anywhere"], Parameter(help="From where /__admin/ can be reached.")] = "here",
    json: Annotated[bool, Parameter(negative=(), help="Print one JSON object as the first line.")] = False,
) -> None:
    """Run a Slack of this machine: Web API, Socket Mode, and a page for the browser, until Ctrl-C.

    Without --port and --data it is the workspace that --local stands for everywhere else, kept in your data folder.
    With --port alone it forgets everything at its end.
    """
    os.umask(0o077)  # the file holds what everybody wrote, and the tokens
    home = Home.of_user() if (port is None and data is None) or _is_home(data) else None
    run = partial(
        serve,
        host=host,
        port=PORT if port is None else port,
        data=home.data if home else data,
        limits=limits == "on",
        apps=app,
        workspaces=workspace,
        faults=_faults(faults),
        seed=seed,
        admin_anywhere=admin == "anywhere",
    )
    anyio.run(_serve, run, home, _json if json else partial(_readable, data=home.data if home else data))


def _faults(text: str) -> Faults | None:
    try:
        return faults_said(text) if text else None
    except FaultsUnreadable as error:
        raise ConfigurationError(str(error), remedy="Write them as --faults lost_answer=0.1,lag=3.") from error


def _is_home(data: Path | None) -> bool:
    return data is not None and data.absolute() == Home.of_user().data


async def _serve(run: _Run, home: Home | None, introduction: Callable[[Neighbour], str]) -> None:
    noted: Neighbour | None = None

    def ready(about: About) -> None:
        nonlocal noted
        neighbour = msgspec.convert(about.to_json(), Neighbour)
        if home is not None:
            home.note(noted := neighbour)
        sys.stdout.write(introduction(neighbour))
        sys.stdout.flush()

    try:
        await run(ready=ready)
    except CannotStart as error:
        raise ConfigurationError(error.cause, remedy=error.remedy) from error
    finally:
        if home is not None and noted is not None:
            home.forget(noted)


def _json(neighbour: Neighbour) -> str:
    return msgspec.json.encode(neighbour).decode() + "\n"


def _readable(neighbour: Neighbour, *, data: Path | None) -> str:
    lines = [
        f"A Slack of this machine is running; open {neighbour.page_url}",
        f"Channels: {', '.join(f'#{channel.name}' for channel in neighbour.channels)}",
        f"Kept in {data}" if data else "Kept nowhere: it forgets everything at its end",
    ]
    for app in neighbour.apps:
        lines += [
            f"To speak to it as the app {app.name}:",
            f"  export SLACKMQ_URL={neighbour.base_url}",
            f"  export SLACK_BOT_TOKEN={app.bot_token} SLACK_APP_TOKEN={app.app_token}",
        ]
    for further in neighbour.beside:
        lines.append(f"The workspace {further.team} ({further.team_id}): open {further.page_url}")
        lines += [f"  its token of the app {app.name}: {app.bot_token}" for app in further.apps]
    lines += ["To arm faults, cut connections and move the clock:", f"  {_admin(neighbour)}"]
    return "\n".join([*lines, "Ctrl-C ends it.\n"])


def _admin(neighbour: Neighbour) -> str:
    return f"curl -H 'Authorization: Bearer {neighbour.admin_token}' {neighbour.page_url}__admin/"
