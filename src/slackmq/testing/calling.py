"""A function of a test as a process of its own: `python -c CALL MODULE FILE NAME`."""

from __future__ import annotations

import inspect
import sys
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from typing import TYPE_CHECKING, Any

import anyio

from slackmq.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

__all__ = ["CALL", "arguments_for", "main"]

CALL = "import sys; from slackmq.testing.calling import main; main(*sys.argv[1:])"
"""The program; the arguments follow."""


def arguments_for(function: Callable[[], object]) -> list[str]:
    """The arguments with which this program calls a function.

    Raises:
        ConfigurationError: another process cannot find it.
    """
    module, name = function.__module__, getattr(function, "__qualname__", "")
    if not name.isidentifier():
        raise ConfigurationError(
            f"{name or function!r} cannot be called in another process.",
            remedy="Give a function that stands in a module by itself, not inside another one, and no lambda.",
        )
    return [module, inspect.getfile(function), name]


def main(module: str, file: str, name: str) -> None:
    """Call it, and await what it returns if that can be awaited."""
    function = getattr(_loaded(module, file), name)
    if inspect.iscoroutinefunction(function):
        anyio.run(function)
    else:
        function()


def _loaded(module: str, file: str) -> ModuleType:
    """The module by its name, or by its file: pytest gives files of tests names that nobody else knows."""
    try:
        found = import_module(module)
    except ImportError:
        found = None
    if found is not None and getattr(found, "__file__", None) == file:
        return found
    spec: Any = spec_from_file_location(module, file)
    made = module_from_spec(spec)
    sys.modules[module] = made
    spec.loader.exec_module(made)
    return made
