"""The figures of the local workspace, as rows: what was measured, the goal, what came out."""

from __future__ import annotations

from tests.benchmarks import calls, opening, size, sockets

__all__ = ["rows"]

Row = tuple[str, str, str]


def rows() -> list[Row]:
    """Figure, goal, what was measured."""
    return [*_calls(), *_events(), *_opening(), *_size()]


def _calls() -> list[Row]:
    """Beside a bare handler."""
    made: list[Row] = []
    for pair in calls.measured():
        rates = f"{pair.ratio:.2f} ({pair.ours.per_second:.0f} to {pair.bare.per_second:.0f} calls/s)"
        tails = f"{pair.ours.p99 / pair.bare.p99:.2f} ({pair.ours.p99 * 1e3:.1f} to {pair.bare.p99 * 1e3:.1f} ms)"
        made.append((f"{pair.method}, ratio to a bare aiohttp handler", ">= 0.6", rates))
        made.append(("the same, p99", "", tails))
    return made


def _events() -> list[Row]:
    """To ten sockets."""
    return [
        ("events to ten sockets of ten apps", "", f"{sockets.per_second(sockets.SOCKETS):.0f} events/s"),
        ("events to ten sockets of one app", "", f"{sockets.per_second(1):.0f} events/s"),
    ]


def _opening() -> list[Row]:
    """Until it answers."""
    return [
        ("from the command to the first ok", "", f"{opening.process():.2f} s"),
        ("a workspace inside a test", "< 0.3 s", f"{opening.fixture():.2f} s"),
    ]


def _size() -> list[Row]:
    """With a million messages."""
    small, large = size.measured(size.PAGE, 1), size.measured()
    page = f"{large.page / small.page:.2f} ({large.page * 1e3:.2f} to {small.page * 1e3:.2f} ms)"
    memory = f"{large.mebibytes:.0f} MiB, {(large.mebibytes - small.mebibytes) * 2**20 / size.MESSAGES:.0f} bytes each"
    return [
        ("1,000,000 messages in 1,000 channels, resident memory", "", memory),
        ("the same, data file", "", f"{large.file:.0f} MiB"),
        ("the same, from the command to the first ok", "", f"{large.opening:.0f} s, {large.cpu:.0f} s of CPU"),
        (f"the same, a page of {size.PAGE} messages, ratio to a workspace that holds no more", "<= 2", page),
    ]
