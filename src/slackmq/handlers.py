"""Functions by kind, for programs, and by pattern, for people; their arguments are parsed once, at the door."""

from __future__ import annotations

import difflib
import inspect
import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar, overload

from slackmq.advice import did_you_mean, help_text, meant, said_to
from slackmq.errors import ConfigurationError, TextTruncated, UnknownKind
from slackmq.handler import Bound, Handler
from slackmq.middleware import checked
from slackmq.nameplate import address
from slackmq.options import Options, Rate
from slackmq.parameters import Parameters, place
from slackmq.policy import Accept, Ignore, Later, Refuse
from slackmq.schedules import Schedules
from slackmq.task import Task, Terms

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator
    from datetime import timedelta

    from slackmq.job import Job
    from slackmq.message import Message
    from slackmq.middleware import Middleware, PlainMiddleware
    from slackmq.nameplate import Nameplate
    from slackmq.options import Backoff
    from slackmq.policy import Verdict
    from slackmq.task import Decorate, Poster

__all__ = ["Handlers"]

LONGEST_TEXT = 40_000
"""Slack cuts text longer than this many characters (Slack's docs, chat.postMessage, "Truncating content")."""

_STANDARD = Options()

_P = ParamSpec("_P")
_R = TypeVar("_R")
_F = TypeVar("_F", bound="Callable[..., object]")
_M = TypeVar("_M", bound="Middleware | PlainMiddleware")


