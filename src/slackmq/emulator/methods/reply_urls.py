"""emulator.replies.post, emulator.hooks.post: what comes in at response_urls and incoming webhooks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from slackmq.emulator.methods.interactions import OPERATOR
from slackmq.emulator.refusal import Refusal
from slackmq.emulator.registry import Family, Tier
from slackmq.emulator.replies import answer, post_by_hook

if TYPE_CHECKING:
    from slackmq.emulator.call import Call
    from slackmq.emulator.registry import Reply

__all__ = ["FAMILY", "LIFE", "MOST_USES"]

FAMILY = Family()

MOST_USES = 5
LIFE = 30 * 60_000_000
"""A response_url works five times within 30 minutes (docs.slack.dev, "Handling user interaction")."""


@FAMILY.method("emulator.replies.post", tier=Tier.FREE, tokens=OPERATOR, write=True)
def post_reply(call: Call) -> Reply:
    """Somebody holds the response_url that ends in `key`, and says `payload`."""
    leave = call.state.surfaces.reply_urls.get(call.args.text("key"))
    if leave is None:
        raise Refusal("invalid_url")
    if call.now - leave.at > LIFE:
        raise Refusal("expired_url")
    if leave.uses >= MOST_USES:
        raise Refusal("used_url")
    answer(call, leave, call.args.mapping("payload", refusal="invalid_payload") or {})
    leave.uses += 1
    return {}


@FAMILY.method("emulator.hooks.post", tier=Tier.FREE, tokens=OPERATOR, write=True)
def post_hook(call: Call) -> Reply:
    """Somebody holds the webhook that ends in `path`, and says `payload`."""
    hook = call.state.surfaces.webhooks.get(call.args.text("path"))
    if hook is None:
        raise Refusal("no_service")
    post_by_hook(call, hook, call.args.mapping("payload", refusal="invalid_payload") or {})
    return {}
