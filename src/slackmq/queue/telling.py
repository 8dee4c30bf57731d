"""Telling: every hook is told what happened, and none can do harm."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from slackmq.hooks import Happening, Hook

__all__ = ["Telling"]

_log = logging.getLogger("slackmq.queue")


class Telling:
    """Tells hooks, in their order. It is itself a hook.

    Args:
        hooks: who is told.
    """

    def __init__(self, hooks: Sequence[Hook]) -> None:
        self._hooks = list(hooks)

    def first(self, hook: Hook) -> None:
        """From now on tell this one before the others."""
        self._hooks.insert(0, hook)

    def __call__(self, happening: Happening, /) -> None:
        """Take note."""
        for hook in self._hooks:
            try:
                hook(happening)
            except Exception:  # noqa: BLE001  # a hook is a stranger's code, and no reason to lose a job
                _log.exception("a hook raised on %s", type(happening).__name__)