class Handlers:
    """The functions of one program, passed explicitly to whoever needs them; nothing is global."""

    def __init__(self) -> None:
        self._tasks: dict[str, Handler] = {}
        self._listeners: list[Handler] = []
        self._posters: list[Poster] = []
        self._middleware: list[Middleware | PlainMiddleware] = []
        self._suggest: Handler | None = None
        self.schedules = Schedules(self.task)
        self.every = self.schedules.every

    def __iter__(self) -> Iterator[Handler]:
        """All handlers: first the listeners in the order in which they are tried, then the tasks."""
        yield from self._listeners
        yield from self._tasks.values()

    def listen(
        self,
        pattern: str | re.Pattern[str],
        *,
        timeout: timedelta | None = _STANDARD.timeout,
        silence: timedelta | None = _STANDARD.silence,
        attempts: int = _STANDARD.attempts,
        lease: timedelta | None = _STANDARD.lease,
        backoff: Backoff = _STANDARD.backoff,
        within: timedelta = _STANDARD.within,
        rate: Rate | str | None = None,
        concurrency: int | None = None,
        on: str | None = None,
        where: str | None = None,
        every_bot: bool = False,
        retry_on: tuple[type[BaseException], ...] = _STANDARD.retry_on,
        give_up_on: tuple[type[BaseException], ...] = _STANDARD.give_up_on,
    ) -> Callable[[_F], _F]:
        """Handle what people type; the function's result is answered in the thread.

        The whole text must match, without the blanks around it. Of several patterns that match, the one registered
        first counts. Named groups become the arguments, converted to the annotated types; text is as it was typed,
        with mentions as Slack writes them ("<@U123>").

        Args:
            pattern: a string ignores upper and lower case; a compiled pattern is used as it is.
            timeout: an attempt that takes longer has failed.
            silence: an attempt that reports no progress for so long has failed.
            attempts: after so many failed attempts the message is dead.
            lease: how long a claim lasts unless it is extended; None: as the queue does.
            backoff: how long to wait between attempts.
            within: a message typed longer ago than this is left alone.
            rate: how many one process begins in a time, as "10/m"; what must wait is not claimed yet.
            concurrency: how many one process works on at once.
            on: only the process of this name has the handler.
            where: only processes with this label have it, as "room=attic".
            every_bot: each process that has it does the message, once, with an answer of its own; nobody claims it.
            retry_on: the exceptions that are worth another attempt; see `slackmq.options.Options`.
            give_up_on: the exceptions after which the message is dead at once.

        Raises:
            ConfigurationError: when decorating: the groups do not fit the parameters, or the pattern is taken.
        """
        compiled = re.compile(pattern, re.IGNORECASE) if isinstance(pattern, str) else pattern
        options = Options(
            timeout=timeout,
            silence=silence,
            attempts=attempts,
            lease=lease,
            backoff=backoff,
            within=within,
            rate=Rate.read(rate),
            concurrency=concurrency,
            on=address(on, where),
            every_bot=every_bot,
            retry_on=retry_on,
            give_up_on=give_up_on,
        )

        def register(function: _F) -> _F:
            self._listeners.append(self._listener(function, compiled, options))
            return function

        return register

    @overload
    def task(self, function: Callable[Concatenate[Job, _P], _R], /) -> Task[Concatenate[Job, _P], _P, _R]: ...
    @overload
    def task(self, function: Callable[_P, _R], /) -> Task[_P, _P, _R]: ...
    @overload
    def task(
        self,
        /,
        *,
        name: str | None = None,
        timeout: timedelta | None = ...,
        silence: timedelta | None = ...,
        attempts: int = ...,
        lease: timedelta | None = ...,
        backoff: Backoff = ...,
        rate: Rate | str | None = ...,
        concurrency: int | None = ...,
        on: str | None = ...,
        where: str | None = ...,
        every_bot: bool = ...,
        retry_on: tuple[type[BaseException], ...] = ...,
        give_up_on: tuple[type[BaseException], ...] = ...,
        result_expires: timedelta | None = ...,
    ) -> Decorate: ...
    def task(
        self,
        function: Callable[..., object] | None = None,
        /,
        *,
        name: str | None = None,
        timeout: timedelta | None = _STANDARD.timeout,
        silence: timedelta | None = _STANDARD.silence,
        attempts: int = _STANDARD.attempts,
        lease: timedelta | None = _STANDARD.lease,
        backoff: Backoff = _STANDARD.backoff,
        rate: Rate | str | None = None,
        concurrency: int | None = None,
        on: str | None = None,
        where: str | None = None,
        every_bot: bool = False,
        retry_on: tuple[type[BaseException], ...] = _STANDARD.retry_on,
        give_up_on: tuple[type[BaseException], ...] = _STANDARD.give_up_on,
        result_expires: timedelta | None = _STANDARD.result_expires,
    ) -> Any:  # the overloads above are the public signature
        """Handle what programs post; a decorator with or without parentheses.

        Args:
            function: what does the work. A first parameter annotated `Job` gets the attempt in hand.
            name: the kind of its messages; None: the function's name.
            timeout: an attempt that takes longer has failed.
            silence: an attempt that reports no progress for so long has failed.
            attempts: after so many failed attempts the message is dead.
            lease: how long a claim lasts unless it is extended; None: as the queue does.
            backoff: how long to wait between attempts.
            rate: how many one process begins in a time, as "10/m"; what must wait is not claimed yet.
            concurrency: how many one process works on at once.
            on: only the process of this name has the handler.
            where: only processes with this label have it, as "room=attic".
            every_bot: each process that has it does the message, once, with an answer of its own; nobody claims it.
            retry_on: the exceptions that are worth another attempt; see `slackmq.options.Options`.
            give_up_on: the exceptions after which the message is dead at once.
            result_expires: how long its answers can be read: they are files that are deleted then.

        Raises:
            ConfigurationError: when decorating: the name is taken, or no message could bring such arguments.
        """
        options = Options(
            timeout=timeout,
            silence=silence,
            attempts=attempts,
            lease=lease,
            backoff=backoff,
            rate=Rate.read(rate),
            concurrency=concurrency,
            on=address(on, where),
            every_bot=every_bot,
            retry_on=retry_on,
            give_up_on=give_up_on,
            result_expires=result_expires,
        )

        def register(function: Callable[_P, _R]) -> Task[_P, _P, _R]:
            parameters = _read(function, options, untyped=Any)
            kind = function.__name__ if name is None else name
            handler = Handler(name=kind, function=function, parameters=parameters, options=options)
            if kind in self._tasks:
                raise ConfigurationError(
                    f"Two tasks are called {kind!r}: {place(self._tasks[kind].function)} and {place(function)}.",
                    remedy="Give one of them another name: task(name=…).",
                )
            self._tasks[kind] = handler
            terms = Terms(lease=lease, on=address(on, where, every_bot=every_bot))
            return Task(function, name=kind, parameters=parameters, terms=terms, door=lambda: self.poster)

        return register if function is None else register(function)

    def middleware(self, function: _M) -> _M:
        """Run a function around every handler; a decorator. The first one that is registered is outermost.

        It gets the job and what comes next: `async def timed(job, call_next)` awaits `call_next()`, a plain function
        calls it on a thread of its own. What it returns is the handler's result, and what it raises counts as raised
        by the handler; without `call_next()` the handler does not run.

        Raises:
            ConfigurationError: when decorating: it cannot be called with these two.
        """
        self._middleware.append(checked(function))
        return function

    def explain(self, word: str = "help", *, suggest: bool = True) -> None:
        """Let people ask what they can say: the answer is made of the handlers' docstrings.

        Args:
            word: what they say to ask.
            suggest: whether somebody who mistyped one word is told what was probably meant.
        """

        def show_help() -> str:
            """Show this."""
            said = [(said_to(handler.pattern), handler.function) for handler in self._listeners]
            return help_text(said, [(str(task.parameters), task.function) for task in self._tasks.values()])

        self.listen(re.compile(re.escape(word), re.IGNORECASE), attempts=2)(show_help)
        if suggest:
            read = _read(did_you_mean, _STANDARD, untyped=str)
            self._suggest = Handler(
                name=did_you_mean.__name__, function=did_you_mean, parameters=read, options=_STANDARD
            )

    def select(self, message: Message) -> Verdict:
        """Whether a handler here takes this message. Text that Slack cut is refused if its beginning would match.

        Handlers that only some processes have are named all the same: whether this is one, its queue knows.
        """
        if message.kind is not None:
            handler = self._tasks.get(message.kind)
            return (
                Accept(options=handler.options, handler=handler.name)
                if handler
                else Later(error=self._unknown(message.kind))
            )
        if len(message.text) >= LONGEST_TEXT:
            start = message.text.lstrip()
            addressed = any(handler.pattern and handler.pattern.match(start) for handler in self._listeners)
            return Refuse(error=_truncated()) if addressed else Ignore()
        accepted: Accept | None = None
        for handler, _ in reversed(self._matches(message.text)):
            accepted = Accept(options=handler.options, handler=handler.name, otherwise=accepted)
        return accepted or Ignore()

    def has_own(self, here: Nameplate) -> bool:
        """Whether a process has handlers of its own, or some that work for every bot: their events may go elsewhere."""
        options = [handler.options for handler in self]
        return any(option.every_bot or (option.on and here.fits(option.on)) for option in options)

    def bind(self, message: Message, here: Nameplate | None = None) -> Bound:
        """The handler for this message, with its arguments.

        Args:
            message: the message.
            here: what the process is called that shall do it; None: it has all handlers.

        Raises:
            UnknownKind: no handler here has the message's kind, or no pattern matches its text.
            ArgumentsRejected: names each argument that does not fit, and what the handler expects.
        """
        if message.kind is None:
            matches = self._matches(message.text)
            matches = [match for match in matches if here is None or here.fits(match[0].options.on)]
            if not matches:
                raise UnknownKind("No pattern here matches this text.")
            handler, groups = matches[0]
            arguments = handler.parameters.convert(groups, strict=False)
            return Bound(handler=handler, arguments=arguments, middleware=tuple(self._middleware))
        task = self._tasks.get(message.kind)
        if task is None:
            raise self._unknown(message.kind)
        arguments = task.parameters.convert(message.body, strict=True)
        return Bound(handler=task, arguments=arguments, middleware=tuple(self._middleware))

    @property
    def poster(self) -> Poster:
        """Where tasks post to: what the innermost `posting_to` named.

        Raises:
            ConfigurationError: nothing is open.
        """
        if not self._posters:
            raise ConfigurationError(
                "A task cannot be posted before its app is connected; nothing was sent.",
                remedy="Post inside `async with app:`; inside a worker's handlers that is so already.",
            )
        return self._posters[-1]

    @contextmanager
    def posting_to(self, poster: Poster) -> Generator[None]:
        """Let tasks post to this queue while inside; for the app and the worker."""
        self._posters.append(poster)
        try:
            yield
        finally:
            self._posters.remove(poster)

    def _matches(self, text: str) -> list[tuple[Handler, dict[str, str]]]:
        """The listeners that match, up to the first that all processes have, and the groups that took part in it."""
        text = text.strip()
        found: list[tuple[Handler, dict[str, str]]] = []
        for handler in self._listeners:
            if handler.pattern and (match := handler.pattern.fullmatch(text)):
                groups = {name: group for name, group in match.groupdict().items() if group is not None}
                found.append((handler, groups))
                if not handler.options.on:
                    break
        better = meant(text, [handler.pattern for handler in self._listeners]) if self._suggest and not found else None
        return [(self._suggest, {"words": better})] if self._suggest and better else found

    def _listener(self, function: Callable[..., object], pattern: re.Pattern[str], options: Options) -> Handler:
        """A handler for a pattern, once it is sure that the pattern's groups can be the arguments."""
        if isinstance(function, Task):
            function = function.__wrapped__
        parameters = _read(function, options, untyped=str)
        names = parameters.posted.parameters.keys()
        if wrong := sorted((parameters.required - pattern.groupindex.keys()) | (pattern.groupindex.keys() - names)):
            raise ConfigurationError(
                f"{place(function)}: the pattern {pattern.pattern!r} does not fit {parameters}: {', '.join(wrong)}.",
                remedy="Each named group is an argument, and each parameter without a default needs its group.",
            )
        for other in self._listeners:
            if other.pattern == pattern and other.options.on == options.on:
                raise ConfigurationError(
                    f"Two functions listen to {pattern.pattern!r}: {place(other.function)} and {place(function)}.",
                    remedy="Give one of them another pattern.",
                )
        name = function.__name__
        return Handler(name=name, function=function, parameters=parameters, options=options, pattern=pattern)

    def _unknown(self, kind: str) -> UnknownKind:
        """What to answer to a message for a task that is not here."""
        close = difflib.get_close_matches(kind, self._tasks, n=1)
        remedy = f"Did you mean {close[0]!r}?" if close else "Start a worker that has it, or post another kind."
        return UnknownKind(f"No task here is called {kind!r}.", remedy=remedy)


def _read(function: Callable[..., object], options: Options, *, untyped: object) -> Parameters:
    """The parameters of a function that can be a handler, with options that make sense."""
    if not inspect.isroutine(function):
        raise ConfigurationError(f"{function!r} is no function.", remedy="Decorate a function.")
    if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
        raise ConfigurationError(f"{place(function)} yields.", remedy="A handler returns one answer.")
    options.check(place(function))
    return Parameters.read(function, untyped=untyped)


def _truncated() -> TextTruncated:
    return TextTruncated(
        f"This text has {LONGEST_TEXT} characters or more: Slack has probably cut off its end.",
        remedy="Send a shorter one, or put the long part into a file.",
    )
