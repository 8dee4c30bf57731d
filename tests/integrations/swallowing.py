"""Listeners that swallow what goes wrong, and listeners that do not."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable


def bare(ack: Any, say: Any) -> None:
    """Say it."""
    ack()
    try:
        say("on")
    except:  # noqa: E722  # it is about this
        say("sorry")


def named(say: Any) -> None:
    try:
        say("on")
    except ValueError:
        raise
    except Exception as error:  # noqa: BLE001  # as above
        say(str(error))


async def in_a_group(say: Any) -> None:
    try:
        await say("on")
    except (ValueError, BaseException):  # noqa: BLE001  # as above
        await say("sorry")


def raising(say: Any) -> None:
    try:
        say("on")
    except Exception:
        say("sorry")
        raise


def choosy(say: Any) -> None:
    try:
        say("on")
    except (ValueError, LookupError):
        say("sorry")


def partly(say: Any) -> None:
    try:
        say("on")
    except Exception:  # noqa: BLE001  # what comes after it is not caught
        say("sorry")
    for light in ("hall", "attic"):
        say(light)


def logged(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def run(*args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs)

    return run


@logged
def wrapped(say: Any) -> None:
    say("on")
