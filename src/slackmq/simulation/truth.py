"""Truth: the record read as jobs, their copies in the channel, their claims and their executions."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from slackmq.batch import numbers_in
from slackmq.claiming.marks import Marks
from slackmq.envelope import JOB, is_finished
from slackmq.message import Outcome
from slackmq.notes import NOTE
from slackmq.simulation.record import ADMITTED, REFUSED, Called, Disturbed, Effected, Ended, Posted, Started, Told

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from slackmq.claiming.way import Way
    from slackmq.policy import Timing
    from slackmq.simulation.record import Asked, Line

__all__ = ["Copy", "Generation", "Job", "Run", "Truth"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Generation:
    """A generation that was taken: by whom, sent when, with effect when, and in which line."""

    process: str
    sent: float
    at: float
    line: int


@dataclass(slots=True, kw_only=True)
class Copy:
    """One message of a job.

    Attributes:
        ts: its timestamp.
        at: when it was posted.
        line: in which line.
        generations: who took which.
        releases: generation -> when it was given back.
        ended: how and when it was marked, and by whom.
        expires: when it expires if nobody has begun it, in seconds of the simulation.
        after: timestamps of the messages that must be done before it.
    """

    ts: str
    at: float
    line: int
    generations: dict[int, Generation] = field(default_factory=dict[int, Generation])
    releases: dict[int, float] = field(default_factory=dict[int, float])
    ended: tuple[Outcome, Generation] | None = None
    expires: float | None = None
    after: tuple[str, ...] = ()
    told: list[tuple[int, Told]] = field(default_factory=list[tuple[int, Told]])
    """In which lines a process was told that its end counts."""
    deleted: bool = False
    edited: bool = False
    claims: dict[int, set[str]] = field(default_factory=dict[int, set[str]])
    """Who wrote into the thread that it claims this generation, where no emoji was left; not all of them count."""
    written: dict[int, float] = field(default_factory=dict[int, float])
    """When each claim was written into the thread, by its timestamp in microseconds since 1970."""
    attempts: int = 1
    """The highest attempt that somebody wrote down to begin."""
    renewals: list[tuple[int, float, float]] = field(default_factory=list[tuple[int, float, float]])
    """Under which token somebody wrote that its claim goes on, when that was sent, and when it took effect."""
    noted: dict[int, float] = field(default_factory=dict[int, float])
    """Of a batch, since when a note says that the job of a number is settled."""
    batch: int = 0

    def holds_until(self, token: int, process: str, lease: float, *, below: int) -> float:
        """When the claim that a process had under a token ran out, as far as it extended it to tokens `below` one."""
        last = self.generations.get(token)
        while token + 1 < below and (after := self.generations.get(token + 1)) and after.process == process:
            last, token = after, token + 1
        return 0.0 if last is None else last.sent + lease


@dataclass(slots=True, kw_only=True)
class Run:
    """One execution. `ended` is None if it never ended: its process died."""

    number: int
    process: str
    ts: str
    token: int
    attempt: int
    began: float
    until: float
    line: int
    ended: float | None = None
    result: str = ""


@dataclass(slots=True, kw_only=True)
class Job:
    """All that belongs to one key."""

    key: str
    copies: dict[str, Copy] = field(default_factory=dict[str, Copy])
    runs: list[Run] = field(default_factory=list[Run])
    effects: list[tuple[int, Effected]] = field(default_factory=list[tuple[int, Effected]])
    promised: int | None = None
    """The line in which a producer was told that it is posted."""

    @property
    def deleted(self) -> bool:
        """Whether a person deleted one of its copies: that cancels it, or leaves the others."""
        return any(copy.deleted for copy in self.copies.values())

    @property
    def done_at(self) -> float | None:
        """When the first of its copies was marked done; None if none was."""
        ends = [copy.ended[1].at for copy in self.copies.values() if copy.ended and copy.ended[0] is Outcome.DONE]
        return min(ends, default=None)

    @property
    def failed(self) -> bool:
        """Whether what waits for it may be dead: it is dead itself, or a person deleted one of its copies."""
        dead = any(copy.ended and copy.ended[0] is Outcome.DEAD for copy in self.copies.values())
        return self.deleted or dead

    @property
    def ended(self) -> tuple[Outcome, Generation] | None:
        """How the first of its copies that ended did."""
        ends = [copy.ended for copy in self.copies.values() if copy.ended]
        return min(ends, key=lambda end: end[1].at) if ends else None


class Truth:
    """What a record says about each job.

    Args:
        lines: the record.
        timing: the time constants.
        way: how claims were made.
        asked: every call that was sent.
        attempts: after so many executions a message is dead.
        hands: how many messages a process works on at once.
        drift: how much faster or slower clocks ran.
        calm: nothing went wrong at all.
    """

    def __init__(
        self,
        lines: Sequence[Line],
        *,
        timing: Timing,
        way: Way = "reaction",
        asked: Sequence[Asked] = (),
        attempts: int = 4,
        hands: int = 1,
        drift: float = 0.001,
        calm: bool = False,
    ) -> None:
        self.lines = lines
        self.lease = timing.lease.total_seconds()
        self.margin = timing.margin.total_seconds()
        self.scan = timing.scan.total_seconds()
        self.skew = timing.skew.total_seconds()
        self.way: Way = way
        self.asked = asked
        self.attempts = attempts
        self.hands = hands
        self.drift = 2 * drift
        self.calm = calm
        self.born: dict[str, float] = {}
        self.died: dict[str, float] = {}
        self.jobs: dict[str, Job] = {}
        self.disturbances: list[Disturbed] = []
        self._copies: dict[str, Copy] = {}
        self._keys: dict[str, list[str]] = {}
        self._threads: dict[str, str] = {}
        """The ts of each note, and of the message in whose thread it stands."""
        self._runs: dict[int, Run] = {}
        self._marks = Marks()
        self._read = 0
        self.catch_up()

    def catch_up(self) -> None:
        """Take in what was recorded since."""
        for number in range(self._read, len(self.lines)):
            self._take_in(number, self.lines[number])
        self._read = len(self.lines)

    def job(self, key: str) -> Job:
        """What is known of a key."""
        return self.jobs.setdefault(key, Job(key=key))

    def named(self, copy: Copy) -> list[Job]:
        """The jobs that must be done before one, whichever of their copies is worked on."""
        return [self.jobs[key] for ts in copy.after for key in self._keys.get(ts, ())]

    def _take_in(self, number: int, line: Line) -> None:
        match line:
            case Called() if line.reply.get("ok"):
                self._called(number, line)
            case Posted():
                self.job(line.key).promised = number
            case Started():
                run = Run(
                    number=line.run,
                    process=line.process,
                    ts=line.ts,
                    token=line.token,
                    attempt=line.attempt,
                    began=line.at,
                    until=line.until,
                    line=number,
                )
                self._runs[line.run] = run
                self.job(line.key).runs.append(run)
            case Effected():
                self.job(line.key).effects.append((number, line))
            case Ended():
                self._runs[line.run].ended, self._runs[line.run].result = line.at, line.result
            case Told() if (copy := self._copy(line.ts)) is not None:
                copy.told.append((number, line))
            case Disturbed():
                self._disturbed(line)
            case _:
                pass

    def _disturbed(self, line: Disturbed) -> None:
        self.disturbances.append(line)
        if line.what == "start":
            self.born[line.process] = line.at
        elif line.what.startswith("kill"):
            self.died[line.process] = line.at

    def _called(self, number: int, line: Called) -> None:
        match line.method:
            case "chat.postMessage":
                self._posted(number, line)
            case "reactions.add" if line.process != "you":
                self._marked(number, line)
            case "chat.update":
                self._edited(number, line)
            case "chat.delete":
                if (copy := self._copy(str(line.args["ts"]))) is not None:
                    copy.deleted = True
            case _:
                pass

    def _posted(self, number: int, line: Called) -> None:
        metadata: Mapping[str, Any] = line.args.get("metadata") or {}  # type: ignore[assignment]  # JSON
        payload: Mapping[str, Any] = metadata.get("event_payload") or {}
        ts, thread = str(line.reply["ts"]), line.args.get("thread_ts")
        if metadata.get("event_type") == JOB:
            self._stands(str(payload["key"]), ts, line.at, number, payload)
        elif metadata.get("event_type") == NOTE:
            self._threads[ts] = str(thread)
            if (copy := self._copy(str(thread))) is not None:
                _noted(copy, payload, line, number)
        elif not metadata and thread is None:
            self._stands(f"{line.args['channel']}/{ts}", ts, line.at, number, {})

    def _stands(self, key: str, ts: str, at: float, number: int, payload: Mapping[str, Any]) -> None:
        """A message stands in the channel: a job, or as many as its batch has, which share it."""
        expires, batch = payload.get("expires"), int(payload.get("batch") or 0)
        # What Slack's clock says, told by the clock of the record: a message's ts is the moment at which it was posted.
        by = None if expires is None else at + float(expires) - float(ts)
        after = tuple(str(payload.get("after", "")).split())
        copy = self._copies[ts] = Copy(ts=ts, at=at, line=number, expires=by, batch=batch, after=after)
        self._keys[ts] = [f"{key}/{place}" for place in range(1, batch + 1)] if batch else [key]
        for each in self._keys[ts]:
            self.job(each).copies[ts] = copy

    def _copy(self, ts: str) -> Copy | None:
        return self._copies.get(ts)

    def _marked(self, number: int, line: Called) -> None:
        copy = self._copy(str(line.args["timestamp"]))
        if copy is None:
            return
        taken = Generation(process=line.process, sent=line.sent, at=line.at, line=number)
        emoji = str(line.args["name"])
        outcome = self._marks.outcome(emoji)
        if outcome is not None and copy.ended is None:
            copy.ended = (outcome, taken)
        elif generation := self._marks.generation(emoji):
            copy.generations[generation] = taken

    def _edited(self, number: int, line: Called) -> None:
        metadata: Mapping[str, Any] = line.args.get("metadata") or {}  # type: ignore[assignment]  # JSON
        copy = self._copy(str(line.args["ts"]))
        thread = self._copy(self._threads.get(str(line.args["ts"]), ""))
        if thread is not None and metadata.get("event_type") == NOTE:
            _settled(thread, metadata["event_payload"], line.at)
        if copy is not None and line.process == "you":
            copy.edited = True
        if copy is not None and copy.ended is None and is_finished(metadata.get("event_payload") or {}):
            copy.ended = (Outcome.DONE, Generation(process=line.process, sent=line.sent, at=line.at, line=number))

    def disturbed(self, process: str, begin: float, end: float) -> bool:
        """Whether something of this process was broken between two moments, or Slack refused everybody at the first."""
        if any(line.process == process and begin <= line.at <= end for line in self.disturbances):
            return True
        told = [line for line in self.disturbances if line.at <= begin and line.what.startswith((REFUSED, ADMITTED))]
        return bool(told) and told[-1].what.startswith(REFUSED)


def _settled(copy: Copy, payload: Mapping[str, Any], at: float) -> None:
    """What a note says of the jobs of a batch."""
    for number in numbers_in(f"{payload.get('done', '')} {payload.get('lost', '')}"):
        copy.noted.setdefault(number, at)


def _noted(copy: Copy, payload: Mapping[str, Any], line: Called, number: int) -> None:
    """What a note in a copy's thread says of its claims."""
    token = int(payload.get("token", 0))
    _settled(copy, payload, line.at)
    match payload["note"]:
        case "done" | "dead" as end if not payload.get("about") and copy.ended is None:  # Slack took no mark for it
            by = Generation(process=line.process, sent=line.sent, at=line.at, line=number)
            copy.ended = (Outcome(end), by)
        case "release":
            copy.releases.setdefault(token, line.at)
        case "claim":
            copy.claims.setdefault(int(payload.get("generation", 0)), set()).add(line.process)
            copy.written[int(str(line.reply["ts"]).replace(".", ""))] = line.at
        case "renew":
            copy.renewals.append((token, line.sent, line.at))
        case "attempt":
            copy.attempts = max(copy.attempts, int(payload.get("attempt", 1)))
        case _:
            pass
