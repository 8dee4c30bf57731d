"""What a handler wants for its messages: how often, how long, how many at once, and which errors are worth a retry."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import cast

from slackmq.errors import ConfigurationError, Reject, Retry

__all__ = ["Backoff", "Options", "Rate"]

_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """So many in a time: `Rate(count=10, per=timedelta(minutes=1))`, or "10/m".

    Attributes:
        count: how many.
        per: in what time; no such time sees more.
    """

    count: int
    per: timedelta

    @classmethod
    def read(cls, rate: Rate | str | None) -> Rate | None:
        """A rate as it is, or from words: "10/m", with s, m, h or d.

        Raises:
            ConfigurationError: it says nothing, or nothing could ever be begun.
        """
        if isinstance(rate, str):
            count, _, unit = rate.partition("/")
            if not count.isdecimal() or unit not in _UNITS:
                raise ConfigurationError(f"{rate!r} is no rate.", remedy='Write "10/m", with s, m, h or d.')
            rate = cls(count=int(count), per=timedelta(seconds=_UNITS[unit]))
        if rate is not None and (rate.count < 1 or rate.per <= timedelta(0)):
            raise ConfigurationError(f"{rate} allows nothing.", remedy="Allow at least 1 in more than 0 s.")
        return rate


@dataclass(frozen=True, slots=True, kw_only=True)
class Backoff:
    """How long to wait before the next attempt: doubling from `first` to `longest`, with full jitter on top half.

    Attributes:
        first: the wait after the first failed attempt.
        longest: no wait is longer.
    """

    first: timedelta = timedelta(seconds=5)
    longest: timedelta = timedelta(minutes=10)

    def delay(self, attempt: int, dice: float) -> timedelta:
        """The wait after failed attempt number `attempt` (1 is the first); `dice` is a random number in [0, 1)."""
        whole = min(self.longest, self.first * float(2 ** min(attempt - 1, 30)))
        return whole * (0.5 + dice / 2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What a handler wants for its messages.

    Attributes:
        timeout: an attempt that takes longer has failed; None: no limit. A handler that cannot be stopped, as a thread
            that does not look at `job.cancelled`, gets as long again, 30 s at least, before its job fails without it.
        silence: an attempt that reports no progress for so long has failed; None: it may be silent.
        attempts: after so many failed executions the message is dead.
        lease: how long a claim lasts unless it is extended; None: the queue's own.
        backoff: how long to wait between attempts.
        within: a message that a person typed longer ago than this is left alone: nobody expects an answer now.
        rate: how many of its messages one process begins in a time.
        concurrency: how many of its messages one process works on at once; None: as many as the worker.
        on: the process that has the handler, by name or labels; "": every one.
        every_bot: each process that has the handler does the message, once, with an answer of its own.
        retry_on: the exceptions that are worth another attempt; an attempt out of its time counts as a `TimeoutError`.
        give_up_on: the exceptions after which the message is dead at once. Of two classes that both fit an exception
            the more special one decides.
        result_expires: how long an answer can be read, by people and by whoever asks; None: as long as its thread.
    """

    timeout: timedelta | None = None
    silence: timedelta | None = None
    attempts: int = 5
    lease: timedelta | None = None
    backoff: Backoff = field(default_factory=Backoff)
    within: timedelta = timedelta(hours=1)
    rate: Rate | None = None
    concurrency: int | None = None
    on: str = ""
    every_bot: bool = False
    retry_on: tuple[type[BaseException], ...] = (BaseException,)
    give_up_on: tuple[type[BaseException], ...] = ()
    result_expires: timedelta | None = None

    def retries(self, kind: type[BaseException]) -> bool:
        """Whether an attempt that ended in an exception of this class is worth another one."""
        for ancestor in kind.__mro__:
            if ancestor in self.give_up_on:
                return False
            if ancestor in self.retry_on:
                return True
        return False

    def check(self, owner: str) -> None:
        """See that they make sense together.

        Args:
            owner: the function whose options they are, for people.

        Raises:
            ConfigurationError: they do not.
        """
        if self.attempts < 1:
            raise ConfigurationError(f"{owner}: attempts is {self.attempts}.", remedy="Allow at least 1.")
        if self.concurrency is not None and self.concurrency < 1:
            raise ConfigurationError(f"{owner}: concurrency is {self.concurrency}.", remedy="Allow at least 1.")
        for name in ("timeout", "silence", "lease", "within", "result_expires"):
            span: timedelta | None = getattr(self, name)
            if span is not None and span.total_seconds() <= 0:
                raise ConfigurationError(f"{owner}: {name} is {span}.", remedy="Give it more than 0 s.")
        for name in ("retry_on", "give_up_on"):
            _check_errors(f"{owner}: {name}", getattr(self, name))
        if both := set(self.retry_on) & set(self.give_up_on):
            names = ", ".join(sorted(kind.__name__ for kind in both))
            raise ConfigurationError(f"{owner}: {names} is in retry_on and in give_up_on.", remedy="Choose one.")


def _check_errors(what: str, kinds: object) -> None:
    """See that somebody gave classes of exceptions; annotations are not checked when a program runs."""
    if not isinstance(kinds, tuple):
        raise ConfigurationError(f"{what} is {kinds!r}.", remedy="Give a tuple of exceptions: (TimeoutError,).")
    for kind in cast("tuple[object, ...]", kinds):
        if not isinstance(kind, type) or not issubclass(kind, BaseException):
            raise ConfigurationError(f"{what} has {kind!r}, which is no exception.", remedy="Name exception classes.")
        if issubclass(kind, Retry | Reject):
            remedy = "Leave it out: Retry always tries again, and Reject never does."
            raise ConfigurationError(f"{what} has {kind.__name__}.", remedy=remedy)
