"""Guard: the lock under which a command writes, or does not."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Annotated

from cyclopts import Parameter

from slackmq.errors import ConfigurationError
from slackmq.kv.lock import PREFIX

__all__ = ["KEY", "TOKEN", "Guarded", "Token"]

KEY = "SLACKMQ_LOCK_KEY"
"""Environment variable with the key that stands for the lock."""
TOKEN = "SLACKMQ_LOCK_TOKEN"  # noqa: S105  # the name of a variable; a fencing token is a number and opens nothing
"""Environment variable with the fencing token."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """The key of a lock, and the fencing token under which it was had."""

    key: str
    token: int


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Guarded:
    """Whether something is written only while a lock is held, and which.

    Attributes:
        held: that of the environment.
        lock: its name.
        token: its token.
    """

    held: Annotated[
        bool,
        Parameter(
            negative=(),
            help="Only while the lock is held under which `slackmq kv lock` runs this; exit status 9 if it is not.",
        ),
    ] = False
    lock: Annotated[str | None, Parameter(help="Only while this lock is held under --token.")] = None
    token: Annotated[int | None, Parameter(help="The fencing token of --lock.")] = None

    def guard(self) -> Token | None:
        """The lock that must be held; None: none.

        Raises:
            ConfigurationError: it is not said which.
        """
        if self.held:
            return self._from_environment()
        if self.lock is None and self.token is None:
            return None
        if self.lock is None or self.token is None:
            raise ConfigurationError("--lock and --token belong together.", remedy="Give both of them, or --held.")
        return Token(key=PREFIX + self.lock, token=self.token)

    def _from_environment(self) -> Token:
        if self.lock is not None or self.token is not None:
            raise ConfigurationError("--held contradicts --lock and --token.", remedy="Give one of them.")
        key, token = os.environ.get(KEY, ""), os.environ.get(TOKEN, "")
        if not key or not token.isdecimal():
            raise ConfigurationError(
                f"--held means the lock that {KEY} and {TOKEN} name, and they do not.",
                remedy="Run it under slackmq kv lock, or give it --lock and --token.",
            )
        return Token(key=key, token=int(token))
