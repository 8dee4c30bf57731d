"""What is refused when decorating, so that it cannot fail later on a message."""

import re
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from slackmq.errors import ConfigurationError, Retry
from slackmq.handlers import Handlers
from slackmq.job import Job

if TYPE_CHECKING:
    from fractions import Fraction


class Odd: ...


def several(*paths: str) -> None: ...
def named(**paths: str) -> None: ...
def odd(thing: Odd) -> None: ...
def nested(things: dict[str, list[Odd]]) -> None: ...
def late(ratio: "Fraction") -> None: ...
def twice(one: Job, two: Job) -> None: ...
def numbers() -> Iterator[int]:
    yield 1


async def answers() -> AsyncIterator[int]:
    yield 1


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        (several, r"\*paths"),
        (named, r"\*\*paths"),
        (odd, "thing"),
        (nested, "things"),
        (late, "'Fraction' is not defined when the program runs.*TYPE_CHECKING"),
        (twice, "one and two both ask for the Job"),
        (numbers, "yields"),
        (answers, "yields"),
        (Odd, "no function"),
    ],
)
def test_a_function_that_no_message_can_call_is_no_task(function: Callable[..., Any], reason: str) -> None:
    with pytest.raises(ConfigurationError, match=reason):
        Handlers().task(function)


def test_the_error_names_the_place_of_the_function() -> None:
    with pytest.raises(ConfigurationError, match=rf"{re.escape(__file__)}:\d+ odd"):
        Handlers().task(odd)


def test_two_tasks_cannot_share_a_name_and_both_places_are_named() -> None:
    handlers = Handlers()
    handlers.task(test_the_error_names_the_place_of_the_function)
    with pytest.raises(ConfigurationError) as caught:
        handlers.task(name="test_the_error_names_the_place_of_the_function")(several_words)
    assert str(caught.value).count(__file__) == 2


def several_words(first: str, second: str) -> None: ...


def test_two_tasks_of_one_function_can_have_two_names() -> None:
    handlers = Handlers()
    assert {handlers.task(several_words).name, handlers.task(name="other")(several_words).name} == {
        "several_words",
        "other",
    }


@pytest.mark.parametrize("pattern", ["(?P<first>.*)", "(?P<first>.) (?P<second>.) (?P<third>.)", "words"])
def test_groups_and_parameters_must_agree(pattern: str) -> None:
    with pytest.raises(ConfigurationError, match="does not fit several_words"):
        Handlers().listen(pattern)(several_words)


def test_a_pattern_has_one_listener() -> None:
    handlers = Handlers()
    handlers.listen("stop")(lambda: None)
    with pytest.raises(ConfigurationError, match="Two functions listen to 'stop'"):
        handlers.listen("stop")(lambda: None)


def test_a_function_can_listen_to_two_patterns_and_be_a_task_too() -> None:
    handlers = Handlers()

    @handlers.listen("(?P<first>.) (?P<second>.)")
    @handlers.listen("(?P<second>.) then (?P<first>.)")
    @handlers.task
    def pair(first: str, second: str) -> str:
        return first + second

    assert pair("a", "b") == "ab"


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"attempts": 0}, "attempts is 0"),
        ({"timeout": timedelta(0)}, "timeout is"),
        ({"lease": timedelta(seconds=-1)}, "lease is"),
        ({"retry_on": TimeoutError}, "retry_on is <class 'TimeoutError'>"),
        ({"give_up_on": (3,)}, "give_up_on has 3, which is no exception"),
        ({"give_up_on": (Retry,)}, "give_up_on has Retry.*always tries again"),
        ({"retry_on": (OSError, ValueError), "give_up_on": (OSError,)}, "OSError is in retry_on and in give_up_on"),
    ],
)
def test_options_that_make_no_sense_are_refused(options: dict[str, Any], reason: str) -> None:
    with pytest.raises(ConfigurationError, match=reason):
        Handlers().task(**options)(several_words)
