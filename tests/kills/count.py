"""`python -m tests.kills.count`: eight processes of two apps raise one counter to 2,000 under kill -9."""

from __future__ import annotations

import argparse
import asyncio
import json
import secrets
import shutil
import signal
import sys
import tempfile
from collections import Counter
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.kills.counting import KEY, TIMING, CountingLife, count
from tests.kills.fleet import Fleet
from tests.kills.pages import Pages, now
from tests.kills.plan import Plan
from tests.kills.proxy import Proxy
from tests.kills.workspace import LocalWorkspace

from slackmq.kv.entry import Kind
from slackmq.kv.secret import Secret
from slackmq.kv.store import AsyncStore
from slackmq.slack.connect import Settings, open_slack

if TYPE_CHECKING:
    from collections.abc import Sequence

    from slackmq.kv.entry import Change

_APPS = ("alpha", "beta")
_LATE = 2.0
"""A call that takes effect late does so within three times so many seconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What became of a count.

    Attributes:
        goal: where the counter should stop.
        values: the values that it took, in order.
        answered: value and revision that processes were told.
        unanswered: how often a process asked, and never knew what became of it.
        wrong: what is wrong with it; nothing is as it should be.
    """

    goal: int
    values: tuple[int, ...]
    answered: int
    unanswered: int
    wrong: tuple[str, ...]


def judged(goal: int, changes: Sequence[Change], told: Sequence[dict[str, Any]]) -> Verdict:
    """Hold what the log says against what processes were told."""
    wrong: list[str] = []
    stood = [(change.entry.value, change.revision) for change in changes if change.entry is not None]
    values = tuple(int(str(value)) for value, _ in stood)
    if any(change.kind is not Kind.PUT for change in changes):
        wrong.append("somebody deleted the counter")
    if values != tuple(range(1, goal + 1)):
        wrong.append(f"it should have counted from 1 to {goal}: {values}")
    answered = [(line["value"], line["revision"]) for line in told if "answered" in line]
    wrong += [f"{value} was told in revision {at}, and does not stand there" for value, at in {*answered} - {*stood}]
    wrong += [f"{value} was told twice" for (value, _), times in Counter(answered).items() if times > 1]
    asked = sum("asked" in line for line in told)
    unanswered = asked - len(answered) - sum("refused" in line for line in told)
    if len(values) > len(answered) + unanswered:
        wrong.append(f"it counted {len(values)}, and {len(answered)} + {unanswered} were asked for")
    return Verdict(goal=goal, values=values, answered=len(answered), unanswered=unanswered, wrong=tuple(wrong))


