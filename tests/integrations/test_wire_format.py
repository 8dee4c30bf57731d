"""The page on what stands in Slack names every field, and says how the digest is made."""

from __future__ import annotations

import hashlib
import json
import re
from datetime import timedelta
from pathlib import Path

import pytest

from slackmq.claiming.marks import Marks
from slackmq.envelope import Stamp, seal
from slackmq.message import Post
from slackmq.notes import Note

PAGE = (Path(__file__).parents[2] / "docs" / "reference" / "wire-format.md").read_text(encoding="utf-8")


def fields_after(title: str) -> set[str]:
    section = PAGE.split(f"## {title}\n")[1].split("\n## ")[0]
    rows = re.findall(r"^\| (`.*?`) \|", section, re.MULTILINE)
    return {name for row in rows for name in re.findall(r"`(\w+)`", row)}


def test_every_field_of_a_job_and_of_a_note_stands_there() -> None:
    assert fields_after("A job") == {*Stamp.__struct_fields__, "ended"}
    assert fields_after("A note") == set(Note.__struct_fields__)


def test_the_emoji_are_the_ones_of_the_page() -> None:
    marks = Marks()
    assert (marks.generations[0], marks.generations[11], marks.generations[12]) == ("clock1", "clock12", "clock130")
    assert (marks.generations[-1], len(marks.generations)) == ("clock830", 20)
    assert (marks.done, marks.dead, marks.watched) == ("white_check_mark", "x", "eyes")


@pytest.mark.parametrize("lease", [None, timedelta(seconds=20)])
@pytest.mark.parametrize("priority", [0, 7])
def test_the_digest_can_be_made_with_any_json(lease: timedelta | None, priority: int) -> None:
    post = Post(kind="resize", body={"path": "cat.png"}, key="k", lease=lease, priority=priority)
    payload = seal(post, to="U1", sent_at=1.0).payload
    names = ("v", "to", "kind", "body", "key", "keyed", "lease", *(("priority", "expires") if priority else ()))
    content = json.dumps([payload.get(name) for name in names], separators=(",", ":"))
    assert hashlib.sha256(content.encode()).hexdigest() == payload["sha256"]
