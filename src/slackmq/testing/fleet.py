"""Fleet: a bot of any framework in several processes, what may befall them, and one answer to each post."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager, suppress
from itertools import cycle
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, TypeVar

from slackmq.errors import SlackMQError
from slackmq.testing.answers import Posted, answer_of, tally
from slackmq.testing.replica import Replica

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence
    from contextlib import AbstractContextManager

    from slackmq.emulator.house import House
    from slackmq.emulator.server import Done
    from slackmq.testing.answers import Said, Tally
    from slackmq.testing.blocking import Workspace
    from slackmq.testing.replica import Bot, Environment
    from slackmq.testing.resident import TestApp

__all__ = ["Fleet", "NotStarted", "Replicas"]

_T = TypeVar("_T")

_LOOK = 0.05
"""Seconds between two looks at what nobody tells of: whether a process has ended, or a socket was opened."""
_QUIET = 1.0
"""Seconds after the last answer in which none must follow."""


class NotStarted(SlackMQError):
    """A replica ended, or did not connect in time; the error shows what it printed."""


class Replicas:
    """Runs bots in a workspace; the fixture `replicas`.

    Args:
        slack: the workspace.
    """

    def __init__(self, slack: Workspace) -> None:
        self._slack = slack

    def __call__(
        self,
        n: int,
        bot: Bot,
        *,
        channel: str = "#jobs",
        apps: Sequence[TestApp] = (),
        env: Environment | None = None,
        cwd: Path | str | None = None,
        ready: str = "",
        within: float = 30.0,
    ) -> AbstractContextManager[Fleet]:
        """A bot in so many processes, each of which has opened its socket, ended on leaving.

        Args:
            n: how many.
            bot: a command line; "module:name" of a `slackmq.App`; or a function that stands in a module by itself.
            channel: where the bot listens and answers.
            apps: as which apps they run, in turn; () is all as the first app of the workspace.
            env: further environment variables, or a function that says them of an app; SLACK_BOT_TOKEN,
                SLACK_APP_TOKEN and SLACKMQ_URL are there already. The bot must take the address of Slack's Web API
                from one of them.
            cwd: the folder to start in; None is the current one.
            ready: what it prints when it listens, if it does not yet when it has opened its socket.
            within: seconds in which all must have connected, by Socket Mode or RTM.

        Raises:
            NotStarted: one ended, or did not connect.
        """
        identities = cycle(apps or self._slack.apps[:1])
        return _running(
            self._slack,
            [next(identities) for _ in range(n)],
            bot,
            channel=channel,
            env=env or {},
            cwd=Path(cwd or Path.cwd()),
            ready=ready,
            within=within,
        )


@contextmanager
def _running(
    slack: Workspace,
    apps: Sequence[TestApp],
    bot: Bot,
    *,
    channel: str,
    env: Environment,
    cwd: Path,
    ready: str,
    within: float,
) -> Generator[Fleet]:
    replicas: list[Replica] = []
    with TemporaryDirectory(prefix="slackmq-replicas-") as folder, Fleet(slack, channel, replicas).listening() as fleet:
        try:
            for number, app in enumerate(apps, 1):
                name = f"replica-{number}"
                log = Path(folder) / f"{name}.log"
                replicas.append(Replica(slack, app, name=name, bot=bot, env=env, cwd=cwd, log=log, ready=ready))
                replicas[-1].start()
            fleet.expect_connected(within=within)
            yield fleet
        except BaseException as error:
            for replica in replicas:
                error.add_note(f"{replica.name} printed last:\n{replica.last_words()}")
            raise
        finally:
            for replica in replicas:
                replica.close()


class Fleet:
    """The replicas of a bot. What they did is judged by what stands in the workspace.

    Attributes:
        slack: the workspace, for its faults: `fleet.slack.arm(event_loss=0.2)`.
        channel: where they work.
        replicas: each for itself, to kill, freeze or unplug.
    """

    def __init__(self, slack: Workspace, channel: str, replicas: Sequence[Replica]) -> None:
        self.slack = slack
        self.channel = channel
        self.replicas = replicas
        self._posts: list[Posted] = []
        self._answers: list[Said] = []

    @contextmanager
    def listening(self) -> Generator[Fleet]:
        """Count answers while inside; whoever made the fleet has entered this."""
        server, ident = self.slack.house.server, self.slack.channel(self.channel)

        def heard(done: Done) -> None:
            bots = {replica.app.bot_user for replica in self.replicas}
            for event in done.outcome.events:
                if answer := answer_of(event.inner, channel=ident, bots=bots):
                    self._answers.append(answer)

        self.slack.run(server.listen, heard)
        try:
            yield self
        finally:
            self.slack.run(server.ignore, heard)

    def post(self, text: str, *, says: str | None = None, person: str = "") -> str:
        """A person types a message; returns its ts.

        Args:
            text: what.
            says: the text of the answer; without it whatever a bot says counts as an answer.
            person: who; "" is the founder.
        """
        ts = self.slack.post(text, channel=self.channel, person=person)
        self._posts.append(Posted(ts=ts, text=text, says=says))
        return ts

    def in_hand(self, ts: str, *, within: float = 30.0) -> Replica:
        """The replica that has a post in hand, as soon as one has: that changed it last, by an emoji, a pin, an answer.

        Raises:
            TimeoutError: none has within so many seconds.
        """
        return self._who(self.slack.house.side_doors.changed, ts, within)

    def told_of(self, ts: str, *, within: float = 30.0) -> Replica:
        """The replica that got the event of a post over Socket Mode, as soon as one has; of several, the last.

        Raises:
            TimeoutError: none has within so many seconds.
        """
        return self._who(self.slack.house.side_doors.told_of, ts, within)

    def kill_one(self, *, holding: str = "", told_of: str = "", within: float = 30.0) -> Replica:
        """Kill a replica (`kill -9`), and return it.

        Args:
            holding: ts of a post: the one that has it in hand, for bots that claim.
            told_of: ts of a post: the one that got its event, for bots that show nothing before they answer. Without
                either it is the first that is alive.
            within: seconds to wait for it.

        Raises:
            TimeoutError: there is no such replica within so many seconds.
            NotStarted: none is alive.
        """
        replica = self._one(holding, told_of, within)
        replica.kill()
        return replica

    def freeze_one(self, *, holding: str = "", told_of: str = "", within: float = 30.0) -> Replica:
        """Let a replica stand still (SIGSTOP); its `thaw` lets it go on. Chosen as by `kill_one`."""
        replica = self._one(holding, told_of, within)
        replica.freeze()
        return replica

    def unplug_one(self, *, holding: str = "", told_of: str = "", within: float = 30.0) -> Replica:
        """Take a replica's network away; its `plug` gives it back. Chosen as by `kill_one`."""
        replica = self._one(holding, told_of, within)
        replica.unplug()
        return replica

    def cut(self) -> int:
        """Break off all connections of all replicas, once; returns how many there were."""
        return sum(replica.cut() for replica in self.replicas)

    def restart(self, *, within: float = 30.0) -> None:
        """Start those again that have ended, let all others go on, and wait until all have connected.

        Raises:
            NotStarted: one ended, or did not connect.
        """
        for replica in self.replicas:
            if replica.alive:
                replica.thaw()
                replica.plug()
            replica.start()
        self.expect_connected(within=within)

    def expect_connected(self, *, within: float = 30.0) -> None:
        """Wait until each replica that is alive has a socket open.

        Raises:
            NotStarted: one ended, or did not connect in time.
        """
        house = self.slack.house

        def missing() -> list[Replica]:
            ports = {connection.port for connection in house.connections()}
            return [replica for replica in self.replicas if replica.port not in ports or not replica.ready]

        def settled() -> bool:
            return all(not replica.alive for replica in missing())

        self._until(settled, within)
        if late := self.slack.run(missing):
            what = ", ".join(
                f"{each.name} {'did not connect' if each.alive else 'has ended'}: {each.last_words()}" for each in late
            )
            raise NotStarted(what, remedy="Does it take Slack's address from SLACKMQ_URL? See `env` of `replicas`.")

    def tally(self) -> Tally:
        """What became of the posts so far."""
        return tally(self._posts, self._answers)

    def expect_one_answer_each(self, *, within: float = 30.0, repeats: int = 0, quiet: float = _QUIET) -> Tally:
        """Wait until each post has an answer, and see that none has two.

        An answer stands in the thread of its post, or in the channel itself.

        Args:
            within: seconds in which the answers must come.
            repeats: how many answers there may be too many. A replica that is killed after its answer and before it
                could mark the post leaves a post that looks undone: with a kill at any moment allow 1.
            quiet: seconds after the last answer in which none must follow.

        Raises:
            AssertionError: a post has no answer, or too many have two; it names them.
        """
        self._until(lambda: not self.tally().lost, within)
        self._until(lambda: self.tally().repeated > repeats, quiet)
        found = self.tally()
        if found.lost or found.repeated > repeats:
            counts = f"{found.posts} posts, {found.lost} without an answer, {found.repeated} answers too many"
            raise AssertionError("\n  ".join([f"{counts}, after {within:g} s:", *found.lines]))
        return found

    def _one(self, holding: str, told_of: str, within: float) -> Replica:
        if holding:
            return self.in_hand(holding, within=within)
        if told_of:
            return self.told_of(told_of, within=within)
        alive = next((replica for replica in self.replicas if replica.alive), None)
        if alive is None:
            raise NotStarted("No replica is alive.", remedy="fleet.restart() starts them again.")
        return alive

    def _who(self, port: Callable[[str], int | None], ts: str, within: float) -> Replica:
        def found() -> Replica | None:
            return next((each for each in self.replicas if each.port == port(ts) and each.alive), None)

        if who := self._until(found, within):
            return who
        raise TimeoutError(f"Of {ts} no replica that is alive was seen to know within {within:g} s.")

    def _until(self, check: Callable[[], _T], within: float) -> _T | None:
        """What `check` finds on the workspace's loop as soon as it is true; None if it never is."""
        return self.slack.run(_found, self.slack.house, check, within)


async def _found(house: House, check: Callable[[], _T], within: float) -> _T | None:
    changed = asyncio.Event()

    def heard(_done: Done | None = None) -> None:
        changed.set()

    house.server.listen(heard)
    house.side_doors.watch(heard)
    try:
        with suppress(TimeoutError):
            async with asyncio.timeout(within):
                while not (found := check()):
                    with suppress(TimeoutError):
                        async with asyncio.timeout(_LOOK):
                            await changed.wait()
                    changed.clear()
                return found
    finally:
        house.server.ignore(heard)
        house.side_doors.ignore(heard)
    return None