class Count:
    """One count in a folder of its own.

    Args:
        plan: how often calls go astray, and who is struck.
        folder: where everything is written down.
        goal: where the counter shall stop.
        processes: how many there are at a time.
        every: seconds between two kills, about.
        secret: the store's key; "" for none.
        cached: whether each place has a cache file.
        within: seconds after which it has failed.
    """

    def __init__(
        self,
        plan: Plan,
        folder: Path,
        *,
        goal: int,
        processes: int,
        every: float,
        secret: str,
        cached: bool,
        within: float,
    ) -> None:
        self._plan = plan
        self._folder = folder
        self._goal = goal
        self._processes = processes
        self._every = every
        self._secret = secret
        self._cached = cached
        self._within = within
        self._pages = Pages(folder)
        self._workspace = LocalWorkspace(folder, _APPS)

    async def play(self) -> tuple[Verdict, str]:
        """From the first process to the verdict, and the figures."""
        self._pages.make()
        async with AsyncExitStack() as stack:
            stack.push_async_callback(self._workspace.kill)
            await self._workspace.start()
            fleet = Fleet(self._plan, self._pages, self._birth, count)
            self._proxy = Proxy(self._workspace.neighbour.base_url, self._plan, self._pages, fleet.pid)
            await stack.enter_async_context(self._proxy.open())
            stack.callback(fleet.close)
            began = now()
            for number in range(self._processes):
                fleet.start(f"w{number}")
            keeping, striking = asyncio.create_task(fleet.keep()), asyncio.create_task(self._strike(fleet))
            while not self._full() and now() - began < self._within:  # noqa: ASYNC110  # the dead send no events
                await asyncio.sleep(0.2)  # noqa: TID251  # real time is the point
            striking.cancel()
            keeping.cancel()
            took = now() - began
            fleet.close()
            self._proxy.calm = True
            while self._proxy.under_way:  # noqa: ASYNC110  # as above
                await asyncio.sleep(0.2)  # noqa: TID251  # what is under way may take effect still
            changes, records = await self._read()
            verdict = judged(self._goal, changes, self._told())
        verdict = replace(verdict, wrong=(*verdict.wrong, *fleet.crashes))
        figures = (
            f"the counter stands at {verdict.values[-1] if verdict.values else 0}: {verdict.answered} answered, "
            f"{verdict.unanswered} never; {fleet.kills} kills, {self._proxy.astray} calls astray, {records} records, "
            f"{took:.0f} s"
        )
        return verdict, figures

    async def _strike(self, fleet: Fleet[CountingLife]) -> None:
        dice = self._plan.dice("strikes")
        while True:
            await asyncio.sleep(self._every * dice.uniform(0.5, 1.5))  # noqa: TID251  # real time is the point
            if dice.random() < 0.02:
                fleet.strike_all(signal.SIGKILL)
            else:
                fleet.strike(signal.SIGKILL, dice.random(), workers=True)

    def _birth(self, place: str, name: str, number: int) -> CountingLife:
        del number
        index = int(place[1:])
        app = self._workspace.neighbour.app(_APPS[index % 2])
        return CountingLife(
            name=name,
            url=self._proxy.url(name),
            token=app.bot_token,
            app_token=app.app_token if index % 4 else None,
            folder=self._folder,
            goal=self._goal,
            secret=self._secret,
            cache=self._folder / f"{place}.db" if self._cached else None,
        )

    def _told(self) -> list[dict[str, Any]]:
        path = self._folder / "counts.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def _full(self) -> bool:
        return any("full" in line for line in self._told()[-200:])

    async def _read(self) -> tuple[list[Change], int]:
        app = self._workspace.neighbour.app(_APPS[0])
        settings = Settings(token=app.bot_token, url=self._workspace.neighbour.base_url)
        secret = Secret(self._secret, encrypt=True) if self._secret else Secret()
        async with (
            open_slack(settings) as slack,
            AsyncStore(slack, "#jobs", timing=TIMING, secret=secret) as store,
        ):
            await store.head(KEY, fresh=True)
            return await store.history(KEY), store.status().records


def main(argv: Sequence[str] | None = None) -> int:
    """Count as the arguments say; 1 if the counter is wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.kills.count", description=__doc__)
    parser.add_argument("--goal", type=int, default=2_000, help="where the counter shall stop")
    parser.add_argument("--processes", type=int, default=8, help="how many at a time")
    parser.add_argument("--every", type=float, default=1.0, help="seconds between two kills, about")
    parser.add_argument("--seed", type=int, help="drawn at random if not given")
    parser.add_argument("--encrypt", action="store_true", help="the store is encrypted")
    parser.add_argument("--cache", action="store_true", help="each process goes on from the cache of the one before it")
    parser.add_argument("--within", type=float, default=3_600.0, help="seconds after which it has failed")
    options = parser.parse_args(argv)
    seed = secrets.randbelow(1_000_000) if options.seed is None else options.seed
    folder = Path(tempfile.mkdtemp(prefix="slackmq-count-"))
    plan = Plan(seed, seconds=options.within, lease=_LATE)
    played = Count(
        plan,
        folder,
        goal=options.goal,
        processes=options.processes,
        every=options.every,
        secret=Secret.new_key() if options.encrypt else "",
        cached=options.cache,
        within=options.within,
    )
    verdict, figures = asyncio.run(played.play())
    sys.stdout.write(f"seed {seed}: {figures}\n")
    if not verdict.wrong:
        shutil.rmtree(folder)
        return 0
    sys.stdout.write("\n".join(verdict.wrong) + f"\neverything is in {folder}\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
