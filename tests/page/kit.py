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

REPORT = """# Report

A **bold** word, *leaning*, ~~gone~~, `a*b*`, [a link](https://example.org) and [no link](javascript:alert).

- first
- second
  - inner
- [x] done

3. three
4. four

> quoted

```python
def f(): return "<1>"
```

| Room | Lamps |
|------|------:|
| hall | **3** |
"""


def rich(*elements: dict[str, Any]) -> dict[str, Any]:
    return {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": list(elements)}]}


def card(action: str, title: str) -> dict[str, Any]:
    return {"type": "card", "title": plain(title), "body": plain("It flickers"), "actions": [button(action, "Take it")]}


NEWER: list[dict[str, Any]] = [
    {"type": "markdown", "text": REPORT},
    {
        "type": "table",
        "column_settings": [{"align": "left"}, {"align": "right"}],
        "rows": [
            [{"type": "raw_text", "text": "Room"}, {"type": "raw_text", "text": "Lamps"}],
            [rich({"type": "text", "text": "hall", "style": {"bold": True}}), {"type": "raw_text", "text": "12"}],
        ],
    },
    {"type": "alert", "level": "warning", "text": plain("The oven is on")},
    {**card("one", "Dining lamp"), "subtitle": plain("in the hall")},
    {"type": "carousel", "elements": [card("two", "Hall lamp"), card("three", "Porch lamp")]},
    {
        "type": "plan",
        "title": "Moving house",
        "tasks": [
            {"type": "task_card", "task_id": "1", "title": "Pack", "status": "complete"},
            {
                "type": "task_card",
                "task_id": "2",
                "title": "Drive",
                "status": "in_progress",
                "details": rich({"type": "text", "text": "on the road"}),
                "sources": [{"type": "url", "url": "https://example.org/map", "text": "the map"}],
            },
        ],
    },
    {
        "type": "container",
        "title": plain("More"),
        "is_collapsible": True,
        "default_collapsed": True,
        "child_blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": "inside *it*"}}],
    },
    {
        "type": "context_actions",
        "elements": [
            {
                "type": "feedback_buttons",
                "action_id": "judged",
                "positive_button": {"text": plain("Good"), "value": "up"},
                "negative_button": {"text": plain("Bad"), "value": "down"},
            },
            {"type": "icon_button", "action_id": "thrown", "icon": "trash", "text": plain("Throw away"), "value": "it"},
        ],
    },
]

FILES: dict[str, Any] = {
    "type": "modal",
    "callback_id": "files",
    "title": plain("Send pictures"),
    "submit": plain("Send"),
    "blocks": [
        field("pictures", "Pictures", {"type": "file_input", "action_id": "v", "filetypes": ["png"], "max_files": 2}),
        field("name", "Name", {"type": "plain_text_input", "action_id": "v"}),
    ],
}
