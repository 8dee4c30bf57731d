"""A batch: many jobs in one message, their numbers, and what of them is settled; plain values and functions."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING, cast

import msgspec

from slackmq.errors import ConfigurationError
from slackmq.redaction import redacted

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from slackmq.message import Json, Message

__all__ = [
    "LARGEST",
    "Jobs",
    "Settled",
    "counted",
    "jobs_of",
    "numbers_in",
    "one_of",
    "rest_of",
    "shown",
    "why_failed",
    "written",
]

LARGEST = 1_000
"""Jobs in one batch: the numbers of as many fit into one note, whichever of them are done."""
_KEPT = 6_000
"""Bytes of results that one note keeps beside what else it says; see `slackmq.envelope.BODY_LIMIT`."""
_JOBS, _NUMBERS = "jobs", "numbers"
_ROW, _GROUP = 50, 10
_NAMED = 20
"""So many numbers are named to people, and so many different reasons; the rest is counted."""
_REASON = 200
"""Characters of a reason that people are told: there may be as many as jobs."""


class Jobs(dict[str, "Json"]):
    """The body of a batch.

    Attributes:
        size: how many jobs it carries.
    """

    size: int

    @classmethod
    def of(cls, bodies: Sequence[Mapping[str, Json]], numbers: Sequence[int] = ()) -> Jobs:
        """The body of a batch of these jobs.

        Args:
            bodies: the arguments of each by name, in order.
            numbers: the number of each, rising; left out, they are counted from 1.

        Raises:
            ConfigurationError: there are none, or too many.
        """
        if not 1 <= len(bodies) <= LARGEST:
            remedy = "Post several smaller batches." if bodies else "Post nothing where there is nothing to do."
            cause = f"A batch has 1 to {LARGEST:,} jobs, not {len(bodies):,}; nothing was posted."
            raise ConfigurationError(cause, remedy=remedy)
        jobs = cls({_JOBS: [dict(body) for body in bodies]})
        if numbers:
            jobs[_NUMBERS] = written(numbers)
        jobs.size = len(bodies)
        return jobs


def jobs_of(message: Message) -> dict[int, Mapping[str, Json]]:
    """The arguments of each job of a batch by its number, in order.

    Raises:
        ValueError: its body is not that of a batch of so many jobs.
    """
    jobs, numbers = message.body.get(_JOBS), message.body.get(_NUMBERS)
    named = sorted(numbers_in(numbers)) if isinstance(numbers, str) else list(range(1, message.batch + 1))
    found = jobs if isinstance(jobs, list) else []
    if not len(found) == len(named) == message.batch or not all(isinstance(job, dict) for job in found):
        raise ValueError(f"it should be a batch of {message.batch} jobs, and its body is another one")
    return dict(zip(named, cast("list[dict[str, Json]]", found), strict=True))


def one_of(message: Message, number: int, body: Mapping[str, Json]) -> Message:
    """One job of a batch, as if it had been posted alone; its key is that of the batch and its number."""
    origin = f"{message.origin}/{number}" if message.origin else ""
    return replace(message, body=body, batch=0, key=f"{message.key}/{number}", origin=origin)


def rest_of(message: Message, done: Collection[int]) -> Message:
    """The same batch without the jobs that are done; the others keep their numbers. Any other message as it is."""
    try:
        jobs = {number: job for number, job in jobs_of(message).items() if number not in done}
    except ValueError:
        return message
    if not jobs or len(jobs) == message.batch:
        return message
    return replace(message, body=Jobs.of(list(jobs.values()), list(jobs)), batch=len(jobs))


def written(numbers: Iterable[int]) -> str:
    """Numbers in one short line: `1-73 75`."""
    spans: list[tuple[int, int]] = []
    for number in sorted(set(numbers)):
        if spans and spans[-1][1] == number - 1:
            spans[-1] = (spans[-1][0], number)
        else:
            spans.append((number, number))
    return " ".join(str(first) if first == last else f"{first}-{last}" for first, last in spans)


def numbers_in(line: str) -> frozenset[int]:
    """The numbers that such a line names; what is none of a batch is passed over."""
    found: set[int] = set()
    for span in line.split():
        first, _, last = span.partition("-")
        if first.isdecimal() and (last or first).isdecimal():
            found.update(range(max(1, int(first)), min(LARGEST, int(last or first)) + 1))
    return frozenset(found)


class Settled:
    """What of a batch is not to be executed again, as far as is known: it only grows.

    Attributes:
        done: the numbers of the jobs that are done.
        dead: why each job failed that will not be tried again; "" where an earlier attempt at the batch knows.
        results: what each job returned, as JSON; a job without an entry returned None.
        untold: why some results are not kept; "" if all are.
    """

    __slots__ = ("_closed", "_noted", "dead", "done", "results", "untold")

    def __init__(self) -> None:
        self.done: set[int] = set()
        self.dead: dict[int, str] = {}
        self.results: dict[int, str] = {}
        self.untold = ""
        self._noted: set[int] = set()
        self._closed = False

    def __contains__(self, number: object) -> bool:
        return number in self.done or number in self.dead

    def finish(self, number: int, result: str = "", why: str = "") -> None:
        """A job is done: with a result as JSON, "" for None, or with why it is not told."""
        self.done.add(number)
        if result:
            self.results[number] = result
        if why:
            self.untold = self.untold or f"of job {number}: {why}"

    def give_up(self, number: int, why: str) -> None:
        """A job failed, and will not be tried again."""
        self.dead[number] = why

    def close(self) -> None:
        """The batch has ended: nobody needs its results and reasons here any more; whoever asks reads the thread."""
        self._closed = True
        self.results.clear()
        self.dead = dict.fromkeys(self.dead, "")

    def unnoted(self) -> frozenset[int]:
        """What no note says yet."""
        return frozenset((self.done | self.dead.keys()) - self._noted)

    def fields(self, numbers: Collection[int], *, results: bool = True) -> dict[str, str]:
        """What a note says of these numbers; results that are too long for it are not kept.

        Args:
            numbers: of what is settled.
            results: whether to keep what was returned.
        """
        said = {
            "done": written(number for number in numbers if number in self.done),
            "lost": written(number for number in numbers if number in self.dead),
            "untold": self.untold,
        }
        kept = {
            str(number): msgspec.Raw(self.results[number].encode())
            for number in sorted(numbers)
            if number in self.results
        }
        if results and kept:
            told = msgspec.json.encode(kept).decode()
            if len(told.encode()) > _KEPT:
                said["untold"] = (
                    self.untold or f"the results have {len(told.encode()):,} bytes, and a note keeps {_KEPT:,}"
                )
            else:
                said["results"] = told
        return {name: value for name, value in said.items() if value}

    def heed(self, *, done: str, lost: str, results: str, untold: str) -> None:
        """Take in what a note says."""
        finished, given_up = numbers_in(done), numbers_in(lost)
        if finished - self.done:  # of what this process did itself it knows the results
            self.untold = self.untold or untold
        self.done |= finished
        for number in given_up:
            self.dead.setdefault(number, "")
        self._noted |= finished | given_up
        if self._closed:
            return
        try:
            told = msgspec.json.decode(results or "{}", type=dict[int, msgspec.Raw])
        except msgspec.MsgspecError:
            self.untold = self.untold or "the note that kept them cannot be read"
            return
        for number, result in told.items():
            self.results.setdefault(number, bytes(result).decode())


def shown(kind: str, numbers: Sequence[int], settled: Settled, failed: Collection[int]) -> str:
    """A batch as people read it while it is worked on: a sentence, and a mark for each of its jobs.

    Args:
        kind: the name of the handler.
        numbers: those of the jobs.
        settled: what of them is settled.
        failed: what failed in this attempt, and may be tried again.
    """
    wrong = {*failed, *settled.dead} - settled.done
    marks = ["■" if number in settled.done else "✗" if number in wrong else "·" for number in numbers]
    groups = ["".join(marks[place : place + _GROUP]) for place in range(0, len(marks), _GROUP)]
    step = _ROW // _GROUP
    rows = "\n".join(" ".join(groups[place : place + step]) for place in range(0, len(groups), step))
    return f"{kind}: {counted(numbers, settled, wrong)}\n```{rows}```"


def counted(numbers: Collection[int], settled: Settled, failed: Collection[int]) -> str:
    """How far a batch is: `73 of 100 done, 2 failed: 14, 37`."""
    done = sum(number in settled.done for number in numbers)
    wrong = sorted({*failed, *settled.dead} - settled.done)
    return f"{done} of {len(numbers)} done{f', {len(wrong)} failed: {_named(wrong)}' if wrong else ''}"


def why_failed(failures: Mapping[int, str], total: int) -> str:
    """Why jobs of a batch failed: `2 of 100 jobs failed: 14, 37 (ValueError: no such file)`."""
    reasons: dict[str, list[int]] = defaultdict(list)
    for number in sorted(failures):
        reasons[_brief(failures[number]) or "in an earlier attempt"].append(number)
    told = [f"{_named(numbers)} ({why})" for why, numbers in reasons.items()]
    more = f"; and {len(told) - _NAMED} more reasons" if len(told) > _NAMED else ""
    return f"{len(failures)} of {total} jobs failed: {'; '.join(told[:_NAMED])}{more}"


def _brief(reason: str) -> str:
    """The first line of a reason. Half a secret would not be known for one, so it is made unreadable before the cut."""
    line = next(iter(redacted(reason).strip().splitlines()), "")
    return line if len(line) <= _REASON else f"{line[: _REASON - 1]}…"


def _named(numbers: Sequence[int]) -> str:
    """Numbers for people."""
    more = len(numbers) - _NAMED
    return ", ".join(map(str, numbers[:_NAMED])) + (f" and {more} more" if more > 0 else "")
