"""Sessions named for what they prove. They share .venv, made from the committed lock by `scripts/setup dev`."""

from __future__ import annotations

import nox

nox.options.default_venv_backend = "none"
nox.options.sessions = ["lint", "types", "layers", "docs", "tests"]
nox.needs_version = ">=2026.10"

PYTHON = ".venv/bin/python"


def prepare(session: nox.Session) -> None:
    """Bring .venv to what uv.lock says; takes no time when it is."""
    session.run("scripts/setup", "dev", external=True)


def check(session: nox.Session, name: str) -> None:
    prepare(session)
    session.run(PYTHON, "scripts/check.py", name, external=True)


@nox.session
def lint(session: nox.Session) -> None:
    """The code reads the same everywhere: ruff's rules and format."""
    check(session, "lint")


@nox.session
def types(session: nox.Session) -> None:
    """Mypy and pyright, both strict, find nothing."""
    check(session, "types")


@nox.session
def layers(session: nox.Session) -> None:
    """Every room imports only the rooms below it."""
    check(session, "layers")


@nox.session
def docs(session: nox.Session) -> None:
    """The pages build without a warning, every reference leads somewhere, their examples run."""
    check(session, "docs")


@nox.session
def tests(session: nox.Session) -> None:
    """The promises hold. Arguments go to pytest: nox -s tests -- tests/unit -x."""
    prepare(session)
    session.run(PYTHON, "-m", "pytest", *session.posargs, external=True)


@nox.session
def simulation(session: nox.Session) -> None:
    """No job is lost, held twice or repeated without a reason, whatever fails: nox -s simulation -- --seeds 2000.

    Without arguments, 1,000 histories of stores are judged besides.
    """
    prepare(session)
    session.run(PYTHON, "-m", "slackmq.simulation", *session.posargs, external=True)
    if not session.posargs:
        session.run(PYTHON, "-m", "slackmq.simulation", "--kv", "--seeds", "1000", external=True)


@nox.session
def kills(session: nox.Session) -> None:
    """Real processes are killed, stopped and cut off for three minutes; a soak: nox -s kills -- --minutes 60."""
    prepare(session)
    session.run(PYTHON, "-m", "tests.kills.run", *session.posargs, external=True)


@nox.session
def shutdowns(session: nox.Session) -> None:
    """200 workers in the middle of jobs are told to stop, one after the other: no job is lost, repeated or stranded."""
    prepare(session)
    where = "tests/acceptance/test_shutdowns.py"
    session.run(PYTHON, "-m", "pytest", where, env={"SLACKMQ_SIGTERMS": "200"}, external=True)


@nox.session
def memory(session: nox.Session) -> None:
    """What workers hold does not grow while 100,000 jobs pass, nor is anything left of 10,000 delayed ones."""
    prepare(session)
    session.run(PYTHON, "-m", "tests.benchmarks.memory", *session.posargs, external=True)


@nox.session
def count(session: nox.Session) -> None:
    """Eight processes of two apps raise one counter of a store to exactly 2,000 while they are killed; ten minutes."""
    prepare(session)
    session.run(PYTHON, "-m", "tests.kills.count", *session.posargs, external=True)


@nox.session
def classic(session: nox.Session) -> None:
    """The example of 2019 in three copies, one killed on the way: 200 messages, in about ten minutes."""
    prepare(session)
    where = "tests/clients/test_readme_of_2019.py"
    session.run(PYTHON, "-m", "pytest", where, env={"SLACKMQ_MESSAGES_OF_2019": "200"}, external=True)


@nox.session
def models(session: nox.Session) -> None:
    """Spin explores the models of claims, and finds each mistake that is made on purpose; spin is in Debian."""
    prepare(session)
    session.run(PYTHON, "-m", "tests.models.run", *session.posargs, external=True)


@nox.session
def benchmark(session: nox.Session) -> None:
    """What a job costs, in calls, time and memory."""
    prepare(session)
    session.run(PYTHON, "-m", "tests.benchmarks.run", *session.posargs, external=True)


@nox.session
def page(session: nox.Session) -> None:
    """A person can see and use the local Slack in a browser."""
    prepare(session)
    session.run("scripts/chromium", external=True)
    session.run(PYTHON, "-m", "pytest", "tests/page", *session.posargs, external=True)


@nox.session
def clients(session: nox.Session) -> None:
    """Other people's Slack clients, each in an environment of its own, take the local Slack for Slack."""
    prepare(session)
    session.run("scripts/judges", external=True)
    session.run(PYTHON, "-m", "pytest", "tests/clients", *session.posargs, external=True)
