"""Live: the calls of a run, carried into a running local workspace, where one can look at them in a browser."""

from __future__ import annotations

import json
from dataclasses import dataclass
from http.client import HTTPConnection
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from slackmq.simulation.record import Called

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from urllib.parse import SplitResult

    from slackmq.simulation.record import Line

__all__ = ["Carried", "Live", "NotThere"]

_TIMEOUT = 10.0
"""Seconds; a workspace on this machine answers within milliseconds."""
_PERSON = "you"
_STAMPS = ("ts", "timestamp", "thread_ts")
"""The arguments that name a message."""


class NotThere(Exception):
    """The running workspace cannot take the run: it does not answer, or has too few apps."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Carried:
    """What came of it.

    Attributes:
        channel: the channel that was made for the run.
        calls: how many calls were carried.
        differences: calls that the running workspace answers otherwise than the simulated one did.
    """

    channel: str
    calls: int
    differences: tuple[str, ...]


class Live:
    """A running workspace; whatever is carried there goes into a new channel.

    The workspace's clock is put forward between two calls by as much as passed between them in the run.

    Args:
        about: what `slackmq emulator --json` printed.
    """

    def __init__(self, about: Mapping[str, Any]) -> None:
        self._base: SplitResult = urlsplit(str(about["base_url"]))
        self._admin = str(about["admin_token"])
        self._person = str(about["users"][0]["token"])
        self._bots = [str(app["bot_token"]) for app in about["apps"]]
        self._stamps: dict[str, str] = {}
        self._theirs: set[str] = set()
        self._channel = ""

    def carry(self, name: str, lines: Sequence[Line], apps: Mapping[str, int]) -> Carried:
        """Make a channel and repeat every write call of a record there, in its order.

        Args:
            name: of the channel; a number is added if there is one of this name.
            lines: the record.
            apps: process -> the number of its app.

        Raises:
            NotThere: nothing answers there, or it has fewer apps than the run had.
        """
        wanted = max(apps.values(), default=0) + 1
        if wanted > len(self._bots):
            raise NotThere(f"The run had {wanted} apps, and the workspace has {len(self._bots)}: add --app.")
        self._open(name)
        differences: list[str] = []
        calls = [line for line in lines if isinstance(line, Called)]
        last = 0.0
        for line in calls:
            self._pass(line.at - last)
            last = line.at
            differences += self._repeat(line, apps.get(line.process, 0))
        return Carried(channel=self._channel, calls=len(calls), differences=tuple(differences))

    def _open(self, name: str) -> None:
        number, made = 1, self._call(self._person, "conversations.create", name=name)
        while made.get("error") == "name_taken":
            number += 1
            made = self._call(self._person, "conversations.create", name=f"{name}-{number}")
        if not made["ok"]:
            raise NotThere(f"No channel can be made there: {made['error']}.")
        self._channel = str(made["channel"]["id"])
        for token in self._bots:
            self._call(token, "conversations.join", channel=self._channel)

    def _repeat(self, line: Called, app: int) -> list[str]:
        """One call more; what is different about its answer."""
        args = {key: value for key, value in line.args.items() if value is not None}
        for key in _STAMPS:
            if key in args:
                args[key] = self._stamps.get(str(args[key]), args[key])
        ours = line.process != _PERSON or args.get("ts") in self._theirs
        token = self._bots[app] if ours else self._person
        reply = self._call(token, line.method, **{**args, "channel": self._channel})
        while reply.get("error") == "ratelimited":
            self._pass(float(reply["retry_after"]))
            reply = self._call(token, line.method, **{**args, "channel": self._channel})
        if reply["ok"] and line.reply.get("ok") and line.method == "chat.postMessage":
            self._stamps[str(line.reply["ts"])] = str(reply["ts"])
            if ours:
                self._theirs.add(str(reply["ts"]))
        then, now = line.reply.get("error", "ok"), reply.get("error", "ok")
        return [] if then == now else [f"{line.at:9.3f} {line}: here {now}"]

    def _pass(self, seconds: float) -> None:
        if seconds > 0:
            self._send("/__admin/clock", self._admin, {"seconds": seconds})

    def _call(self, token: str, method: str, **args: object) -> Mapping[str, Any]:
        return self._send(f"{self._base.path.rstrip('/')}/{method}", token, args)

    def _send(self, path: str, token: str, body: Mapping[str, object]) -> Mapping[str, Any]:
        connection = HTTPConnection(self._base.hostname or "", self._base.port, timeout=_TIMEOUT)
        headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json; charset=utf-8"}
        try:
            connection.request("POST", path, json.dumps(body), headers)
            response = connection.getresponse()
            told: dict[str, Any] = json.loads(response.read())
            return told | {"retry_after": response.getheader("Retry-After", "1")}
        except (OSError, ValueError) as error:
            raise NotThere(f"The workspace at {self._base.netloc} does not answer as one ({error}).") from error
        finally:
            connection.close()
