"""What the doctor makes of what it sees: each finding right and wrong, exit statuses, words for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import pytest

from slackmq.cli.doctor_checks import clock, connections, exposed, plan
from slackmq.cli.doctor_probe import json_of, lines_of, outcome, second_token
from slackmq.cli.exits import Exit
from slackmq.cli.where import Where
from slackmq.errors import ConfigurationError
from slackmq.probe.examination import Report
from slackmq.probe.finding import AXIOMS, Finding, Verdict, not_probed

if TYPE_CHECKING:
    from pathlib import Path


def holding(probe: str = "P1", unprobed: str = "") -> Finding:
    return Finding(probe=probe, verdict=Verdict.HOLDS, tries=30, detail="30 rounds", unprobed=unprobed)


def report(*findings: Finding) -> Report:
    return Report(findings=findings, skew=4.0, recommended=3.0, calls=300, left=0)


def broken(probe: str = "P1") -> Finding:
    return Finding(probe=probe, verdict=Verdict.BROKEN, tries=30, broken=1, detail="two winners", remedy="Do not.")


def test_the_status_is_that_of_the_worst_finding() -> None:
    noted = Finding(probe="P6", verdict=Verdict.NOTED, tries=1)
    assert outcome(report(holding(), noted)) is Exit.OK
    assert outcome(report(holding(), not_probed("P5", "There is no second app."))) is Exit.NOT_PROBED
    assert outcome(report(not_probed("P5", "None."), broken(), holding())) is Exit.DOES_NOT_HOLD


def test_what_holds_says_how_sure_that_is_and_what_was_left_out() -> None:
    lines = lines_of(holding("P2", unprobed="Two apps did not race.")).splitlines()
    assert lines[0] == f"holds       P2  {AXIOMS['P2']}"
    assert "less than 10 % of cases (95 % confidence, 30 tries)" in lines[1]
    assert lines[2].strip() == "not probed: Two apps did not race."


def test_what_does_not_hold_says_what_to_do_and_not_how_sure_it_is() -> None:
    lines = lines_of(broken()).splitlines()
    assert lines[0].startswith("broken")
    assert [line.strip() for line in lines[1:]] == ["two winners", "Do not."]


def test_a_finding_without_evidence_is_never_called_a_pass() -> None:
    assert lines_of(not_probed("P7", "There is no app-level token.")).startswith("not probed  P7")


def test_no_token_gets_into_the_words() -> None:
    found = not_probed("P1", "xoxb-1-2-secret was refused")
    assert "secret" not in lines_of(found) + msgspec.json.encode(json_of(report(found), channel="C1")).decode()


def test_the_second_token_must_be_a_bots() -> None:
    assert second_token({"SLACKMQ_SECOND_TOKEN": "xoxb-2"}, Where()) == "xoxb-2"
    assert second_token({"SLACKMQ_SECOND_TOKEN": ""}, Where()) is None
    with pytest.raises(ConfigurationError) as refused:
        second_token({"SLACKMQ_SECOND_TOKEN": "xapp-2-secret"}, Where())
    assert "secret" not in str(refused.value)


def test_ten_connections_are_all_that_an_app_has() -> None:
    assert connections({"type": "hello", "num_connections": 9}).wrong is None
    assert connections({"type": "hello", "num_connections": 10}).wrong is not None
    assert connections({"type": "disconnect", "reason": "too_many_websockets"}).wrong is not None


@pytest.mark.parametrize(("ahead", "says"), [(3600.0, "3600 s ahead of"), (-90.0, "90 s behind")])
def test_a_clock_that_is_far_off_is_told(ahead: float, says: str) -> None:
    assert says in str(clock(ahead).wrong)
    assert clock(ahead / 100).wrong is None


def test_an_app_that_gets_fifteen_messages_a_call_cannot_work() -> None:
    rows = [{"ts": str(number)} for number in range(16)]
    assert plan({"messages": rows, "has_more": True}).wrong is None
    assert plan({"messages": rows[:15], "has_more": False}).wrong is None
    assert "15 messages" in str(plan({"messages": rows[:15], "has_more": True}).wrong)


def test_a_plan_that_hides_old_messages_is_told() -> None:
    assert "90 days" in plan({"messages": [], "is_limited": True}).detail


@pytest.mark.parametrize(
    ("mode", "text", "wrong"),
    [
        (0o644, "SLACK_BOT_TOKEN=xoxb-1-2-3", True),
        (0o620, '{"app_token": "xapp-1-2"}', True),
        (0o600, "SLACK_BOT_TOKEN=xoxb-1-2-3", False),
        (0o644, "NOTHING=secret", False),
    ],
)
def test_a_file_with_tokens_that_others_can_get_at_is_told(
    tmp_path: Path, mode: int, text: str, *, wrong: bool
) -> None:
    path = tmp_path / ".env"
    path.write_text(text, encoding="utf-8")
    path.chmod(mode)
    found = exposed([path, tmp_path, tmp_path / "absent"])
    assert (found.wrong is not None) is wrong
    assert not wrong or f'chmod 600 "{path}"' in str(found.wrong)
