"""`slackmq doctor --probe`: the examination of a workspace on the command line, told as it goes or as JSON."""

from __future__ import annotations

import signal
import sys
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import anyio
import msgspec

from slackmq.cli.exits import Exit
from slackmq.cli.local import Home
from slackmq.clock import SYSTEM
from slackmq.errors import ConfigurationError
from slackmq.probe.entry import enter
from slackmq.probe.examination import examine
from slackmq.probe.finding import Verdict
from slackmq.redaction import redacted
from slackmq.slack.connect import open_slack
from slackmq.slack.socket import open_socket
from slackmq.slack.web import SdkWire

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from slackmq.cli.where import Where
    from slackmq.probe.entry import Entry
    from slackmq.probe.examination import Report
    from slackmq.probe.finding import Finding
    from slackmq.slack.connect import Settings

__all__ = ["Probing", "json_of", "lines_of", "outcome", "probed", "second_token"]

SECOND = "SLACKMQ_SECOND_TOKEN"
_INDENT = " " * 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Probing:
    """What was asked for.

    Attributes:
        channel: "#name" or id of the scratch channel.
        calls: at most so many.
        skew: the skew that the bots use, in seconds.
        paced: whether to keep within Slack's published limits.
        json: whether to print one JSON object instead of lines.
        second: bot token of a second app; None if there is none.
    """

    channel: str
    calls: int
    skew: float
    paced: bool
    json: bool
    second: str | None = field(default=None, repr=False)


def second_token(env: Mapping[str, str], where: Where) -> str | None:
    """The bot token of a second app: from the environment; of the Slack of this machine its second app's.

    Raises:
        ConfigurationError: what is set is no bot token.
    """
    token = env.get(SECOND) or None
    if token is not None and not token.startswith("xoxb-"):
        raise ConfigurationError(f"{SECOND} holds no bot token.", remedy="Set it to a token that starts with xoxb-.")
    known = Home.of_user().known() if token is None and where.is_local else None
    return known.apps[1].bot_token if known is not None and len(known.apps) > 1 else token


async def probed(asked: Probing, where: Where) -> Exit:
    """Probe, and print what is found; ends gently on SIGTERM and Ctrl-C: what was posted is removed first.

    Raises:
        ConfigurationError: the settings cannot be meant, or the channel is none for trying things out.
        Refused: a token, a scope or the membership is missing; nothing was posted.
    """
    settings = await where.settings()
    async with open_slack(settings):  # raises, and says what to set
        pass
    say: Callable[[str], None] = (lambda _: None) if asked.json else _say
    entry: Entry | None = None
    async with AsyncExitStack() as stack, anyio.create_task_group() as tasks:
        wires = [SdkWire(token=settings.token, app_token=settings.app_token, url=settings.url)]
        if asked.second is not None:
            wires.append(SdkWire(token=asked.second, url=settings.url))
        for wire in wires:
            stack.push_async_callback(wire.aclose)
        tasks.start_soon(_obey, tasks.cancel_scope)
        entry = await _entered(asked, settings, wires)
        say(_introduction(entry, asked))
        report = await examine(entry.bench, entry.plan, skew=asked.skew, tell=lambda found: say(lines_of(found)))
        tasks.cancel_scope.cancel()
        say(_conclusion(report))
        if asked.json:
            _say(msgspec.json.encode(json_of(report, channel=entry.channel.id)).decode())
        return outcome(report)
    left = 0 if entry is None else entry.bench.remaining
    sys.stderr.write(f"slackmq: stopped; {left or 'no'} messages of it are left, and the next probe removes them.\n")
    return Exit.INTERRUPTED


async def _entered(asked: Probing, settings: Settings, wires: list[SdkWire]) -> Entry:
    dial = None if settings.app_token is None else open_socket
    return await enter(wires, asked.channel, clock=SYSTEM, calls=asked.calls, paced=asked.paced, dial=dial)


async def _obey(scope: anyio.CancelScope) -> None:
    with anyio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
        async for _ in signals:
            sys.stderr.write("slackmq: removing what was posted; that may take two minutes.\n")
            scope.cancel()


def outcome(report: Report) -> Exit:
    """The exit status for what was found: a broken axiom first, then what could not be tried."""
    verdicts = {finding.verdict for finding in report.findings}
    if Verdict.BROKEN in verdicts:
        return Exit.DOES_NOT_HOLD
    return Exit.NOT_PROBED if Verdict.NOT_PROBED in verdicts else Exit.OK


def lines_of(finding: Finding) -> str:
    """A finding for people: the axiom and its verdict, what was seen, how sure that is, what to do."""
    lines = [f"{finding.verdict.value:<12}{finding.probe}  {finding.axiom}"]
    sure = _sure(finding) if finding.verdict is Verdict.HOLDS and (finding.bound or 1.0) < 1.0 else ""
    lines += [f"{_INDENT}{line}" for line in (finding.detail + sure, finding.remedy) if line]
    if finding.unprobed:
        lines.append(f"{_INDENT}not probed: {finding.unprobed}")
    return redacted("\n".join(lines))


def _sure(finding: Finding) -> str:
    return (
        f"; it fails in less than {100 * (finding.bound or 0):.0f} % of cases (95 % confidence, {finding.tries} tries)"
    )


def json_of(report: Report, *, channel: str) -> dict[str, Any]:
    """A report as a JSON object; the same names as in the documentation of the command."""
    return {
        "channel": channel,
        "skew_s": report.skew,
        "recommended_skew_s": report.recommended,
        "calls": report.calls,
        "left": report.left,
        "findings": [
            {
                "probe": finding.probe,
                "axiom": finding.axiom,
                "verdict": finding.verdict.value,
                "tries": finding.tries,
                "broken": finding.broken,
                "detail": redacted(finding.detail),
                "remedy": finding.remedy,
                "not_probed": finding.unprobed,
                "numbers": dict(finding.numbers),
            }
            for finding in report.findings
        ],
    }


def _introduction(entry: Entry, asked: Probing) -> str:
    minutes = f", about {entry.plan.seconds / 60:.0f} min" if asked.paced else ""
    return (
        f"Probing #{entry.channel.name} ({entry.channel.id}) with at most {asked.calls} calls{minutes}; "
        "what is posted is removed at the end."
    )


def _conclusion(report: Report) -> str:
    measured = (
        "The skew could not be measured."
        if report.recommended is None
        else f"Measured: a skew of {report.recommended:.1f} s is enough; the bots' is {report.skew:g} s."
    )
    left = (
        f"{report.left} messages or pins could not be removed: run it again, or delete what begins with "
        '"slackmq doctor".'
        if report.left
        else "Nothing is left in the channel."
    )
    return f"{measured}\n{report.calls} calls. {left}"


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
