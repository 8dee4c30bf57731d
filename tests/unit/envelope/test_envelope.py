from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from slackmq.envelope import BODY_LIMIT, VERSION, Stamp, finished, preview, seal, typed, unseal
from slackmq.errors import EnvelopeDamaged, EnvelopeTooLarge, EnvelopeTooNew, ForeignEnvelope, MessageEdited
from slackmq.message import Post

if TYPE_CHECKING:
    from collections.abc import Mapping

    from slackmq.envelope import Letter
    from slackmq.message import Json

ME = "U0BOT"
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


def read(payload: Mapping[str, Any], *, author: str = ME) -> Letter | None:
    return unseal(payload, channel="C1", ts="1700000000.000100", author=author, me=ME, text="resize()")


def sealed(**body: Json) -> dict[str, Any]:
    return dict(seal(Post(kind="resize", body=body, key="k"), to=ME, sent_at=1_700_000_000.0).payload)


@given(
    body=st.dictionaries(st.text(max_size=10), json_values, max_size=4),
    key=st.text(min_size=1, max_size=40),
    keyed=st.booleans(),
    lease=st.none() | st.integers(1, 10_000).map(lambda s: timedelta(seconds=s)),
    repost=st.integers(0, 5),
    priority=st.integers(-9, 9),
    expires=st.none() | st.integers(1_700_000_001, 1_800_000_000).map(float),
    delay=st.none() | st.integers(1, 10_000_000).map(lambda s: timedelta(seconds=s)),
    after=st.lists(st.sampled_from(["1600000000.000100", "1600000001.000200"]), unique=True).map(tuple),
    on=st.sampled_from(["", "pi-1", "room=attic"]),
)
def test_what_is_sealed_is_read_as_it_was(  # as hypothesis draws them
    body: dict[str, Json],
    key: str,
    *,
    keyed: bool,
    lease: timedelta | None,
    repost: int,
    priority: int,
    expires: float | None,
    delay: timedelta | None,
    after: tuple[str, ...],
    on: str,
) -> None:
    post = Post(
        kind="resize",
        body=body,
        key=key,
        keyed=keyed,
        lease=lease,
        priority=priority,
        expires=expires,
        delay=delay,
        after=after,
        on=on,
    )
    letter = read(seal(post, to=ME, sent_at=1_700_000_000.0, repost=repost).payload)
    assert letter is not None
    assert letter.error is None
    message = letter.message
    assert (message.kind, message.body, message.key, message.keyed) == ("resize", body, key, keyed)
    assert (message.lease, message.repost, message.sent_at) == (lease, repost, 1_700_000_000.0)
    assert (message.priority, message.expires, message.delay) == (priority, expires, delay)
    assert (message.after, message.on) == (after, on)
    assert message.due == 1_700_000_000.0001 + (delay.total_seconds() if delay else 0)


def test_a_job_without_priority_and_expiry_is_read_by_older_workers() -> None:
    assert sealed()["v"] == 1
    assert {"priority", "expires"}.isdisjoint(sealed())


@pytest.mark.parametrize(("field", "value"), [("priority", 9), ("expires", "1900000000.000"), ("expires", None)])
def test_a_change_of_priority_or_expiry_is_noticed(field: str, value: object) -> None:
    post = Post(kind="resize", body={}, key="k", priority=3, expires=1_700_000_100.0)
    payload = {**seal(post, to=ME, sent_at=1_700_000_000.0).payload, field: value}
    letter = read(payload)
    assert letter is not None
    assert isinstance(letter.error, EnvelopeDamaged)


@pytest.mark.parametrize("value", [1.0, None])
def test_a_change_of_a_delay_is_noticed_and_the_delay_is_shown_as_a_time(value: float | None) -> None:
    post = Post(kind="resize", body={}, key="k", delay=timedelta(hours=1))
    shown = seal(post, to=ME, sent_at=1_700_000_000.0)
    letter = read({**shown.payload, "delay": value})
    assert letter is not None
    assert isinstance(letter.error, EnvelopeDamaged)
    assert shown.text == "resize() — not before 2023-11-14 23:13:20 UTC"
    assert shown.payload["v"] == 3


def test_the_message_of_a_finished_job_keeps_its_priority_and_expiry() -> None:
    post = Post(kind="resize", body={}, key="k", priority=3, expires=1_700_000_100.0)
    letter = read(seal(post, to=ME, sent_at=1_700_000_000.0).payload)
    assert letter is not None
    again = read(finished(letter.message).payload)
    assert again is not None
    assert again.error is None
    assert (again.message.priority, again.message.expires) == (3, 1_700_000_100.0)


