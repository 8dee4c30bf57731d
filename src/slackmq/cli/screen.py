"""What the demo shows while it runs: a live table in a terminal, plain lines otherwise."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from slackmq.cli.ls import printable

if TYPE_CHECKING:
    from collections.abc import Generator

    from slackmq.cli.record import Sent
    from slackmq.cli.scene import Scene
    from slackmq.cli.tally import Tally

__all__ = ["Screen", "opened", "sentences"]

_LINE = 300
_STYLES = {"waiting": "dim", "held": "yellow", "done": "green", "dead": "red"}


class Screen(Protocol):
    """Where a run shows."""

    def show(self, scene: Scene) -> None:
        """Show how it stands."""
        ...


@contextmanager
def opened() -> Generator[Screen]:
    """The screen that fits this output."""
    if not sys.stdout.isatty():
        yield _Lines()
        return
    with Live(console=Console(), refresh_per_second=8) as live:
        yield _Table(live)


class _Lines:
    """One line for each thing that happened, in the order in which the target and the record show them."""

    def __init__(self) -> None:
        self._said: set[str] = set()
        self._start: int | None = None

    def show(self, scene: Scene) -> None:
        jobs = scene.ledger.by_key()
        happened = [(job.at, f"posted    {_text(job)}") for job in jobs.values()]
        for effect in scene.effects:
            if job := jobs.get(effect.key):
                step = "began" if effect.step == "begin" else "did"
                who = f"{scene.name_of(effect.worker)}, attempt {effect.attempt}, token {effect.token}"
                happened.append((effect.at, f"{step:9} {_text(job)}: {who}"))
        happened += [(kill.at, f"KILLED    {scene.name_of(kill.worker)} (kill -9)") for kill in scene.kills]
        for at, line in sorted(happened):
            self._start = at if self._start is None else self._start
            if line not in self._said:
                self._said.add(line)
                sys.stdout.write(f"{(at - self._start) / 1e6:6.1f} s  {line}\n")
        sys.stdout.flush()


class _Table:
    """All jobs, one row each, and how many are done."""

    def __init__(self, live: Live) -> None:
        self._live = live

    def show(self, scene: Scene) -> None:
        table = Table("job", "by", "state", "claims", "worker", box=None, header_style="bold")
        for job in scene.ledger.jobs.values():
            state = _state(scene, job)
            cells = (_text(job), "person" if job.typed else "program", state)
            claims = str(scene.ledger.generation(job.ts) or "")
            table.add_row(*cells, claims, _hands(scene, job), style=_STYLES[state])
        killed = " · ".join(f"{scene.name_of(kill.worker)} was killed (kill -9)" for kill in scene.kills)
        line = f"{len(scene.ledger.done)} of {len(scene.ledger.jobs)} done   {killed}"
        # What matters stands on top: a table that is too long for the terminal loses its end.
        self._live.update(Group(Text(line, style="bold"), Text(scene.workspace.page_url), table))


def _state(scene: Scene, job: Sent) -> str:
    if job.ts in scene.ledger.done:
        return "done"
    if job.ts in scene.ledger.dead:
        return "dead"
    return "held" if scene.ledger.generation(job.ts) else "waiting"


def _hands(scene: Scene, job: Sent) -> str:
    """Who began it, in order."""
    killed = {kill.worker for kill in scene.kills}
    began = [effect for effect in scene.effects if effect.key == job.key and effect.step == "begin"]
    return " → ".join(f"{scene.name_of(effect.worker)}{' ✝' * (effect.worker in killed)}" for effect in began)


def _text(job: Sent) -> str:
    return printable(job.text)


def sentences(found: Tally, scene: Scene) -> list[str]:
    """The tally, in words."""
    takeover = f"{found.takeover:.1f} s" if found.takeover is not None else "none"
    counts = f"sent {found.sent} · handled {found.handled} · repeated {len(found.repeats)} · lost {len(found.lost)}"
    lines = ["", f"{counts} · takeover {takeover}"]
    for repeat in found.repeats:
        before, again = scene.name_of(repeat.before.worker), scene.name_of(repeat.again.worker)
        killed = "was killed while it held it" if repeat.takeover is not None else "held it"
        lines.append(f"  repeated: {_text(repeat.job)}: {before} {killed}, {again} began it again: {repeat.reason}")
    lines += [f"  lost: {printable(line, _LINE)}" for line in found.lost]
    lines += [f"  WRONG: {printable(fault, _LINE)}" for fault in found.faults]
    if not scene.kills:
        lines.append("  WRONG: the time was over before any worker could be killed")
    lines.append("Counted in the workspace's own record and in the file the handlers write to, not by the workers.")
    return lines
