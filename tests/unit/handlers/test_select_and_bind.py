"""Which handler takes a message, and with which arguments."""

import re
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from pathlib import Path
from typing import Literal

import pytest

from slackmq.errors import ArgumentsRejected, TextTruncated, UnknownKind
from slackmq.handlers import Handlers
from slackmq.job import Job
from slackmq.message import Json, Message
from slackmq.nameplate import Nameplate
from slackmq.policy import Accept, Elsewhere, Ignore, Later, Options, Refuse, placed


class Mode(Enum):
    ON = "on"
    OFF = "off"


@dataclass
class Box:
    left: int
    top: int = 0


def typed(text: str) -> Message:
    return Message(channel="C1", ts="1.000001", author="U1", text=text, key="C1/1.000001")


def posted(kind: str, **body: Json) -> Message:
    return Message(channel="C1", ts="1.000001", author="U1", kind=kind, body=body, key="k")


def arguments(handlers: Handlers, message: Message) -> dict[str, object]:
    return dict(handlers.bind(message).arguments)


def lamps() -> Handlers:
    handlers = Handlers()

    @handlers.listen(r"toggle (?P<light>\w+) light", attempts=2)
    def toggle(light: str) -> str:
        return light

    @handlers.task(timeout=timedelta(minutes=5))
    def resize(path: Path, width: int = 300) -> None: ...

    return handlers


def test_text_that_matches_a_pattern_is_accepted_with_the_options_of_its_handler() -> None:
    assert lamps().select(typed("toggle dining light")) == Accept(options=Options(attempts=2), handler="toggle")


@pytest.mark.parametrize("text", ["  toggle dining light\n", "Toggle DINING Light"])
def test_blanks_around_the_text_and_its_case_do_not_matter(text: str) -> None:
    assert isinstance(lamps().select(typed(text)), Accept)


@pytest.mark.parametrize("text", ["please toggle dining light", "toggle dining light now", "hello", ""])
def test_text_must_match_from_end_to_end(text: str) -> None:
    assert lamps().select(typed(text)) == Ignore()


def test_a_compiled_pattern_keeps_its_own_flags() -> None:
    handlers = Handlers()
    handlers.listen(re.compile("stop"))(lambda: None)
    assert isinstance(handlers.select(typed("stop")), Accept)
    assert handlers.select(typed("STOP")) == Ignore()


def test_of_two_patterns_that_match_the_first_registered_counts() -> None:
    handlers = Handlers()

    @handlers.listen("sta.*")
    def first() -> None: ...

    @handlers.listen("start")
    def second() -> None: ...

    assert handlers.bind(typed("start")).handler.function is first


def test_a_known_kind_is_accepted_with_the_options_of_its_task() -> None:
    assert lamps().select(posted("resize")) == Accept(options=Options(timeout=timedelta(minutes=5)), handler="resize")


def test_an_unknown_kind_is_left_for_a_worker_of_another_version_and_names_the_nearest_task() -> None:
    verdict = lamps().select(posted("resise"))
    assert isinstance(verdict, Later)
    assert isinstance(verdict.error, UnknownKind)
    assert "'resise'" in verdict.error.cause
    assert "Did you mean 'resize'?" in verdict.error.remedy


def test_a_posted_message_never_reaches_a_pattern() -> None:
    message = Message(channel="C1", ts="1.0", author="U1", kind="other", text="toggle dining light", key="k")
    assert isinstance(lamps().select(message), Later)


def test_a_typed_message_never_reaches_a_task() -> None:
    assert lamps().select(typed("resize")) == Ignore()


def test_text_that_slack_cut_is_refused_if_its_beginning_matches() -> None:
    verdict = lamps().select(typed("toggle dining light " + "x" * 40_000))
    assert isinstance(verdict, Refuse)
    assert isinstance(verdict.error, TextTruncated)


def test_text_that_slack_cut_is_refused_even_if_all_of_it_matches() -> None:
    handlers = Handlers()
    handlers.listen("note .*")(lambda: None)
    assert isinstance(handlers.select(typed("note " + "x" * 39_994)), Accept)
    assert isinstance(handlers.select(typed("note " + "x" * 39_995)), Refuse)


def test_long_text_between_people_is_ignored() -> None:
    assert lamps().select(typed("x" * 41_000)) == Ignore()


def test_named_groups_are_converted_to_the_annotated_types() -> None:
    handlers = Handlers()

    @handlers.listen(r"set (?P<a>\S+) (?P<b>\S+) (?P<c>\S+) (?P<d>\S+) (?P<e>\S+) (?P<f>\S+) (?P<g>\S+)")
    def set_all(*, a: int, b: float, c: bool, d: Mode, e: Path, f: Literal["x", "y"], g: int | None) -> None: ...

    bound = handlers.bind(typed("set 3 2.5 true off a/b y 7"))
    assert bound.handler.function is set_all
    assert bound.arguments == {"a": 3, "b": 2.5, "c": True, "d": Mode.OFF, "e": Path("a/b"), "f": "y", "g": 7}


def test_a_group_without_annotation_is_text() -> None:
    handlers = Handlers()

    @handlers.listen(r"say (?P<what>\d+)")
    def say(what) -> None: ...  # type: ignore[no-untyped-def]  # noqa: ANN001  # pyright: ignore[reportUnknownParameterType, reportMissingParameterType]  # under test

    assert arguments(handlers, typed("say 12")) == {"what": "12"}