@pytest.mark.parametrize("field", ["kind", "body", "key", "keyed", "lease"])
def test_a_change_of_any_field_that_matters_is_noticed(field: str) -> None:
    payload = sealed(path="cat.png")
    changed: dict[str, Any] = {"kind": "delete", "body": "{}", "key": "other", "keyed": True, "lease": 5.0}
    letter = read(payload | {field: changed[field]})
    assert letter is not None
    assert isinstance(letter.error, EnvelopeDamaged)
    assert "Post it again" in str(letter.error)


@pytest.mark.parametrize("missing", ["body", "key", "sent_at", "sha256", "v"])
def test_an_envelope_without_a_field_is_damaged_and_not_a_crash(missing: str) -> None:
    payload = sealed()
    del payload[missing]
    letter = read(payload)
    assert letter is not None
    assert isinstance(letter.error, EnvelopeDamaged)


@pytest.mark.parametrize("lease", [1e300, -1e300])
def test_a_time_that_no_calendar_holds_is_damage_and_not_a_crash(lease: float) -> None:
    fields = sealed() | {"lease": lease}
    stamp = msgspec.convert(fields, Stamp, strict=False)
    letter = read(fields | {"sha256": stamp.digest()})  # as a bot of the queue could write it
    assert letter is not None
    assert isinstance(letter.error, EnvelopeDamaged)


def test_an_envelope_for_another_bot_does_not_concern_us() -> None:
    assert read(sealed() | {"to": "U0OTHER"}) is None


def test_a_look_alike_posted_by_somebody_else_is_refused_by_name() -> None:
    letter = read(sealed(), author="U0STRANGER")
    assert letter is not None
    assert isinstance(letter.error, ForeignEnvelope)
    assert "U0STRANGER" in str(letter.error)


def test_a_look_alike_cannot_squat_on_another_jobs_key() -> None:
    letter = read(sealed(), author="U0STRANGER")
    assert letter is not None
    assert letter.message.key == "C1/1700000000.000100"


def test_an_envelope_of_a_newer_version_names_both_versions() -> None:
    letter = read(sealed() | {"v": VERSION + 1})
    assert letter is not None
    assert isinstance(letter.error, EnvelopeTooNew)
    assert f"version {VERSION + 1}" in str(letter.error)


def test_a_body_that_does_not_fit_into_one_message_is_refused_before_it_is_sent() -> None:
    with pytest.raises(EnvelopeTooLarge, match="nothing was posted") as caught:
        seal(Post(kind="say", body={"text": "x" * 41_000}, key="k"), to=ME, sent_at=0.0)
    assert "file" in caught.value.remedy


def test_a_body_of_just_the_limit_fits() -> None:
    body: dict[str, Json] = {"t": "x" * (BODY_LIMIT - len('{"t":""}'))}
    assert read(seal(Post(kind="say", body=body, key="k"), to=ME, sent_at=0.0).payload) is not None


def test_people_read_the_call_and_not_the_whole_of_a_long_one() -> None:
    assert preview(Post(kind="resize", body={"path": "cat.png", "width": 3}, key="k")) == (
        'resize(path="cat.png", width=3)'
    )
    assert len(preview(Post(kind="say", body={"text": "x" * 5_000}, key="k"))) <= 300


def test_a_typed_message_has_its_own_place_as_its_key() -> None:
    letter = typed(channel="C1", ts="1.000001", author="U1", text="hi", edited=False)
    assert (letter.message.kind, letter.message.key, letter.error) == (None, "C1/1.000001", None)


def test_an_edited_typed_message_carries_its_error() -> None:
    letter = typed(channel="C1", ts="1.000001", author="U1", text="hi", edited=True)
    assert isinstance(letter.error, MessageEdited)


def test_a_job_that_is_finished_still_says_after_what_it_was_begun() -> None:
    post = Post(kind="resize", body={}, key="k", after=("1600000000.000100", "1600000001.000200"))
    sealed = seal(post, to="U0BOT", sent_at=1_700_000_000.0, link="https://x.slack.com/{}".format)
    assert sealed.text == "resize() — after https://x.slack.com/1600000000.000100 and 1 more"
    letter = unseal(sealed.payload, channel="C1", ts="1700000000.000100", author="U0BOT", me="U0BOT", text=sealed.text)
    assert letter is not None
    edited = finished(letter.message, link="https://x.slack.com/{}".format)
    assert edited.text == f":white_check_mark: {sealed.text}"


@pytest.mark.parametrize("name", ["1700000000.000100", "1700000000.000200", "yesterday", "-1.0", "nan"])
def test_a_job_that_names_itself_or_a_later_one_is_damaged(name: str) -> None:
    sealed = seal(Post(kind="resize", body={}, key="k", after=(name,)), to="U0BOT", sent_at=1_700_000_000.0)
    letter = unseal(sealed.payload, channel="C1", ts="1700000000.000100", author="U0BOT", me="U0BOT")
    assert letter is not None
    assert isinstance(letter.error, EnvelopeDamaged)
