"""Which files are needed, and how messages and letters name them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from slackmq.dead import enclosed, opened
from slackmq.envelope import finished, is_finished, seal, unseal
from slackmq.message import Message, Outcome, Post
from slackmq.queue.collector import needs, spent
from slackmq.queue.parcels import kept_until, parcel_name
from slackmq.slack.filing import FileRow

TEXT = "a line of a log\n" * 2_000


def message(file: str) -> Message:
    return Message(channel="C1", ts="1.0", author="U1", key=file, kind="k", file=f"{file}/digest")


def test_of_the_files_of_jobs_those_are_needed_whose_job_is_not_done() -> None:
    jobs = [
        (message("waits"), None),
        (message("dead"), Outcome.DEAD),
        (message("done"), Outcome.DONE),
        (message("again"), Outcome.DEAD),
        (message("again"), Outcome.DONE),
        (message("copied"), Outcome.DONE),
        (message("copied"), None),
        (Message(channel="C1", ts="1.0", author="U1", key="none"), None),
    ]
    expected = {"waits": "needed", "dead": "needed", "done": "done", "again": "done", "copied": "done"}
    assert needs(jobs) == expected


@pytest.mark.parametrize(
    ("name", "need", "goes"),
    [
        (parcel_name("body", 1_700_000_000.4), None, True),
        (parcel_name("body", 1_700_000_001), None, False),
        (parcel_name("body", 1_600_000_000), "needed", False),
        (parcel_name("body", 1_800_000_000), "done", True),
        (parcel_name("answer", 1_600_000_000), None, True),
        (parcel_name("answer", 1_800_000_000), None, False),
        ("answer.txt", None, False),
        ("slackmq-value-abc", None, False),
        ("slackmq-body-1600000000.json.exe", None, False),
    ],
)
def test_a_file_goes_when_its_job_is_done_or_its_time_is_over_and_nobody_needs_it(
    name: str, need: Any, *, goes: bool
) -> None:
    assert spent(FileRow(id="F1", name=name, created=0), need, now=1_700_000_000.0) is goes
    assert kept_until("slackmq-body-x.json") is None


def test_a_letter_about_a_job_whose_body_is_in_a_file_names_the_file_to_readers_that_know_of_it() -> None:
    job = message("F1")
    payload = enclosed(job, reason="out of paper", attempts=1, worker="w", shared=False)
    letter = opened(payload, channel="C2", ts="2.000001")
    assert letter is not None
    assert (letter.job, payload["v"]) == (job, 2)


@pytest.mark.parametrize("more", [{"on": "pi-1"}, {"batch": 2}])
def test_a_letter_about_a_batch_or_for_some_processes_is_left_to_readers_that_heed_it(more: Any) -> None:
    job = replace(message(""), **more)
    payload = enclosed(job, reason="out of paper", attempts=1, worker="w", shared=False)
    assert payload["v"] == 2
    letter = opened(payload, channel="C2", ts="2.000001")
    assert letter is not None
    assert (letter.job.on, letter.job.batch) == (job.on, job.batch)


def test_the_message_of_a_done_job_says_what_it_said_before() -> None:
    sealed = seal(Post(kind="print_out", body={"text": TEXT}, key="k", file="F1/digest"), to="U1", sent_at=1.0)
    letter = unseal(sealed.payload, channel="C1", ts="1.0", author="U1", me="U1", text=sealed.text)
    assert letter is not None
    assert letter.error is None
    done = finished(letter.message)
    assert done.text == f":white_check_mark: {sealed.text}"
    assert is_finished(done.payload)
    assert {**done.payload, "ended": None} == {**sealed.payload, "ended": None}
    assert (sealed.payload["v"], sealed.payload["body"]) == (4, "{}")