def test_a_group_that_took_no_part_leaves_the_default() -> None:
    handlers = Handlers()

    @handlers.listen(r"dim( to (?P<level>\d+))?")
    def dim(level: int = 50) -> None: ...

    assert arguments(handlers, typed("dim")) == {}
    assert arguments(handlers, typed("dim to 7")) == {"level": 7}


def test_every_argument_that_does_not_fit_is_named_with_what_was_expected() -> None:
    handlers = Handlers()

    @handlers.listen(r"lamp (?P<number>\w+) (?P<mode>\w+)")
    def lamp(number: int, mode: Mode, speed: float = 1) -> None: ...

    with pytest.raises(ArgumentsRejected) as caught:
        handlers.bind(typed("lamp one dim"))
    text = str(caught.value)
    assert "number: expected int" in text
    assert "mode: expected on or off" in text
    assert f"lamp(number: int, mode: {Mode.__module__}.Mode, speed: float = 1)" in text
    assert "speed: expected" not in text


def test_a_body_is_converted_without_guessing() -> None:
    assert arguments(lamps(), posted("resize", path="cat.png", width=3)) == {"path": Path("cat.png"), "width": 3}
    with pytest.raises(ArgumentsRejected, match="width: expected int"):
        lamps().bind(posted("resize", path="cat.png", width="3"))


def test_missing_and_unknown_arguments_are_named_together() -> None:
    with pytest.raises(ArgumentsRejected, match=r"path: missing; height: there is no such parameter"):
        lamps().bind(posted("resize", height=3))


def test_a_body_can_hold_a_dataclass() -> None:
    handlers = Handlers()

    @handlers.task
    def crop(box: Box) -> None: ...

    assert arguments(handlers, posted("crop", box={"left": 3})) == {"box": Box(left=3)}
    with pytest.raises(ArgumentsRejected, match=r"box: expected .*\$\.left"):
        handlers.bind(posted("crop", box={"left": "wide"}))
    assert crop.name == "crop"


def test_a_message_cannot_bring_the_job() -> None:
    handlers = Handlers()

    @handlers.task
    def work(job: Job | None = None) -> None: ...

    with pytest.raises(ArgumentsRejected, match="job: there is no such parameter"):
        handlers.bind(posted("work", job=None))
    assert work.name == "work"


def test_binding_what_nobody_selects_is_an_error() -> None:
    with pytest.raises(UnknownKind):
        lamps().bind(typed("hello"))
    with pytest.raises(UnknownKind, match="resise"):
        lamps().bind(posted("resise"))


def homes() -> Handlers:
    handlers = Handlers()
    handlers.listen("lights off", where="room=attic")(lambda: "attic")
    handlers.listen("lights off", where="room=cellar")(lambda: "cellar")
    handlers.listen(r"(?P<what>\w+) off")(lambda what: what)
    handlers.listen("lights off", on="pi-9")(lambda: "too late")
    handlers.task(name="reboot", on="pi-1", where="gpu")(lambda: None)
    return handlers


ATTIC = Nameplate(name="pi-1", labels=frozenset({"room=attic"}))
CELLAR = Nameplate(name="pi-2", labels=frozenset({"room=cellar", "gpu"}))


@pytest.mark.parametrize(("here", "name"), [(ATTIC, 0), (CELLAR, 1), (Nameplate(name="pi-9"), 2)])
def test_the_first_handler_that_matches_and_is_here_gets_what_was_typed(here: Nameplate, name: int) -> None:
    handlers, message = homes(), typed("lights off")
    options = [handler.options for handler in handlers]
    verdict = placed(handlers.select(message), message, here)
    assert isinstance(verdict, Accept)
    assert verdict.options == options[name] == handlers.bind(message, here).handler.options


def test_what_only_others_have_is_talk_if_it_was_typed_and_theirs_if_it_was_posted() -> None:
    handlers = Handlers()
    handlers.listen("open", where="room=attic")(lambda: None)
    handlers.task(name="reboot", on="pi-1", where="gpu")(lambda: None)
    assert placed(handlers.select(typed("open")), typed("open"), CELLAR) == Ignore()
    for here in (ATTIC, CELLAR):
        assert isinstance(placed(handlers.select(posted("reboot")), posted("reboot"), here), Elsewhere)
    with pytest.raises(UnknownKind):
        handlers.bind(typed("open"), CELLAR)


def test_a_post_for_somebody_else_is_neither_ours_nor_unknown() -> None:
    handlers = homes()
    for kind in ("reboot", "nonsense"):
        message = Message(channel="C1", ts="1.000001", author="U1", kind=kind, key="k", on="pi-3")
        assert isinstance(placed(handlers.select(message), message, ATTIC), Elsewhere)


@pytest.mark.parametrize(
    ("on", "fits"),
    [
        *((on, True) for on in ("", "*", "pi-1", "room=attic", "* pi-1 room=attic")),
        *((on, False) for on in ("pi-2", "pi", "room=attic gpu", "room")),
    ],
)
def test_an_address_fits_if_each_of_its_words_is_the_name_or_a_label(on: str, *, fits: bool) -> None:
    assert ATTIC.fits(on) is fits


def test_a_name_that_was_drawn_at_random_fits_no_address() -> None:
    drawn = Nameplate.made(None, ["gpu"], draw=lambda: "12345678-9")
    assert (drawn.fits(drawn.name), drawn.fits("gpu"), drawn.fits("*"), drawn.fits("")) == (False, True, True, True)
