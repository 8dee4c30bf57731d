"""A replayed run is carried into a running workspace."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from anyio.from_thread import start_blocking_portal

from slackmq.emulator.launch import embedded
from slackmq.emulator.seed import Seed, SeedApp, SeedChannel, SeedPerson
from slackmq.simulation.__main__ import main

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from slackmq.claiming.way import Way


@contextmanager
def running(file: Path, *apps: str) -> Generator[None]:
    """A workspace with these apps; the file tells of it as `slackmq emulator --json` would."""
    channels, people = (SeedChannel(name="general"),), (SeedPerson(name="you"),)
    seed = Seed(channels=channels, people=people, apps=tuple(SeedApp(name=name) for name in apps))
    there = embedded(port=0, data=None, limits=False, seed=seed)
    with start_blocking_portal() as portal, portal.wrap_async_context_manager(there) as house:
        file.write_text(json.dumps(portal.call(house.about).to_json()))
        yield


@pytest.mark.parametrize("way", ["reaction", "pin"])
def test_the_running_workspace_answers_every_call_of_a_run_as_the_simulated_one_did(
    tmp_path: Path, way: Way, capsys: pytest.CaptureFixture[str]
) -> None:
    with running(tmp_path / "slack.json", "a", "b", "c"):
        options = ["--seed", "3", "--cell", "everything", "--way", way, "--live", str(tmp_path / "slack.json")]
        assert main(options) == 0
    assert " calls in C" in (told := capsys.readouterr().out)
    assert " 0 answered otherwise" in told


def test_a_run_is_carried_again_into_a_channel_of_its_own(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with running(tmp_path / "slack.json", "a"):
        for _ in range(2):
            assert main(["--seed", "3", "--cell", "none", "--live", str(tmp_path / "slack.json")]) == 0
    first, second = capsys.readouterr().out.splitlines()
    assert first.split(" in ")[0] == second.split(" in ")[0]
    assert first != second


@pytest.mark.parametrize("content", ["", "{}", "[]", "no JSON"])
def test_a_file_that_tells_of_no_workspace_is_refused(
    tmp_path: Path, content: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "slack.json").write_text(content)
    assert main(["--seed", "3", "--cell", "none", "--live", str(tmp_path / "slack.json")]) == 2
    assert "slackmq emulator --json" in capsys.readouterr().out


def test_a_workspace_with_too_few_apps_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with running(tmp_path / "slack.json", "a"):
        options = ["--seed", "3", "--cell", "none", "--way", "pin", "--live", str(tmp_path / "slack.json")]
        assert main(options) == 2
    assert "the workspace has 1" in capsys.readouterr().out
