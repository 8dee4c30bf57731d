"""Cells of faults that mean something to a store."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from slackmq.simulation.faults import cell

if TYPE_CHECKING:
    from slackmq.simulation.faults import Faults

__all__ = ["KV_CELLS", "ROLLS", "kv_cell", "rolls"]

_ROLL = "roll/"
_UNFIT = {"unpins": 0.0, "decoys": 0.0, "deletes": 0.0, "poison": False, "marks_lag": False}
"""What does nothing to a store, or is judged in a cell of its own."""

KV_CELLS: tuple[str, ...] = (
    *("none", "H1", "H2", "H3", "H4", "H5", "H6", "C1", "C2", "C3", "C3-fleet", "V1", "V2"),
    *("E1", "E1-all", "E2", "E3", "E4", "E5", "M1", "M4", "S1", "S3", "points", "everything", "swarm"),
    *("roll/none", "roll/H2", "roll/H5", "roll/C1", "roll/C3-fleet", "roll/V2", "roll/points", "roll/everything"),
)
"""Their names. Where a store rolls, it moves to another channel meanwhile, twice."""
ROLLS = ("jobs-2", "jobs-3")
"""The channels to which it moves, one after the other."""


def rolls(name: str) -> bool:
    """Whether the store moves in a cell."""
    return name.startswith(_ROLL)


def kv_cell(name: str, seed: int) -> Faults:
    """The faults of a cell, without those that mean nothing to a store."""
    faults = cell(name.removeprefix(_ROLL), seed)
    return faults if name == "M1" else replace(faults, **_UNFIT)  # type: ignore[arg-type]  # rates where rates are
