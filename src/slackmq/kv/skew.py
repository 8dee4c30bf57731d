"""Skew: how long after a record no read can have missed it, as far as one process saw."""

from __future__ import annotations

__all__ = ["Skew"]

_FACTOR = 3.0
"""What was seen is not the worst there is: the same factor with which `doctor --probe` recommends."""
_BELIEVED = 300.0
"""Seconds; what appears later than that was not late, it was brought back."""


class Skew:
    """Seconds to wait before a read is believed to show everything up to a moment. It only ever grows.

    Args:
        configured: it is never less.
        longest: nor more.
    """

    def __init__(self, configured: float, *, longest: float = 60.0) -> None:
        self.seconds = configured
        self._longest = max(configured, longest)

    def missed(self, by: float) -> None:
        """Take note that a read began `by` seconds after a record, and did not show it."""
        if 0.0 < by <= _BELIEVED:
            self.seconds = min(self._longest, max(self.seconds, _FACTOR * by))
