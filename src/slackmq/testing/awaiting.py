"""The workspace under test for code that awaits: it runs in the test's own event loop."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from slackmq.emulator.faults import faults_of
from slackmq.emulator.launch import embedded
from slackmq.emulator.model import Caller
from slackmq.emulator.seed import Seed, SeedApp, SeedChannel, SeedPerson
from slackmq.emulator.workspace import OPERATOR
from slackmq.testing.resident import CallRefused, Person, TestApp
from slackmq.worker import AsyncWorker

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Mapping, Sequence

    from slackmq.app import App
    from slackmq.emulator.house import House
    from slackmq.emulator.server import Done
    from slackmq.emulator.socket_mode import Connection
    from slackmq.queue import AsyncQueue

__all__ = ["AsyncWorkspace", "async_workspace"]

_T = TypeVar("_T")
_PAGE = 999


@asynccontextmanager
async def async_workspace(
    *,
    channels: Sequence[str] = ("general", "jobs"),
    people: Sequence[str] = ("you", "colleague"),
    apps: Sequence[str] = ("slackmq",),
    beside: Sequence[str] = (),
    limits: bool = False,
    data: Path | None = None,
    port: int = 0,
) -> AsyncGenerator[AsyncWorkspace]:
    """A Slack workspace inside this process, on this machine's own address, gone on leaving.

    Args:
        channels: names of public channels in which everybody is; the first one is the general channel.
        people: names of people; the first one founded the workspace.
        apps: names of apps that may do all that a queue in a channel needs; `install` adds others by manifest.
        beside: names of further workspaces with the same apps, for bots that are installed in several; their people
            and channels are the usual ones, whatever is named above.
        limits: whether Slack's published rate limits apply.
        data: a file that keeps the workspace; None forgets it.
        port: the port; 0 takes a free one.

    Raises:
        slackmq.emulator.launch.CannotStart: the port is taken, or the data file cannot be used.
    """
    seed = Seed(
        channels=tuple(SeedChannel(name=name.removeprefix("#")) for name in channels),
        people=tuple(SeedPerson(name=name) for name in people),
        apps=tuple(SeedApp(name=name) for name in apps),
    )
    async with embedded(port=port, data=data, limits=limits, seed=seed, workspaces=beside) as house:
        yield AsyncWorkspace(house)


class AsyncWorkspace:
    """A running workspace; `async_workspace` starts one.

    People act at once, whatever the rate limits say. What `messages` and `calls` tell is what really happened.
    """

    def __init__(self, house: House) -> None:
        self._house = house
        self._server = house.server

    @property
    def house(self) -> House:
        """The parts of the running workspace."""
        return self._house

    @property
    def url(self) -> str:
        """Base of the Web API, for `WebClient(base_url=…)` and SLACKMQ_URL."""
        return self._house.about().base_url

    @property
    def page_url(self) -> str:
        """The page to look at with a browser."""
        return self._house.about().page_url

    @property
    def team_id(self) -> str:
        """The id of the workspace, "T…"."""
        return self._house.about().team_id

    @property
    def beside(self) -> tuple[AsyncWorkspace, ...]:
        """The further workspaces; their apps have the same ids, app-level tokens and secrets as the first one's."""
        return tuple(AsyncWorkspace(house) for house in self._house.beside)

    @property
    def app(self) -> TestApp:
        """The first app."""
        return self.apps[0]

    @property
    def apps(self) -> tuple[TestApp, ...]:
        """All apps that are installed."""
        rows = self._server.ask(OPERATOR, "emulator.apps.list", {})["apps"]
        return tuple(self._app(row["id"]) for row in rows if not row["revoked"])

    async def install(self, manifest: Mapping[str, Any] | str | Path, *, channels: Sequence[str] = ()) -> TestApp:
        """Install an app from its manifest, which is checked as Slack checks it.

        Args:
            manifest: as an object, as YAML or JSON text, or the file that holds it.
            channels: names or ids of the channels that its bot is invited to.

        Raises:
            CallRefused: invalid_manifest, with what is wrong; channel_not_found.
        """
        match manifest:
            case Path():
                text = await asyncio.to_thread(manifest.read_text, encoding="utf-8")
            case str():
                text = manifest
            case _:
                text = json.dumps(manifest)
        reply = await self._operate("emulator.apps.create", manifest=text, channels=list(channels))
        return self._app(reply["app_id"])

    async def adopt(self, app: TestApp, first: AsyncWorkspace, *, channels: Sequence[str] = ()) -> TestApp:
        """Install an app of the first workspace in this one too.

        Args:
            app: what is installed there.
            first: the first workspace.
            channels: names or ids of the channels that its bot is invited to.

        Raises:
            CallRefused: app_not_found there; app_already_installed or channel_not_found here.
        """
        method = "emulator.apps.export"
        told = _granted(method, first._server.ask(OPERATOR, method, {"app": app.id}))["app"]
        reply = await self._operate("emulator.apps.adopt", app=told, channels=list(channels))
        return self._app(reply["app_id"])

    async def create_channel(self, name: str, *, private: bool = False, person: str = "") -> str:
        """A new channel, opened by a person; returns its id.

        Raises:
            CallRefused: name_taken, and what else conversations.create refuses.
        """
        args = {"name": name.removeprefix("#"), "is_private": private}
        return str((await self.act("conversations.create", person=person, **args))["channel"]["id"])

    async def create_person(self, name: str, *, guest: str = "") -> Person:
        """A new person; `guest` is "restricted" or "ultra_restricted" for one who is invited only.

        Raises:
            CallRefused: name_taken.
        """
        await self._operate("emulator.users.create", name=name, guest=guest)
        return self.person(name)

    async def create_group(self, name: str, *people: str) -> str:
        """A group of these people, named as `person` takes them; returns its id, "S…". Once more: it is these now.

        Raises:
            LookupError: there is nobody of one of these names.
        """
        users = [self.person(each).id for each in people]
        return str((await self._operate("emulator.usergroups.put", handle=name, users=users))["usergroup"]["id"])

    def person(self, name: str = "") -> Person:
        """The person of this name; "" is the founder.

        Raises:
            LookupError: there is nobody of this name.
        """
        for row in self._server.ask(OPERATOR, "emulator.users.list", {})["users"]:
            if name in {"", row["name"]}:
                return Person(id=row["id"], name=row["name"], token=row["token"])
        raise LookupError(f"Nobody in this workspace is called {name!r}: create_person makes one.")

    def channel(self, name: str) -> str:
        """The id of the channel of this name, with or without "#"; an id is given back.

        Raises:
            LookupError: there is no such channel.
        """
        wanted = name.removeprefix("#")
        for row in self._server.ask(OPERATOR, "emulator.channels.list", {})["channels"]:
            if wanted in {row["name"], row["id"]}:
                return str(row["id"])
        if self._server.workspace.members(name):  # a direct message
            return name
        raise LookupError(f"This workspace has no channel {name!r}: create_channel makes one.")

    async def post(self, text: str, *, channel: str, person: str = "", thread: str = "") -> str:
        """A person types a message, or an answer in the thread of the message with ts `thread`; returns its ts.

        Raises:
            CallRefused: what chat.postMessage refuses.
        """
        args = {"channel": self.channel(channel), "text": text, **({"thread_ts": thread} if thread else {})}
        return str((await self.act("chat.postMessage", person=person, **args))["ts"])

    async def react(self, emoji: str, *, channel: str, ts: str, person: str = "") -> None:
        """A person puts an emoji on a message.

        Raises:
            CallRefused: what reactions.add refuses.
        """
        await self.act("reactions.add", person=person, channel=self.channel(channel), timestamp=ts, name=emoji)

    async def act(self, method: str, /, *, person: str = "", **args: object) -> Mapping[str, Any]:
        """Any method of the Web API, called as a person; returns Slack's answer.

        Raises:
            CallRefused: the answer is not ok.
        """
        caller = self._server.workspace.authorize(self.person(person).token)
        if isinstance(caller, str):
            raise CallRefused(method, caller)
        return _granted(method, await self._server.act(caller, method, args))

    async def interact(self, deed: str, /, *, person: str = "", **args: object) -> Mapping[str, Any]:
        """A person uses an app, and waits for its answer, which is `answer` in what is returned.

        Args:
            deed: "command" (`channel`, `text`), "click" (`channel`, `message_ts`, `action_id`), "shortcut"
                (`callback_id`), or "modals.submit" (`view_id`, `values`).
            person: who does it.
            args: as named above.

        Raises:
            CallRefused: there is no such command, element or view.
        """
        method = f"emulator.{deed if '.' in deed else f'interactions.{deed}'}"
        user = self.person(person).id
        return _granted(method, await self._house.desk.perform(method, {"user": user, **args}))

    def messages(self, channel: str, *, thread: str = "") -> list[dict[str, Any]]:
        """The messages of a channel, or of one thread with its parent, oldest first, as they really stand."""
        ident = self.channel(channel)
        reader = Caller(
            type="user", user=self._server.workspace.members(ident)[0], scopes=frozenset({"client"})
        )  # any member sees everything that is there
        method = "conversations.replies" if thread else "conversations.history"
        args: dict[str, object] = {"channel": ident, "limit": _PAGE, "include_all_metadata": True}
        rows: list[dict[str, Any]] = []
        cursor = ""
        while True:
            page = _granted(method, self._server.ask(reader, method, {**args, "ts": thread, "cursor": cursor}))
            rows += page["messages"]
            cursor = page.get("response_metadata", {}).get("next_cursor", "")
            if not cursor:
                return sorted(rows, key=lambda row: str(row["ts"]))

    async def calls(self, since: int = 0) -> list[dict[str, Any]]:
        """Every call that changed the workspace, or tried to, in order, after number `since`.

        Returns:
            Rows with `seq`, `at` (microseconds), `app`, `user`, `method`, `args`, `ok`, `error` and `ts`.
        """
        return await self._server.record(since)

    async def until(
        self,
        channel: str,
        check: Callable[[list[dict[str, Any]]], _T],
        *,
        thread: str = "",
        within: float = 5.0,
    ) -> _T:
        """Wait until `check` finds what it looks for in the channel's messages; returns what it returned.

        It looks after every change and does not poll. `check` gets what `messages` returns, and must not call this
        workspace.

        Args:
            channel: name or id.
            check: what it returns counts as found if it is true.
            thread: ts of the thread's parent, to look into the thread.
            within: seconds to wait.

        Raises:
            TimeoutError: it was not found; the error shows the messages.
        """
        changed = asyncio.Event()

        def heard(_done: Done) -> None:
            changed.set()

        self._server.listen(heard)
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(within):
                    while not (found := check(self.messages(channel, thread=thread))):
                        changed.clear()
                        await changed.wait()
                    return found
        finally:
            self._server.ignore(heard)
        rows = [f"{row['ts']} {row.get('text', '')}" for row in self.messages(channel, thread=thread)]
        raise TimeoutError(f"Not seen within {within:g} s in {channel}. There is: {rows}")

    @asynccontextmanager
    async def working(self, app: App, *, concurrency: int = 4) -> AsyncGenerator[AsyncQueue]:
        """An app of this library at work here while inside, as the workspace's first app; its tasks post here.

        Args:
            app: the app; functions that it gets meanwhile work too.
            concurrency: how many messages are worked on at once.
        """
        async with app.connected(self.app.settings) as queue, asyncio.TaskGroup() as tasks:
            worker = AsyncWorker(queue, app.handlers, concurrency=concurrency, controls=app.controls)
            work = tasks.create_task(worker.run())
            try:
                yield queue
            finally:
                work.cancel()

    def arm(self, *, seed: int = 0, **faults: Any) -> None:
        """From now on let things go wrong for apps: `arm(lost_answer=0.1, seed=7)`; people and the truth stay spared.

        Args:
            seed: decides which calls and events are struck.
            faults: as the attributes of `slackmq.emulator.faults.Faults`; what is left out does not go wrong.

        Raises:
            FaultsUnreadable: there is no such fault, or no such value.
        """
        self._house.weather.arm(faults_of(faults), seed)

    def disarm(self) -> None:
        """From now on nothing goes wrong."""
        self._house.weather.disarm()

    @property
    def suffered(self) -> dict[str, int]:
        """How often each fault struck since it was armed."""
        armed = self._house.weather.armed
        return {} if armed is None else armed["suffered"]

    def connections(self) -> list[Connection]:
        """The open WebSockets of all apps."""
        return self._house.connections()

    def cut(self, *, app: TestApp | None = None) -> int:
        """Break off the Socket Mode connections of an app, or of all, as a network does; returns how many."""
        return self._house.cut(owner=None if app is None else app.id)

    def advance(self, seconds: float) -> None:
        """Put the workspace's clock forward: what is scheduled comes, limits flow back, retries are sent.

        Raises:
            ValueError: time does not go back.
        """
        self._server.move(seconds)

    async def _operate(self, method: str, **args: object) -> Mapping[str, Any]:
        return _granted(method, await self._server.act(OPERATOR, method, args))

    def _app(self, ident: str) -> TestApp:
        info = self._server.ask(OPERATOR, "emulator.apps.info", {"app": ident})
        row = info["app"]
        return TestApp(
            id=ident,
            name=row["name"],
            url=self.url,
            bot_user=row["bot_user"],
            bot_token=row["bot_token"],
            app_token=row["app_token"],
            signing_secret=info["credentials"]["signing_secret"],
            webhooks=tuple(hook["url"] for hook in row["webhooks"]),
        )


def _granted(method: str, reply: Mapping[str, Any]) -> Mapping[str, Any]:
    if not reply["ok"]:
        raise CallRefused(method, reply["error"], reply.get("errors") or reply.get("detail"))
    return reply
