"""Posting a task: what goes into the message, and what is refused before anything is sent."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from enum import Enum
from pathlib import Path

import pytest

from slackmq.answer import Answer, answer_of
from slackmq.clock import SYSTEM
from slackmq.errors import ArgumentsRejected, ConfigurationError, ResultUntold
from slackmq.handlers import Handlers
from slackmq.job import Job
from slackmq.message import Claim, Json, Message


class Mode(Enum):
    FAST = "fast"


class Sheet:
    """A queue that writes down what was posted, and has one answer to everything."""

    def __init__(self, answer: Answer | None = None) -> None:
        self.answers = answer or Answer(text=None)
        self.waited: list[timedelta] = []
        self.terms: list[tuple[int, timedelta | None]] = []
        self.delays: list[timedelta | None] = []
        self.after: list[tuple[Message | str, ...]] = []
        self.places: list[str] = []
        self.posts: list[tuple[str, Mapping[str, Json], str | None, timedelta | None]] = []

    async def post(
        self,
        kind: str,
        body: Mapping[str, Json],
        *,
        key: str | None = None,
        lease: timedelta | None = None,
        priority: int = 0,
        expires: timedelta | None = None,
        delay: timedelta | None = None,
        after: Sequence[Message | str] = (),
        on: str = "",
    ) -> Message:
        self.after.append(tuple(after))
        self.posts.append((kind, body, key, lease))
        self.terms.append((priority, expires))
        self.delays.append(delay)
        self.places.append(on)
        return Message(channel="C1", ts="1.000001", author="U1", kind=kind, body=body, key=key or "new")

    async def answer(self, message: Message, *, within: timedelta) -> Answer:
        assert message.ts == "1.000001"
        self.waited.append(within)
        return self.answers


handlers = Handlers()


@handlers.task(lease=timedelta(minutes=2))
def resize(job: Job, path: Path, width: int = 300, *, mode: Mode = Mode.FAST) -> str:
    """Make it smaller."""
    return f"{job.key}: {path} {width} {mode.value}"


@handlers.task
def label(key: str) -> str:
    return key


@handlers.task
def scale(factor: float) -> float:
    return factor


async def test_a_post_carries_the_arguments_by_name_as_json() -> None:
    sheet = Sheet()
    with handlers.posting_to(sheet):
        message = await resize.post(Path("cat.png"), mode=Mode.FAST)
    assert sheet.posts == [("resize", {"path": "cat.png", "mode": "fast"}, None, timedelta(minutes=2))]
    assert message.kind == "resize"


async def test_a_posted_body_binds_to_the_arguments_it_was_made_from() -> None:
    sheet = Sheet()
    with handlers.posting_to(sheet):
        message = await resize.post(Path("cat.png"), 3, mode=Mode.FAST)
    assert handlers.bind(message).arguments == {"path": Path("cat.png"), "width": 3, "mode": Mode.FAST}


async def test_a_keyed_task_posts_under_its_key_and_leaves_the_task_alone() -> None:
    sheet = Sheet()
    with handlers.posting_to(sheet):
        await resize.keyed("cat/300").post(Path("cat.png"))
        await resize.post(Path("cat.png"))
    assert [key for _, _, key, _ in sheet.posts] == ["cat/300", None]


async def test_a_parameter_called_key_is_the_functions_own() -> None:
    sheet = Sheet()
    with handlers.posting_to(sheet):
        await label.post(key="red")
    assert sheet.posts == [("label", {"key": "red"}, None, None)]


async def test_a_key_among_the_arguments_is_refused_and_the_right_way_named() -> None:
    with pytest.raises(ArgumentsRejected, match=r"resize\.keyed"):
        await resize.post(Path("cat.png"), key="cat/300")  # type: ignore[call-arg]  # the mistake under test


async def test_arguments_that_do_not_fit_are_refused_before_anything_is_sent() -> None:
    sheet = Sheet()
    with handlers.posting_to(sheet):
        with pytest.raises(ArgumentsRejected, match=r"width: expected int .*path: |path: .*width: expected int"):
            await resize.post(3, "wide")  # type: ignore[arg-type]  # the mistake under test
        with pytest.raises(ArgumentsRejected, match="missing a required argument: 'path'"):
            await resize.post()  # type: ignore[call-arg]  # the mistake under test
        with pytest.raises(ArgumentsRejected, match="path: cannot be written as JSON"):
            await resize.post(object())  # type: ignore[arg-type]  # the mistake under test
        with pytest.raises(ArgumentsRejected, match="factor: expected float"):
            await scale.post(float("nan"))
    assert sheet.posts == []


async def test_a_post_without_a_connection_says_how_to_open_one() -> None:
    with pytest.raises(ConfigurationError, match="async with app"):
        await resize.post(Path("cat.png"))


async def test_posting_ends_with_the_connection() -> None:
    with handlers.posting_to(Sheet()):
        pass
    with pytest.raises(ConfigurationError):
        await resize.post(Path("cat.png"))


def test_a_task_is_still_the_function() -> None:
    claim = Claim(message=Message(channel="C1", ts="1.0", author="U1", key="k"), token=1, attempt=1, deadline=0.0)
    assert resize(Job(claim=lambda: claim, clock=SYSTEM), Path("cat.png"), 3) == "k: cat.png 3 fast"
    assert (resize.__name__, resize.__doc__) == ("resize", "Make it smaller.")


@handlers.task
def measure(path: Path) -> tuple[Mode, Path]:
    return (Mode.FAST, path)


async def test_whoever_asks_gets_the_result_with_the_type_that_the_function_says() -> None:
    sheet = Sheet(answer_of(measure(Path("cat.png"))))
    with handlers.posting_to(sheet):
        assert await measure.ask(Path("cat.png")) == (Mode.FAST, Path("cat.png"))
    assert sheet.waited == [timedelta(minutes=1)]


async def test_within_says_how_long_to_wait_and_keyed_is_kept() -> None:
    sheet = Sheet(answer_of("small"))
    with handlers.posting_to(sheet):
        assert await label.keyed("k").within(timedelta(seconds=3)).ask("x") == "small"
    assert (sheet.waited, sheet.posts[0][2]) == ([timedelta(seconds=3)], "k")


async def test_no_answer_is_none_and_for_text_no_text() -> None:
    with handlers.posting_to(Sheet()):
        assert await label.ask("x") == ""

    @handlers.task
    def silent() -> int | None:
        return None

    with handlers.posting_to(Sheet()):
        assert await silent.ask() is None


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (answer_of("x" * 17_000_000), "17,000,002 bytes of JSON, and a file at most 16,777,216"),
        (answer_of([float]), None),
        (answer_of("no number"), "Expected `float`, got `str`"),
    ],
)
async def test_a_result_that_cannot_be_told_is_an_error_that_says_why(answer: Answer, why: str | None) -> None:
    with handlers.posting_to(Sheet(answer)), pytest.raises(ResultUntold, match=why):
        await scale.ask(2.0)


async def test_priority_and_expiry_go_with_the_post_and_not_with_the_task() -> None:
    sheet = Sheet()
    with handlers.posting_to(sheet):
        await scale.ranked(7).expiring(timedelta(minutes=3)).keyed("k").post(2.0)
        await scale.post(2.0)
    assert sheet.terms == [(7, timedelta(minutes=3)), (0, None)]
    assert [key for _, _, key, _ in sheet.posts] == ["k", None]


async def test_a_job_is_posted_later_on_the_terms_of_its_task() -> None:
    sheet = Sheet()
    with handlers.posting_to(sheet):
        await scale.ranked(7).keyed("k").post_later(timedelta(hours=1), 2.0)
        await scale.post(2.0)
    assert sheet.delays == [timedelta(hours=1), None]
    assert sheet.terms[0] == (7, None)
    assert [(kind, key) for kind, _, key, _ in sheet.posts] == [("scale", "k"), ("scale", None)]


async def test_a_post_bears_the_address_of_its_task_and_the_one_that_it_is_given() -> None:
    sheet, homes = Sheet(), Handlers()
    wave = homes.task(name="wave", on="pi-1")(lambda: None)
    sing = homes.task(name="sing", every_bot=True, where="room=attic")(lambda: None)
    with handlers.posting_to(sheet):
        await scale.on("pi-1").post(2.0)
        await scale.post(2.0)
    with homes.posting_to(sheet):
        await wave.on("gpu").post()
        await sing.post()
        await sing.on("gpu").post()
    assert sheet.places == ["pi-1", "", "pi-1 gpu", "* room=attic", "* room=attic gpu"]
