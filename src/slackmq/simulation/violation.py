"""Violation: a promise that one run broke, and where."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from slackmq.simulation.record import told

if TYPE_CHECKING:
    from slackmq.simulation.truth import Truth

__all__ = ["Violation"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """A broken promise.

    Attributes:
        rule: which one.
        what: a sentence.
        line: the line of the record where it shows.
    """

    rule: str
    what: str
    line: int

    def told(self, truth: Truth) -> str:
        """The violation with the lines around it."""
        return f"{self.rule}: {self.what}\n{told(truth.lines, self.line)}"
