"""What `slackmq kv` makes of values, lines of an export, and of what people may see of a store."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec
import pytest

from slackmq.cli.kv.rows import cells, print_value, row_of, row_of_change
from slackmq.cli.kv.transfer import lines
from slackmq.cli.kv.value import given, read_as
from slackmq.cli.kv.watch import line
from slackmq.errors import ConfigurationError
from slackmq.kv.entry import Change, Entry, Kind

if TYPE_CHECKING:
    from slackmq.message import Json

NOON = datetime(2026, 11, 27, 12, 0, 0, tzinfo=UTC)
SECRET = "xoxb-1161947729678-1470260871585-5703458074a17511"


def entry(value: Json | bytes, *, expires: datetime | None = None) -> Entry:
    made = round(NOON.timestamp()) * 1_000_000_000
    return Entry(
        key="k", value=value, revision=made, first=made, created=NOON, modified=NOON, author="U1", expires=expires
    )


@pytest.mark.parametrize(
    ("data", "value"),
    [
        (b"on", "on"),
        (b"on\n", "on"),
        (b"5", 5),
        (b"-5\n", -5),
        (b"007", "007"),
        (b"NaN", "NaN"),
        (b'{"on": true}\n', {"on": True}),
        (b"null", None),
        (b'"5"', "5"),
        (b"", ""),
        ("zähe\r\n".encode(), "zähe\r"),
    ],
)
def test_a_value_is_json_if_it_is_json_and_text_otherwise(data: bytes, value: Json) -> None:
    assert read_as(data) == value


def test_text_is_text_and_bytes_are_bytes_for_whoever_says_so() -> None:
    assert read_as(b"5\n", text=True) == "5"
    assert read_as(b"5\n", raw=True) == b"5\n"


def test_what_is_no_text_must_be_said_to_be_bytes() -> None:
    with pytest.raises(ConfigurationError, match="--bytes"):
        read_as(b"\xff")


def test_an_argument_is_taken_as_it_was_typed() -> None:
    assert given("a\udcffb") == b"a\xffb"


def test_a_row_holds_a_value_exactly_and_bytes_as_base64() -> None:
    assert row_of(entry({"a": 1}))["value"] == {"a": 1}
    assert row_of(entry(b"\x00\xff"))["base64"] == "AP8="
    assert "value" not in row_of(entry(b""))
    gone = Change(key="k", kind=Kind.DELETE, revision=7)
    assert row_of_change(gone) == {"kind": "delete", "key": "k", "revision": 7}


@pytest.mark.parametrize("value", ["text\nof lines", 5, None, [1, {"a": None}], b"", b"\x00\xff", "5"])
def test_what_was_exported_is_what_is_imported(value: Json | bytes) -> None:
    [read] = lines(msgspec.json.encode(row_of(entry(value, expires=NOON))) + b"\n\n")
    assert (read.key, read.content, read.expires) == ("k", value, NOON)
    assert type(read.content) is type(value)


@pytest.mark.parametrize(
    "text",
    [
        "nonsense",
        "[]",
        "{}",
        '{"key": "k"}',
        '{"key": "k", "value": 1, "base64": "AA=="}',
        '{"key": "k", "base64": "?"}',
        '{"key": "", "value": 1}',
        '{"key": "a\\nb", "value": 1}',
        '{"key": 5, "value": 1}',
        '{"key": "k", "value": 1, "expires": "tomorrow"}',
    ],
)
def test_a_line_that_is_none_is_named_by_its_number(text: str) -> None:
    with pytest.raises(ConfigurationError, match=r"Line 3 .*Nothing was written"):
        lines(f'{{"key": "a", "value": 1}}\n\n{text}\n'.encode())


def test_people_see_no_token_and_nothing_that_a_terminal_would_obey() -> None:
    shown = cells(entry({"token": SECRET, "x": "\x9b31m\u202e"}))
    assert "5703458074a17511" not in shown[1]
    assert shown[1].isprintable()
    assert shown[3] == "2026-11-27 12:00:00"
    assert "5703458074a17511" not in line(Change(key="k", kind=Kind.PUT, revision=1, entry=entry(SECRET)))


def test_a_change_is_a_line_with_tabs_whatever_happened() -> None:
    made = round(NOON.timestamp()) * 1_000_000_000
    put = Change(key="k", kind=Kind.PUT, revision=made, entry=entry("a\tb"))
    assert line(put).split("\t") == ["2026-11-27 12:00:00", "put", "k", "a b", str(made), "U1"]
    for kind, when in ((Kind.DELETE, "2026-11-27 12:00:00"), (Kind.EXPIRE, "")):
        assert line(Change(key="k", kind=kind, revision=made)).split("\t") == [when, kind.value, "k", "", str(made), ""]


def test_a_value_is_printed_exactly(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    values: list[Json | bytes] = ["a\x1bb", {"a": 1}, b"\x00\xff"]
    for value in values:
        print_value(value)
    assert capfdbinary.readouterr().out == b'a\x1bb\n{"a":1}\n\x00\xff'
