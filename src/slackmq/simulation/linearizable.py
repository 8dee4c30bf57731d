"""Linearizable: whether calls that overlapped can have taken effect one after the other (Wing, Gong, Lowe)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator, Sequence

__all__ = ["BUDGET", "Call", "TooHard", "linearizable"]

BUDGET = 2_000_000
"""So many configurations are looked at before a history counts as too hard to judge."""

_Op = TypeVar("_Op")


class TooHard(RuntimeError):
    """The search took too long: that is a failure to test, and no pass."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Call(Generic[_Op]):
    """One call. `ended` is infinite if nobody knows whether it took effect: then it may have, at any time, or never."""

    began: float
    ended: float
    op: _Op

    @property
    def known(self) -> bool:
        """Whether it was answered."""
        return self.ended < math.inf


def linearizable(
    calls: Sequence[Call[_Op]], step: Callable[[Hashable, _Op], Hashable | None], initial: Hashable
) -> bool:
    """Whether there is an order of the calls that no call contradicts.

    Args:
        calls: the calls on one object.
        step: the state after an operation, as a tuple; None if its result contradicts the state before.
        initial: the state before all.

    Raises:
        TooHard: more than `BUDGET` configurations were looked at.
    """
    calls = sorted(calls, key=lambda call: call.began)
    wanted = sum(1 << number for number, call in enumerate(calls) if call.known)
    seen: set[tuple[int, Hashable]] = set()
    stack: list[tuple[int, Hashable]] = [(0, initial)]
    while stack:
        done, state = stack.pop()
        if done & wanted == wanted:
            return True
        for number in _next(calls, done):
            after = step(state, calls[number].op)
            configuration = (done | 1 << number, after)
            if after is not None and configuration not in seen:
                seen.add(configuration)
                stack.append(configuration)
        if len(seen) > BUDGET:
            raise TooHard(f"{len(calls)} calls, and more than {BUDGET} configurations")
    return False


def _next(calls: Sequence[Call[_Op]], done: int) -> Iterator[int]:
    """The calls that may come next: those that began before any other one that is left had ended."""
    left = [number for number in range(len(calls)) if not done >> number & 1]
    first = min(calls[number].ended for number in left)
    return (number for number in left if calls[number].began <= first)
