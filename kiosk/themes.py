"""The two sets of colours: one for every day, one of high contrast. Every pair is at least 4.5 : 1."""

from __future__ import annotations

from textual.theme import Theme

CLINIC = "clinic"
HIGH_CONTRAST = "clinic-contrast"

_EXTRA = (
    *("field", "heading", "hint", "key", "key-text", "bar", "bar-text"),
    *("row", "row-text", "chosen", "chosen-text", "alarm", "alarm-text"),
)
"""The names that the stylesheets use beside Textual's own."""


def _theme(name: str, dark: bool, colours: dict[str, str]) -> Theme:
    return Theme(
        name=name,
        dark=dark,
        primary=colours["bar"],
        secondary=colours["chosen"],
        accent=colours["chosen"],
        warning=colours["alarm"],
        error=colours["alarm"],
        success=colours["good"],
        foreground=colours["text"],
        background=colours["ground"],
        surface=colours["row"],
        panel=colours["row"],
        text_alpha=1.0,
        variables={
            **{extra: colours[extra] for extra in _EXTRA},
            "good": colours["good"],
            "input-cursor-background": colours["text"],
            "input-cursor-foreground": colours["ground"],
            "input-selection-background": colours["chosen"],
            "scrollbar": colours["hint"],
            "scrollbar-background": colours["row"],
            "scrollbar-hover": colours["text"],
            "scrollbar-active": colours["text"],
            "border": colours["bar"],
            "border-blurred": colours["hint"],
        },
    )


THEMES = (
    _theme(
        CLINIC,
        dark=False,
        colours={
            "ground": "#F1F5F3",
            "field": "#FFFFFF",
            "heading": "#0B4F4A",
            "text": "#12211F",
            "hint": "#43544F",
            "bar": "#0B4F4A",
            "bar-text": "#FFFFFF",
            "key": "#0B4F4A",
            "key-text": "#FFFFFF",
            "row": "#DCE8E4",
            "row-text": "#12211F",
            "chosen": "#0B4F4A",
            "chosen-text": "#FFFFFF",
            "alarm": "#A3161E",
            "alarm-text": "#FFFFFF",
            "good": "#0B5A2B",
        },
    ),
    _theme(
        HIGH_CONTRAST,
        dark=True,
        colours={
            "ground": "#000000",
            "field": "#1F1F1F",
            "heading": "#FFE000",
            "text": "#FFFFFF",
            "hint": "#FFFFFF",
            "bar": "#FFE000",
            "bar-text": "#000000",
            "key": "#FFE000",
            "key-text": "#000000",
            "row": "#1F1F1F",
            "row-text": "#FFFFFF",
            "chosen": "#FFE000",
            "chosen-text": "#000000",
            "alarm": "#FFB000",
            "alarm-text": "#000000",
            "good": "#7CFF9B",
        },
    ),
)
