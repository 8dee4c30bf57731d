"""`slackmq emulator`: a Slack of this machine, in the foreground."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import anyio
import msgspec
from cyclopts import Parameter, validators

from slackmq.cli.local import PORT, Home
from slackmq.cli.neighbour import Neighbour
from slackmq.emulator.launch import CannotStart, serve
from slackmq.errors import ConfigurationError

if TYPE_CHECKING:
    from slackmq.emulator.launch import About

__all__ = ["emulator"]


def emulator(
    *,
    port: Annotated[
        int | None, Parameter(validator=validators.Number(gte=0, lte=65535), help=f"0 takes a free one.  [{PORT}]")
    ] = None,
    data: Annotated[Path | None, Parameter(help="File that keeps the workspace; made if it is missing.")] = None,
    limits: Annotated[Literal["on", "off"], Parameter(help="Whether Slack's published rate limits apply.")] = "on",
    app: Annotated[
        tuple[str, ...], Parameter(negative=(), help="Install an app of this name; may be given several times.")
    ] = (),
    json: Annotated[bool, Parameter(negative=(), help="Print one JSON object as the first line.")] = False,
) -> None:
    """Run a Slack of this machine: Web API, Socket Mode, and a page for the browser, until Ctrl-C.

    Without --port and --data it is the workspace that --local stands for everywhere else, kept in your data folder.
    With --port alone it forgets everything at its end.
    """
    home = Home.of_user() if (port is None and data is None) or _is_home(data) else None
    anyio.run(
        _serve,
        home,
        PORT if port is None else port,
        home.data if home else data,
        limits == "on",
        app,
        json,
    )


def _is_home(data: Path | None) -> bool:
    return data is not None and data.absolute() == Home.of_user().data


async def _serve(
    home: Home | None, port: int, data: Path | None, limits: bool, apps: tuple[str, ...], as_json: bool
) -> None:
    noted: Neighbour | None = None

    def ready(about: About) -> None:
        nonlocal noted
        neighbour = msgspec.convert(about.to_json(), Neighbour)
        if home is not None:
            home.note(noted := neighbour)
        line = msgspec.json.encode(about.to_json()).decode() + "\n" if as_json else _readable(neighbour, data)
        sys.stdout.write(line)
        sys.stdout.flush()

    try:
        await serve(port=port, data=data, limits=limits, apps=apps, ready=ready)
    except CannotStart as error:
        raise ConfigurationError(error.cause, remedy=error.remedy) from error
    finally:
        if home is not None and noted is not None:
            home.forget(noted)


def _readable(neighbour: Neighbour, data: Path | None) -> str:
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
    return "\n".join([*lines, "Ctrl-C ends it.\n"])
