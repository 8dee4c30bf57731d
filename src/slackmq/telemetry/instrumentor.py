"""What `opentelemetry-instrument` finds: traces of a program that says nothing of them itself.

`pip install 'slackmq[instrument]'`, then `opentelemetry-instrument slackmq worker home:app`. The package names it
in the group `opentelemetry_instrumentor` of its entry points, and nothing else imports it.
"""

from __future__ import annotations

from dataclasses import replace
from functools import wraps
from typing import TYPE_CHECKING, Any

from opentelemetry.instrumentation.instrumentor import BaseInstrumentor  # type: ignore[attr-defined]  # mypy may not look into it

from slackmq.handlers import Handlers
from slackmq.queue import AsyncQueue
from slackmq.telemetry.opentelemetry import Tracing

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from opentelemetry.trace import TracerProvider

    from slackmq.handler import Bound
    from slackmq.message import Message
    from slackmq.nameplate import Nameplate

__all__ = ["SlackMQInstrumentor"]

_MADE = AsyncQueue.__init__
_BIND = Handlers.bind


class SlackMQInstrumentor(BaseInstrumentor):  # type: ignore[misc]  # as above
    """`SlackMQInstrumentor().instrument()`: every queue that is made from now on is traced, see `Tracing`.

    A program that hands a `Tracing` to its app gets no second one.
    """

    def instrumentation_dependencies(self) -> Collection[str]:
        """Nothing beside this package, which it is a part of."""
        return ()

    def _instrument(self, *, tracer_provider: TracerProvider | None = None, **_: Any) -> None:
        tracing = Tracing(tracer_provider)

        @wraps(_MADE)
        def made(queue: AsyncQueue, *args: Any, **options: Any) -> None:
            hooks = tuple(options.pop("hooks", ()))
            own = any(isinstance(hook, Tracing) for hook in hooks)
            _MADE(queue, *args, hooks=hooks if own else (*hooks, tracing), **options)

        @wraps(_BIND)
        def bind(handlers: Handlers, message: Message, here: Nameplate | None = None) -> Bound:
            bound = _BIND(handlers, message, here)
            return replace(bound, middleware=(tracing.around, *bound.middleware))

        _change(AsyncQueue, "__init__", made)
        _change(Handlers, "bind", bind)

    def _uninstrument(self, **_: Any) -> None:
        _change(AsyncQueue, "__init__", _MADE)
        _change(Handlers, "bind", _BIND)


def _change(kind: type, name: str, method: Callable[..., object]) -> None:
    """Put another method into a class: the program was not written to be traced."""
    setattr(kind, name, method)
