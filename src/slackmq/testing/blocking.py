"""The workspace under test for code that does not await: it runs on a thread of its own."""

from __future__ import annotations

from contextlib import contextmanager
from functools import partial, wraps
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar, overload

from anyio.from_thread import start_blocking_portal

from slackmq.testing.awaiting import AsyncWorkspace, async_workspace

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Generator, Sequence
    from pathlib import Path

    from anyio.from_thread import BlockingPortal

    from slackmq.app import App
    from slackmq.emulator.house import House
    from slackmq.emulator.socket_mode import Connection
    from slackmq.queue import AsyncQueue
    from slackmq.testing.resident import Person, TestApp

__all__ = ["Workspace", "workspace"]

_P = ParamSpec("_P")
_R = TypeVar("_R")


def _blocking(
    method: Callable[Concatenate[AsyncWorkspace, _P], Awaitable[_R]],
) -> Callable[Concatenate[Workspace, _P], _R]:
    """The blocking twin of an async method: same parameters, same result, same docstring."""

    @wraps(method)
    def call(self: Workspace, /, *args: _P.args, **kwargs: _P.kwargs) -> _R:
        portal, there = self._there  # pyright: ignore[reportPrivateUsage]  # a method of the class, written outside it
        return portal.call(partial(method, there, *args, **kwargs))

    return call


class Workspace:
    """A running workspace; `workspace` starts one. Every method does what its twin of `AsyncWorkspace` does.

    People act at once, whatever the rate limits say. What `messages` and `calls` tell is what really happened.
    """

    def __init__(self, portal: BlockingPortal, there: AsyncWorkspace) -> None:
        self._there = portal, there

    @property
    def url(self) -> str:
        """Base of the Web API, for `WebClient(base_url=…)` and SLACKMQ_URL."""
        return self._there[1].url

    @property
    def page_url(self) -> str:
        """The page to look at with a browser."""
        return self._there[1].page_url

    @property
    def team_id(self) -> str:
        """The id of the workspace, "T…"."""
        portal, there = self._there
        return portal.call(lambda: there.team_id)

    @property
    def beside(self) -> tuple[Workspace, ...]:
        """The further workspaces; their apps have the same ids, app-level tokens and secrets as the first one's."""
        portal, there = self._there
        return tuple(Workspace(portal, each) for each in portal.call(lambda: there.beside))

    def adopt(self, app: TestApp, first: Workspace, *, channels: Sequence[str] = ()) -> TestApp:
        """Install an app of the first workspace in this one too.

        Raises:
            CallRefused: app_not_found there; app_already_installed or channel_not_found here.
        """
        (portal, there), (_, other) = self._there, first._there
        return portal.call(partial(there.adopt, app, other, channels=channels))

    @property
    def app(self) -> TestApp:
        """The first app."""
        return self.apps[0]

    @property
    def apps(self) -> tuple[TestApp, ...]:
        """All apps that are installed."""
        portal, there = self._there
        return portal.call(lambda: there.apps)

    def person(self, name: str = "") -> Person:
        """The person of this name; "" is the founder."""
        portal, there = self._there
        return portal.call(there.person, name)

    def channel(self, name: str) -> str:
        """The id of the channel of this name, with or without "#"."""
        portal, there = self._there
        return portal.call(there.channel, name)

    def messages(self, channel: str, *, thread: str = "") -> list[dict[str, Any]]:
        """The messages of a channel, or of one thread with its parent, oldest first, as they really stand."""
        portal, there = self._there
        return portal.call(partial(there.messages, channel, thread=thread))

    @property
    def suffered(self) -> dict[str, int]:
        """How often each fault struck since it was armed."""
        portal, there = self._there
        return portal.call(lambda: there.suffered)

    def arm(self, *, seed: int = 0, **faults: Any) -> None:
        """From now on let things go wrong for apps: `arm(lost_answer=0.1, seed=7)`; people and the truth stay spared.

        Raises:
            FaultsUnreadable: there is no such fault, or no such value.
        """
        portal, there = self._there
        portal.call(partial(there.arm, seed=seed, **faults))

    def disarm(self) -> None:
        """From now on nothing goes wrong."""
        portal, there = self._there
        portal.call(there.disarm)

    def connections(self) -> list[Connection]:
        """The open WebSockets of all apps."""
        portal, there = self._there
        return portal.call(there.connections)

    def cut(self, *, app: TestApp | None = None) -> int:
        """Break off the Socket Mode connections of an app, or of all, as a network does; returns how many."""
        portal, there = self._there
        return portal.call(partial(there.cut, app=app))

    @property
    def house(self) -> House:
        """The parts of the running workspace; what they do is done inside `run`."""
        return self._there[1].house

    @overload
    def run(self, function: Callable[_P, Awaitable[_R]], *args: _P.args, **kwargs: _P.kwargs) -> _R: ...
    @overload
    def run(self, function: Callable[_P, _R], *args: _P.args, **kwargs: _P.kwargs) -> _R: ...
    def run(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Call a function on the workspace's event loop, and await what it returns: `run(resize.post, "cat.png")`."""
        return self._there[0].call(partial(function, *args, **kwargs))

    @contextmanager
    def working(self, app: App, *, concurrency: int = 4) -> Generator[AsyncQueue]:
        """An app of this library at work here while inside, as the workspace's first app; its tasks post here."""
        portal, there = self._there
        with portal.wrap_async_context_manager(there.working(app, concurrency=concurrency)) as queue:
            yield queue

    def advance(self, seconds: float) -> None:
        """Put the workspace's clock forward: what is scheduled comes, limits flow back, retries are sent."""
        portal, there = self._there
        portal.call(there.advance, seconds)

    install = _blocking(AsyncWorkspace.install)
    create_channel = _blocking(AsyncWorkspace.create_channel)
    create_person = _blocking(AsyncWorkspace.create_person)
    create_group = _blocking(AsyncWorkspace.create_group)
    post = _blocking(AsyncWorkspace.post)
    react = _blocking(AsyncWorkspace.react)
    act = _blocking(AsyncWorkspace.act)
    interact = _blocking(AsyncWorkspace.interact)
    calls = _blocking(AsyncWorkspace.calls)

    def until(
        self,
        channel: str,
        check: Callable[[list[dict[str, Any]]], _R],
        *,
        thread: str = "",
        within: float = 5.0,
    ) -> _R:
        """Wait until `check` finds what it looks for in the channel's messages; returns what it returned.

        `check` gets what `messages` returns, and must not call this workspace.

        Raises:
            TimeoutError: it was not found within so many seconds.
        """
        portal, there = self._there
        return portal.call(partial(there.until, channel, check, thread=thread, within=within))


@contextmanager
def workspace(
    *,
    channels: Sequence[str] = ("general", "jobs"),
    people: Sequence[str] = ("you", "colleague"),
    apps: Sequence[str] = ("slackmq",),
    beside: Sequence[str] = (),
    limits: bool = False,
    data: Path | None = None,
    port: int = 0,
) -> Generator[Workspace]:
    """A Slack workspace inside this process, on a thread of its own, gone on leaving.

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
    inside = async_workspace(
        channels=channels, people=people, apps=apps, beside=beside, limits=limits, data=data, port=port
    )
    with start_blocking_portal() as portal, portal.wrap_async_context_manager(inside) as there:
        yield Workspace(portal, there)
