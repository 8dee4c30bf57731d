"""A hook that writes down what happened with the standard library's logging."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, assert_never

from slackmq.hooks import Claimed, Extended, Failed, Finished, Lagged, Lost, Posted, Rejected

if TYPE_CHECKING:
    from slackmq.hooks import Happening
    from slackmq.message import Message

__all__ = ["log_happenings"]

_log = logging.getLogger("slackmq")


def log_happenings(happening: Happening) -> None:
    """Log one line: what went well at INFO, what did not at WARNING, extensions at DEBUG."""
    match happening:
        case Posted(message=message):
            _log.info("posted %s", _name(message))
        case Claimed(claim=claim):
            _log.info("claimed %s, token %d, attempt %d", _name(claim.message), claim.token, claim.attempt)
        case Extended(claim=claim):
            _log.debug("extended %s, token %d", _name(claim.message), claim.token)
        case Failed(claim=claim, reason=reason):
            _log.warning("attempt %d of %s failed: %s", claim.attempt, _name(claim.message), reason)
        case Finished(claim=claim, outcome=outcome, effective=effective):
            late = "" if effective else ", after somebody else had"
            _log.info("%s %s, token %d%s", outcome.value, _name(claim.message), claim.token, late)
        case Lagged(skew=skew, needed=needed) if needed > skew:
            _log.warning(
                "messages show up to %.1f s late: set Timing(skew=timedelta(seconds=%.0f)), and leases of twice that",
                happening.reads.total_seconds(),
                needed.total_seconds(),
            )
        case Lagged(reads=reads, events=events, skew=skew):
            lags = (reads.total_seconds(), events.total_seconds(), skew.total_seconds())
            _log.info("reads are up to %.1f s late, events %.1f s; the skew is %.1f s", *lags)
        case Lost(claim=claim, reason=reason):
            _log.warning("lost %s, token %d: %s", _name(claim.message), claim.token, reason)
        case Rejected(message=message, reason=reason):
            _log.warning("rejected %s: %s", _name(message), reason)
        case _ as unreachable:
            assert_never(unreachable)


def _name(message: Message) -> str:
    return f"{message.kind or 'typed message'} {message.ts}"
