"""Exit statuses, and what is said with them."""

from __future__ import annotations

import pytest

from slackmq.cli.exits import MEANINGS, Exit, StillHeld, Unreachable, exit_of, explanation
from slackmq.errors import Ambiguous, ConfigurationError, EnvelopeTooLarge, MissingScope, RateLimited, TokenRefused
from slackmq.kv.errors import (
    KeyExists,
    KeyNotFound,
    KeyRejected,
    LockLost,
    LogBroken,
    RecordTooNew,
    RevisionMismatch,
    WriteLost,
)


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (ConfigurationError("x"), 2),
        (EnvelopeTooLarge("x"), 2),
        (TokenRefused("x", method="auth.test", code="invalid_auth"), 3),
        (MissingScope("x", method="reactions.add", needed="reactions:write", provided=""), 3),
        (RateLimited("x", method="auth.test", retry_after=1), 3),
        (Ambiguous("x", method="auth.test"), 4),
        (Unreachable("x"), 4),
        (KeyNotFound("x"), 6),
        (RevisionMismatch("x", expected=1, revision=2), 7),
        (KeyExists("x", expected=0, revision=2), 7),
        (KeyRejected("x"), 2),
        (WriteLost("x"), 8),
        (LockLost("x"), 9),
        (LogBroken("x"), 10),
        (RecordTooNew("x"), 10),
        (StillHeld("x"), 11),
        (ZeroDivisionError("x"), 70),
        (KeyboardInterrupt(), 130),
        (ExceptionGroup("many", [ExceptionGroup("more", [Ambiguous("x", method="auth.test")])]), 4),
    ],
)
def test_every_kind_of_error_has_its_exit_status(error: BaseException, status: int) -> None:
    assert exit_of(error) == status


def test_every_exit_status_is_explained() -> None:
    assert set(MEANINGS) == set(Exit)


def test_an_error_is_the_cause_on_one_line_and_the_remedy_on_the_next() -> None:
    error = ConfigurationError("The cause,\n in two lines.", remedy="\nThe remedy.")
    assert explanation(error) == "The cause, in two lines.\nThe remedy."


def test_no_error_shows_a_token() -> None:
    secret = "xoxb-1161947729678-1470260871585-5703458074a17511"
    shown = explanation(ValueError(f"Authorization: Bearer {secret}, and xapp-1-A0-12-beef."))
    assert "5703458074a17511" not in shown
    assert "beef" not in shown
    assert "Bearer xoxb-…" in shown
