"""Which exceptions are worth another attempt."""

from __future__ import annotations

import pytest

from slackmq.options import Options


@pytest.mark.parametrize("kind", [ValueError, KeyboardInterrupt, TimeoutError])
def test_whatever_is_raised_is_worth_a_retry_unless_something_is_said(kind: type[BaseException]) -> None:
    assert Options().retries(kind)


def test_who_names_what_to_retry_gives_up_on_the_rest() -> None:
    options = Options(retry_on=(TimeoutError, ConnectionError))
    assert options.retries(TimeoutError)
    assert options.retries(ConnectionResetError)
    assert not options.retries(ValueError)


def test_who_names_what_to_give_up_on_retries_the_rest() -> None:
    options = Options(give_up_on=(ValueError,))
    assert not options.retries(UnicodeDecodeError)
    assert options.retries(OSError)


def test_of_two_classes_that_fit_the_more_special_one_decides() -> None:
    stubborn = Options(retry_on=(OSError,), give_up_on=(FileNotFoundError,))
    assert stubborn.retries(PermissionError)
    assert not stubborn.retries(FileNotFoundError)
    choosy = Options(retry_on=(ConnectionError,), give_up_on=(OSError,))
    assert choosy.retries(ConnectionRefusedError)
    assert not choosy.retries(FileNotFoundError)
