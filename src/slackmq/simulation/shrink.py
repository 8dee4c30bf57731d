"""Shrink: the fewest faults under which a failing run still breaks the same promise."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import TYPE_CHECKING

from slackmq.simulation.faults import NONE, Faults
from slackmq.simulation.scenario import replay

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from slackmq.simulation.scenario import Verdict

__all__ = ["active", "only", "replayed", "shrunk"]

_ALWAYS = frozenset({"until", "drift", "retry_after"})
"""What is no fault of its own."""
_NOTHING = "none"


def active(faults: Faults) -> tuple[str, ...]:
    """The names of the faults that can happen."""
    names = (each.name for each in fields(Faults) if each.name not in _ALWAYS)
    return tuple(name for name in names if getattr(faults, name) != getattr(NONE, name))


def only(faults: Faults, names: Iterable[str]) -> Faults:
    """The same rates, for these faults alone; the name "none" leaves none.

    Raises:
        ValueError: one of the names is no fault that can happen here.
    """
    kept = set(names) - {_NOTHING}
    if strange := sorted(kept - set(active(faults))):
        raise ValueError(f"no fault of this cell: {', '.join(strange)}; it has {', '.join(active(faults)) or 'none'}")
    return replace(faults, **{name: getattr(NONE, name) for name in active(faults) if name not in kept})


def shrunk(
    verdict: Verdict, faults: Faults, *, play: Callable[[Faults], Verdict] | None = None
) -> tuple[tuple[str, ...], Verdict]:
    """Leave out one fault after the other for as long as a rule that was broken still is.

    Args:
        verdict: the failing run.
        faults: under which it failed.
        play: runs it again under others; by default in virtual time.

    Returns:
        The names of the faults that are left, and the run under them.
    """

    def again(which: Faults) -> Verdict:
        return replay(verdict.seed, verdict.cell, verdict.way, which)

    play = play or again
    broken = _rules(verdict)
    left, smallest = active(faults), verdict
    for name in active(faults):
        fewer = tuple(each for each in left if each != name)
        tried = play(only(faults, fewer))
        if _rules(tried) & broken:
            left, smallest = fewer, tried
    return left, smallest


def replayed(verdict: Verdict, names: Iterable[str]) -> str:
    """A failing run in words, with the command that plays it again under these faults alone."""
    return f"{verdict} --only {','.join(names) or _NOTHING}"


def _rules(verdict: Verdict) -> frozenset[str]:
    return frozenset(violation.rule.split()[0] for violation in verdict.violations)
