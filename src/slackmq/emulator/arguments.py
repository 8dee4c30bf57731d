"""The one place where a call's arguments are parsed: Slack takes JSON values and their spellings in forms alike."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, cast

from slackmq.emulator.refusal import Refusal

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Arguments", "is_deep"]

_DEEPEST = 60
"""Far beyond Slack's richest blocks; a bound, so that no argument exhausts the stack."""
_TRUE = frozenset({"1", "true", "True", "TRUE"})


class Arguments:
    """A call's arguments by name, however they were sent; an empty or null one counts as absent."""

    __slots__ = ("_values",)

    def __init__(self, values: Mapping[str, object]) -> None:
        self._values = values

    def text(self, name: str) -> str:
        """A string; "" if absent."""
        value = self._values.get(name)
        if type(value) is str:
            return value
        return "" if value is None else str(value)

    def flag(self, name: str, *, default: bool = False) -> bool:
        """True for true, 1, "1" and "true"."""
        value = self._values.get(name)
        if value is None or value == "":
            return default
        return value is True or value == 1 or value in _TRUE if isinstance(value, (str, int)) else default

    def count(self, name: str, *, default: int) -> int:
        """A whole number; the default if absent or no number."""
        try:
            return int(self.text(name))
        except ValueError:
            return default

    def names(self, name: str) -> list[str]:
        """A list, or what stands between the commas of a string."""
        value = self._values.get(name)
        if isinstance(value, str) and not value.startswith("["):
            return [part.strip() for part in value.split(",") if part.strip()]
        return [str(part) for part in self.array(name, refusal="invalid_array_arg") or []]

    def array(self, name: str, *, refusal: str) -> list[Any] | None:
        """A JSON array, or a string that holds one; None if absent.

        Raises:
            Refusal: with code `refusal`, if it is something else.
        """
        value = self._parsed(name, refusal)
        if value is None:
            return None
        if isinstance(value, list):
            return [*value]
        raise Refusal(refusal)

    def mapping(self, name: str, *, refusal: str) -> dict[str, Any] | None:
        """A JSON object, or a string that holds one; None if absent.

        Raises:
            Refusal: with code `refusal`, if it is something else.
        """
        value = self._parsed(name, refusal)
        if value is None:
            return None
        if isinstance(value, dict):
            return cast("dict[str, Any]", value)
        raise Refusal(refusal)

    def all(self) -> dict[str, object]:
        """Everything but the token."""
        return {name: value for name, value in self._values.items() if name != "token"}

    def __contains__(self, name: str) -> bool:
        return self._values.get(name) is not None

    def _parsed(self, name: str, refusal: str) -> object:
        value = self._values.get(name)
        if isinstance(value, str):
            if not value.strip():
                return None
            try:
                value = cast("object", json.loads(value))
            except (ValueError, RecursionError):
                raise Refusal(refusal) from None
        if is_deep(value):
            raise Refusal(refusal)
        return value


def is_deep(value: object, *, most: int = _DEEPEST) -> bool:
    """True if arrays and objects stand in one another deeper than anything that makes sense."""
    if isinstance(value, dict):
        inner = list(cast("dict[str, object]", value).values())
    elif isinstance(value, list):
        inner = cast("list[object]", value)
    else:
        return False
    return most == 0 or any(is_deep(each, most=most - 1) for each in inner)
