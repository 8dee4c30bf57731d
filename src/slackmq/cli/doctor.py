"""`slackmq doctor`: is everything as a bot needs it; and with --probe, is Slack as the queue takes it to be."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Annotated, Any

import anyio
import msgspec
from cyclopts import Parameter, validators

from slackmq.cli.check import report
from slackmq.cli.doctor_checks import checks
from slackmq.cli.doctor_probe import Probing, probed, second_token
from slackmq.cli.exits import Exit, explanation
from slackmq.cli.where import Where
from slackmq.errors import ConfigurationError
from slackmq.policy import Timing
from slackmq.probe.plan import FEWEST

if TYPE_CHECKING:
    from slackmq.cli.doctor_checks import Findings

__all__ = ["doctor"]

_HERE = Where()


def doctor(
    channel: Annotated[str | None, Parameter(help='"#name", name or id; with --probe a channel of its own.')] = None,
    /,
    *,
    probe: Annotated[
        bool,
        Parameter(negative=(), help="Try out on CHANNEL what the queue takes for granted about Slack, and clean up."),
    ] = False,
    calls: Annotated[
        int, Parameter(validator=validators.Number(gte=FEWEST), help="Probe with at most so many calls.")
    ] = 300,
    skew: Annotated[
        float, Parameter(validator=validators.Number(gt=0), help="Seconds: the Timing.skew that your bots use.")
    ] = Timing().skew.total_seconds(),
    hurry: Annotated[
        bool, Parameter(negative=(), help="Do not keep within Slack's published limits, only obey when it says so.")
    ] = False,
    json: Annotated[bool, Parameter(negative=(), help="Print one JSON object.")] = False,
    where: Where = _HERE,
) -> int:
    """Look at tokens, scopes, membership, sockets, clock, plan and files; each wrong one with its remedy.

    With --probe: P1 to P9, a verdict on each axiom of the documentation's page on promises, and the skew that was
    measured. A second app is needed for some: SLACKMQ_SECOND_TOKEN, its bot token.
    """
    if not probe:
        return _shown(anyio.run(checks, channel, where), json=json)
    if channel is None:
        raise ConfigurationError(
            "--probe needs a channel to try things out in.",
            remedy='Make one for it, as in: slackmq doctor "#scratch" --probe',
        )
    asked = Probing(
        channel=channel, calls=calls, skew=skew, paced=not hurry, json=json, second=second_token(os.environ, where)
    )
    return anyio.run(probed, asked, where)


def _shown(findings: Findings, *, json: bool) -> Exit:
    if not json:
        return report(findings)
    rows: list[dict[str, Any]] = [
        {"what": finding.what, "ok": finding.wrong is None, "detail": finding.detail}
        | ({} if finding.wrong is None else {"wrong": explanation(finding.wrong)})
        for finding in findings
    ]
    sys.stdout.write(msgspec.json.encode({"findings": rows}).decode() + "\n")
    return Exit.OK if all(row["ok"] for row in rows) else Exit.DOES_NOT_HOLD
