"""How the value of a setting is written, and what would be right where it is wrong.

In a file it is TOML. In a variable it is text: a list with commas between (``0,1,2``), nothing or
``none`` for an empty one; an opening is ``09:00-12:00`` in both.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass
from datetime import date, time
from functools import cache
from pathlib import Path
from types import NoneType
from typing import Any, Literal, get_args, get_origin, get_type_hints

from domain.clinic import Opening
from kiosk.setting_rules import RULES
from kiosk.settings import Settings

SECRETS = frozenset({"database_url", "mypage_url"})
"""They may hold a password, so they are never repeated."""


@dataclass(frozen=True)
class Setting:
    """One thing that can be chosen."""

    name: str
    """As in the file, with dots: ``clinic.schedule.capacity``."""
    kind: Any
    default: Any

    @property
    def variable(self) -> str:
        """The variable that sets it."""
        return "KIOSK_" + self.name.upper().replace(".", "__")

    @property
    def is_optional(self) -> bool:
        """Whether it may be left open."""
        return NoneType in get_args(self.kind)

    @property
    def item(self) -> Any:
        """Of what it is a list; None when it is none."""
        for kind in (self.kind, *get_args(self.kind)):
            if get_origin(kind) in {tuple, frozenset}:
                return get_args(kind)[0]
        return None


_NAMED = r"(?i)((?:password|passphrase|secret|key)\s*=\s*)"
"""So begins a password that is named."""


class WrongValue(ValueError):
    """The value is not what it should be; says what would be."""


@cache
def settings_by_name() -> dict[str, Setting]:
    """Every setting, in the order of `Settings`."""
    return {setting.name: setting for setting in _settings_of(Settings, Settings(), "")}


def _settings_of(kind: type, defaults: Any, prefix: str) -> Iterator[Setting]:
    hints = get_type_hints(kind)
    for field in fields(kind):
        default = getattr(defaults, field.name)
        if is_dataclass(default):
            yield from _settings_of(type(default), default, f"{prefix}{field.name}.")
        else:
            yield Setting(prefix + field.name, hints[field.name], default)


# -- from what is written to the value ------------------------------------------------------------


def value_of(setting: Setting, written: Any, *, is_text: bool) -> Any:
    """The value that is meant. Raises WrongValue."""
    import msgspec

    try:
        in_a_word = setting.item is not None and written in ("none", "all")
        raw = _from_text(setting, written) if is_text or in_a_word else written
        if setting.item is Opening:
            raw = [_opening(one) for one in raw]
        value = msgspec.convert(raw, setting.kind, strict=not is_text, dec_hook=_path)
        if setting.name not in RULES or RULES[setting.name].holds(value):
            return value
    except (msgspec.ValidationError, ValueError, TypeError, RuntimeError):
        pass  # its text may hold the value, and says less than what follows
    raise WrongValue(f"{_quoted(setting, written)} is not {expected(setting)}")


def _quoted(setting: Setting, written: Any) -> str:
    import json

    if setting.name in SECRETS:
        return "what stands there"
    text = written if isinstance(written, str) else json.dumps(written, default=str, ensure_ascii=False)
    return f"“{_masked_value(text)[:60]}”"


def _from_text(setting: Setting, text: str) -> Any:
    if setting.item is not None:
        if setting.is_optional and text.strip() == "all":
            return None
        return [] if text.strip() in {"", "none"} else [one.strip() for one in text.split(",")]
    if setting.is_optional and not text:
        return None
    return text if setting.kind is str else text.strip()


def _opening(written: Any) -> Any:
    if isinstance(written, str):
        since, _, until = written.partition("-")
        written = {"since": since.strip(), "until": until.strip()}
    if not isinstance(written, dict) or written.keys() != {"since", "until"}:
        raise WrongValue
    return {name: f"{at}:00" if re.fullmatch(r"\d\d:\d\d", str(at)) else at for name, at in written.items()}


def _path(kind: type, written: object) -> Path:
    if kind is not Path or not isinstance(written, str) or not written:
        raise WrongValue
    return Path(written).expanduser()


def expected(setting: Setting) -> str:
    """What the value should be, in words."""
    return RULES[setting.name].says if setting.name in RULES else _kind_in_words(setting)


def _kind_in_words(setting: Setting) -> str:
    if get_origin(setting.kind) is Literal:
        return " or ".join(get_args(setting.kind))
    if setting.item is not None:
        return "a list of dates like 2026-12-25" if setting.item is date else "a list"
    words = {bool: "true or false", int: "a whole number", float: "a number", str: "text"}
    return words.get(setting.kind, "a path")


# -- from the value to what is shown --------------------------------------------------------------


def shown(setting: Setting, value: Any) -> str:
    """The value as a variable would be written, without passwords."""
    if value is None:
        return "all" if setting.item is not None else ""
    if setting.item is not None:
        return ",".join(_item_shown(one) for one in _in_order(value)) or "none"
    return _item_shown(value)


def plain(value: Any) -> Any:
    """The value as JSON has it, without passwords."""
    if isinstance(value, tuple | frozenset):
        return [plain(one) for one in _in_order(value)]
    return value if value is None or isinstance(value, int | float) else _item_shown(value)


def _item_shown(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Opening):
        return f"{_clock(value.since)}-{_clock(value.until)}"
    return _masked_value(str(value))


def _clock(at: time) -> str:
    return at.isoformat("auto" if at.second or at.microsecond else "minutes")


def _in_order(values: Any) -> list[Any]:
    return sorted(values) if isinstance(values, frozenset) else list(values)


def masked(text: str) -> str:
    """The text with an ellipsis for every password in an address; what else is lost of its line is lost."""
    text = re.sub(r"(//[^:/@\n]*):[^\n]*@", r"\1:…@", text)
    return re.sub(rf"{_NAMED}(?:'[^'\n]*'|[^&\n]+?(?=&|\s+\w+\s*=|$))", r"\1…", text, flags=re.MULTILINE)


def _masked_value(text: str) -> str:
    """The value of a setting without passwords, which may hold anything where it is an address as a whole."""
    if not re.match(r"[\w+.-]+://", text):
        return masked(text)
    text = re.sub(r"(?s)^([^:]*://[^:@]*):.*@", r"\1:…@", text)
    return re.sub(rf"(?s){_NAMED}[^&]*", r"\1…", text)
