"""Record: what really happened, told by the workspace, by the handlers' target and by whoever breaks things."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = [
    "ADMITTED",
    "REFUSED",
    "Asked",
    "Called",
    "Disturbed",
    "Effected",
    "Ended",
    "Line",
    "Posted",
    "Record",
    "Started",
    "Target",
    "Told",
]

REFUSED = "refused"
ADMITTED = "admitted again"
"""What is written down when Slack begins to refuse every call, and when it ends."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Called:
    """A call took effect, or was refused.

    Attributes:
        at: when it took effect, in seconds of the simulation.
        sent: when it was sent.
        process: who sent it.
        method: as "reactions.add".
        args: its arguments.
        reply: the workspace's answer.
    """

    at: float
    sent: float
    process: str
    method: str
    args: Mapping[str, object]
    reply: Mapping[str, Any]

    def __str__(self) -> str:
        keys = ("timestamp", "ts", "thread_ts", "name", "text")
        args = " ".join(str(self.args[key]) for key in keys if key in self.args)
        answer = self.reply.get("error") or self.reply.get("ts") or "ok"
        return f"{self.process:>4} {self.method} {args} -> {answer} (sent {self.sent:.3f})"


@dataclass(slots=True, kw_only=True)
class Asked:
    """A call was sent, a read or a write; what it asked to wait if it was one too many, and when that was heard."""

    process: str
    method: str
    sent: float
    answered: float | None = None
    retry_after: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Posted:
    """A producer was told that its job stands in the channel."""

    at: float
    process: str
    key: str

    def __str__(self) -> str:
        return f"{self.process:>4} knows {self.key} to be posted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """A handler began. `run` is the number of this execution, `until` its deadline as its holder believed."""

    at: float
    process: str
    run: int
    key: str
    ts: str
    token: int
    attempt: int
    until: float = 0.0

    def __str__(self) -> str:
        which = f"token {self.token} attempt {self.attempt} [run {self.run}]"
        return f"{self.process:>4} starts {self.key} ({self.ts}) {which}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Effected:
    """The target was asked for a job's effect, and took it or refused a token lower than one it had seen."""

    at: float
    process: str
    run: int
    key: str
    token: int
    accepted: bool

    def __str__(self) -> str:
        verdict = "accepts" if self.accepted else "refuses"
        return f"     target {verdict} {self.key} token {self.token} from {self.process} [run {self.run}]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """A handler ended: "done", "failed" or "cancelled"."""

    at: float
    process: str
    run: int
    result: str

    def __str__(self) -> str:
        return f"{self.process:>4} ends [run {self.run}]: {self.result}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A process was told that its end of a message is the one that counts."""

    at: float
    process: str
    ts: str
    token: int

    def __str__(self) -> str:
        return f"{self.process:>4} takes the end of {self.ts} for its own, under token {self.token}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Disturbed:
    """Something was broken on purpose: "kill", "pause", "start", "heal", or what went wrong with a call."""

    at: float
    process: str
    what: str

    def __str__(self) -> str:
        return f"{self.process:>4} ! {self.what}"


Line = Called | Posted | Started | Effected | Ended | Told | Disturbed


@dataclass(slots=True, kw_only=True)
class Record:
    """All lines of one run, in the order in which things happened."""

    lines: list[Line] = field(default_factory=list[Line])

    def add(self, line: Line) -> None:
        """Write down what happened now."""
        self.lines.append(line)


class Target:
    """What handlers work on: it keeps the highest token per key and refuses lower ones."""

    def __init__(self, record: Record) -> None:
        self._record = record
        self._highest: dict[str, int] = {}

    def effect(self, *, at: float, process: str, run: int, key: str, token: int) -> bool:
        """Do the job; False if a higher token was here before."""
        accepted = token >= self._highest.get(key, 0)
        if accepted:
            self._highest[key] = token
        self._record.add(Effected(at=at, process=process, run=run, key=key, token=token, accepted=accepted))
        return accepted


def told(lines: Sequence[Line], around: int, *, reach: int = 15) -> str:
    """The lines around one, for people."""
    begin = max(0, around - reach)
    part = lines[begin : around + reach + 1]
    return "\n".join(
        f"{'>' if begin + number == around else ' '} {line.at:9.3f} {line}" for number, line in enumerate(part)
    )
