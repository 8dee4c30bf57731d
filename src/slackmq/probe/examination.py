"""All probes one after the other, each with its share of the calls; one that fails holds up no other."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import anyio

from slackmq.errors import SlackError, first
from slackmq.probe.capacity import fill
from slackmq.probe.finding import AXIOMS, Verdict, not_probed
from slackmq.probe.order import judge_dates, post_in_pairs
from slackmq.probe.race import race_for_emoji, race_for_pins
from slackmq.probe.redelivery import withhold
from slackmq.probe.repeat import post_twice
from slackmq.probe.visibility import LEAST_SKEW, time_emoji, time_posts

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from slackmq.probe.bench import Bench
    from slackmq.probe.finding import Finding
    from slackmq.probe.plan import Plan

    Probe = Callable[[], Awaitable[Finding]]

__all__ = ["Report", "examine"]

_TIDYING = 120.0
"""Seconds that removing what was posted may take after Ctrl-C; otherwise it takes what it takes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What an examination found.

    Attributes:
        findings: one for each probe, P1 first.
        skew: the skew that was examined, in seconds.
        recommended: the least skew that what was measured allows, in seconds; None if nothing could be measured.
        calls: how many were sent.
        left: how many messages and pins could not be removed.
    """

    findings: tuple[Finding, ...]
    skew: float
    recommended: float | None
    calls: int
    left: int

    @property
    def broken(self) -> tuple[Finding, ...]:
        """The axioms that do not hold."""
        return tuple(finding for finding in self.findings if finding.verdict is Verdict.BROKEN)


async def examine(bench: Bench, plan: Plan, *, skew: float, tell: Callable[[Finding], None] = lambda _: None) -> Report:
    """Run all probes and remove what they posted.

    Args:
        bench: where.
        plan: how often.
        skew: the skew that the queue is set to, in seconds.
        tell: is told of each finding as it comes.
    """
    findings: list[Finding] = []
    try:
        for name, probe in _probes(bench, plan, skew).items():
            bench.reserved = sum(part.calls for part in plan.parts if part.probe > name)
            findings.append(await _carried_out(name, probe))
            tell(findings[-1])
        left = await bench.tidy()
    except BaseException:  # Ctrl-C among them
        with anyio.move_on_after(_TIDYING, shield=True):
            await bench.tidy()
        raise
    numbers = [finding.numbers.get("recommended_skew_s") for finding in findings]
    measured = [number for number in numbers if number is not None]
    return Report(
        findings=tuple(sorted(findings, key=lambda finding: finding.probe)),
        skew=skew,
        recommended=max([LEAST_SKEW, *measured]) if measured else None,
        calls=bench.spent,
        left=left,
    )


def _probes(bench: Bench, plan: Plan, skew: float) -> Mapping[str, Probe]:
    async def dates() -> Finding:
        return judge_dates(bench.stamps)

    probes: dict[str, Probe] = {
        "P1": partial(race_for_emoji, bench, plan.emoji),
        "P2": partial(race_for_pins, bench, plan.pins),
        "P3": partial(time_posts, bench, plan.posts // 2, plan.part("P3"), skew=skew),
        "P4": partial(time_emoji, bench, plan.marks, plan.part("P4"), skew=skew),
        "P5": partial(post_in_pairs, bench, plan.pairs, plan.part("P5")),
        "P6": partial(post_twice, bench, plan.part("P6")),
        "P7": partial(withhold, bench, plan.events, plan.part("P7")),
        "P9": partial(fill, bench, plan.part("P9"), pinned=plan.pinned),
        "P8": dates,  # last: it judges the posts of all the others
    }
    if probes.keys() != AXIOMS.keys():
        raise AssertionError("each axiom has its probe")
    return probes


async def _carried_out(name: str, probe: Probe) -> Finding:
    """The finding of one probe; what Slack refuses or leaves unanswered is a reason why there is none."""
    refusal: SlackError
    try:
        return await probe()
    except* SlackError as group:
        refusal = first(group)
    return not_probed(name, refusal.cause, refusal.remedy)
