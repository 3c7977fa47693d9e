"""The formulary: the presentations of the clinical rules, read from their file and checked."""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path
from typing import Any

from domain.errors import ClinicError, SettingsInvalid
from domain.presentation import BOUNDS, Disease, Presentation
from domain.recipient import parse_text

_FORMS: dict[str, tuple[re.Pattern[str], str]] = {
    "key": (re.compile(r"[a-z0-9]+(-[a-z0-9]+)*"), "small letters, digits and hyphens"),
    "vaccine_code": (re.compile(r"(\d{6,18}|[A-Z]\d{2}[A-Z]{2}\d{2})?"), "a SNOMED CT or ATC code"),
    "product_code": (
        re.compile(r"(EU/\d/\d{2}/\d{3,4}|(?!EU/)[A-Za-z0-9._-]{2,40})?"),
        "a marketing authorisation number such as EU/1/20/1528",
    ),
    "holder_code": (re.compile(r"(ORG-\d{9}|(?!ORG-)[A-Za-z0-9._-]{2,40})?"), "such as ORG-100030215"),
    "cvx": (re.compile(r"(\d{2,3})?"), "two or three digits"),
}
_KEY_LIMIT = 80


def load_formulary(file: Path | None = None) -> tuple[Presentation, ...]:
    """The presentations in the clinic's own file, or in the one that comes with the kiosk.

    Raises SettingsInvalid, which names the file, the entry and the field.
    """
    import msgspec

    where = file or Path(str(files("assets"))) / "clinical" / "presentations.toml"
    try:
        content = msgspec.toml.decode(where.read_bytes())
    except FileNotFoundError:
        raise SettingsInvalid(where=where, problem="there is no such file") from None
    except (msgspec.DecodeError, OSError, UnicodeDecodeError) as problem:
        raise SettingsInvalid(where=where, problem=problem) from problem
    entries, version = content.get("presentation"), content.get("version")
    if not isinstance(version, str) or not version:
        raise SettingsInvalid(where=where, problem="version: the file must say which version it is")
    if not isinstance(entries, list) or not entries:
        raise SettingsInvalid(where=where, problem="presentation: there is none in the file")
    presentations: dict[str, Presentation] = {}
    for number, entry in enumerate(entries, start=1):
        presentation = _presentation(where, number, entry, version)
        if presentation.key in presentations:
            raise SettingsInvalid(where=where, problem=f"{presentation.key}, key: it is there twice")
        presentations[presentation.key] = presentation
    return tuple(presentations.values())


def _presentation(where: Path, number: int, entry: object, version: str) -> Presentation:
    import msgspec

    if not isinstance(entry, dict):
        raise SettingsInvalid(where=where, problem=f"presentation {number}: it is no table")
    name = entry.get("key") or f"presentation {number}"
    for field in entry.keys() - Presentation.__dataclass_fields__.keys():
        raise SettingsInvalid(where=where, problem=f"{name}, {field}: there is no such field")
    try:
        presentation = msgspec.convert({"version": version, **entry}, Presentation)
    except msgspec.ValidationError as problem:
        raise SettingsInvalid(where=where, problem=f"{name}, {_readable(problem)}") from problem
    for field, complaint in _complaints(presentation):
        raise SettingsInvalid(where=where, problem=f"{name}, {field}: {complaint}")
    return presentation


def _readable(problem: Exception) -> str:
    """msgspec says «Expected `int`, got `str` - at `$.interval_days`»: the field comes first here."""
    complaint, _, path = str(problem).partition(" - at `$.")
    return f"{path.rstrip('`')}: {complaint}" if path else complaint


def _complaints(presentation: Presentation) -> list[tuple[str, str]]:
    """What is wrong with an entry, field by field."""
    values: dict[str, Any] = {name: getattr(presentation, name) for name in BOUNDS.keys() | _FORMS.keys()}
    wrong: list[tuple[str, str]] = []
    for field, (least, most) in BOUNDS.items():
        if not least <= values[field] <= most:
            wrong.append((field, f"{values[field]} is not between {least} and {most}"))
    for field, (form, example) in _FORMS.items():
        if not form.fullmatch(values[field]) or len(values[field]) > _KEY_LIMIT:
            wrong.append((field, f"“{values[field]}” is not {example}"))
    for field in ("name_ko", "name_en", "manufacturer"):
        try:
            parse_text(getattr(presentation, field), field)
        except ClinicError as problem:
            wrong.append((field, str(problem)))
    if presentation.primary_doses > 1 and presentation.interval_days < 1:
        wrong.append(("interval_days", "a series of several doses needs one"))
    if presentation.is_given_again and presentation.booster_interval_days < 1:
        wrong.append(
            ("booster_interval_days", "it must say how many days after a series another dose may follow")
        )
    if not presentation.source:
        wrong.append(("source", "it must say where the figures are from"))
    if presentation.effective_from is None:
        wrong.append(("effective_from", "it must say from when the figures hold"))
    if presentation.disease is Disease.COVID_19:
        codes = ("vaccine_code", "product_code", "holder_code")
        wrong += [(field, "a certificate needs it") for field in codes if not values[field]]
    return wrong
