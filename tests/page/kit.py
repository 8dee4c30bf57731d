"""Messages, modals and home tabs that show what Block Kit can do."""

from __future__ import annotations

from typing import Any

EVIL = "<img src=x onerror=\"document.title='taken'\">'\"</textarea></select>{{ 7*7 }}"


def plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text}


def option(text: str, value: str | None = None) -> dict[str, Any]:
    return {"text": plain(text), "value": value or text}


def button(action: str, text: str, **extra: Any) -> dict[str, Any]:
    return {"type": "button", "action_id": action, "text": plain(text), "value": action, **extra}


def menu(action: str, *texts: str) -> dict[str, Any]:
    return {"type": "static_select", "action_id": action, "options": [option(text) for text in texts]}


def field(block: str, label: str, element: dict[str, Any], **extra: Any) -> dict[str, Any]:
    return {"type": "input", "block_id": block, "label": plain(label), "element": element, **extra}


DEPLOY: list[dict[str, Any]] = [
    {"type": "header", "text": plain("Deploy lamp-service :rocket:")},
    {
        "type": "section",
        "block_id": "what",
        "text": {"type": "mrkdwn", "text": "*Build 214* by <https://example.org|the builder>\nAll `312` tests passed."},
        "accessory": menu("where", "staging", "production"),
    },
    {
        "type": "section",
        "block_id": "facts",
        "fields": [{"type": "mrkdwn", "text": text} for text in ("*Size*\n14 MB", "*Took*\n3 min 12 s")],
    },
    {"type": "divider"},
    {
        "type": "actions",
        "block_id": "row",
        "elements": [
            button("go", "Deploy", style="primary"),
            button("stop", "Discard", style="danger"),
            {"type": "overflow", "action_id": "more", "options": [option("Show the log", "log"), option("Ask again")]},
        ],
    },
    {"type": "context", "elements": [{"type": "mrkdwn", "text": "Asked for by _the nightly build_ :clock3:"}]},
]

MODAL: dict[str, Any] = {
    "type": "modal",
    "callback_id": "made",
    "title": plain("New lamp"),
    "submit": plain("Make"),
    "blocks": [
        {"type": "section", "block_id": "s", "text": {"type": "mrkdwn", "text": "A lamp needs a *name*."}},
        field("name", "Name", {"type": "plain_text_input", "action_id": "v", "placeholder": plain("as dining")}),
        field("room", "Room", menu("v", "hall", "garden"), optional=True),
        field(
            "days",
            "Days",
            {"type": "checkboxes", "action_id": "v", "options": [option("Saturday"), option("Sunday")]},
            optional=True,
        ),
        field("note", "Note", {"type": "plain_text_input", "action_id": "v", "multiline": True}, optional=True),
        field("on", "From", {"type": "datepicker", "action_id": "v", "initial_date": "2026-11-24"}, optional=True),
        field(
            "tone",
            "Tone",
            {"type": "radio_buttons", "action_id": "v", "options": [option("warm"), option("cold")]},
            optional=True,
        ),
    ],
}

HOME: dict[str, Any] = {
    "type": "home",
    "blocks": [
        {"type": "header", "text": plain("Lamps at home")},
        {
            "type": "section",
            "block_id": "dining",
            "text": {"type": "mrkdwn", "text": "*Dining* is on"},
            "accessory": button("toggle", "Toggle"),
        },
        {"type": "divider"},
        {"type": "context", "elements": [{"type": "mrkdwn", "text": "Seen a minute ago"}]},
    ],
}
