"""Listeners that catch all that goes wrong and tell nobody, found by reading them."""

from __future__ import annotations

import ast
import inspect
import logging
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

from slackmq.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

__all__ = ["check_swallowing"]

_log = logging.getLogger("slackmq.bolt")
_ALL = {"Exception", "BaseException"}


def check_swallowing(function: Callable[..., Any], *, retries: int) -> None:
    """See whether a listener's work stands in a `try` that catches everything and raises nothing.

    What such a listener fails at is marked done: nobody can tell. Without `retries` a warning says so.

    Args:
        function: the listener.
        retries: how often work is to be done again after its listener raised.

    Raises:
        ConfigurationError: it does, and it is to be run again when it raises.
    """
    line = _swallowed_at(function)
    if line is None:
        return
    error = ConfigurationError(
        f"{getattr(function, '__name__', 'a listener')} catches every exception ({line}) and raises none: "
        "what it fails at is marked done, and never tried again.",
        remedy="End that `except` with `raise`, or with `raise slackmq.Reject(…)` for what must not be tried again.",
    )
    if retries:
        raise error
    _log.warning("%s", error)


def _swallowed_at(function: Callable[..., Any]) -> str | None:
    """Where everything is caught, as "bot.py:12"; None if it is not, or if there is no source to read."""
    function = inspect.unwrap(function)
    try:
        lines, first = inspect.getsourcelines(function)
        [tree] = ast.parse(textwrap.dedent("".join(lines))).body
    except (OSError, TypeError, ValueError, SyntaxError):
        return None
    if not isinstance(tree, ast.FunctionDef | ast.AsyncFunctionDef):
        return None
    work = [step for step in tree.body if not isinstance(step, ast.Expr)]  # neither its docstring nor its ack()
    if len(work) != 1 or not isinstance(work[0], ast.Try):
        return None
    caught = next((handler for handler in work[0].handlers if _swallows(handler)), None)
    file = Path(inspect.getsourcefile(function) or "").name
    return None if caught is None else f"{file}:{first + caught.lineno - 1}"


def _swallows(handler: ast.ExceptHandler) -> bool:
    named = {node.id for node in ast.walk(handler.type) if isinstance(node, ast.Name)} if handler.type else _ALL
    return bool(named & _ALL) and not any(isinstance(node, ast.Raise) for node in ast.walk(handler))
