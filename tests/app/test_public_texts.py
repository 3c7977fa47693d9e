"""The words: complete in both languages, readable in both sets of colours."""

from __future__ import annotations

import re
import string
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path

import pytest
from textual.color import Color
from textual.theme import Theme

import kiosk
import kiosk.credential.checkpoint
import kiosk.credential.errors
import kiosk.paper.printer_errors
import kiosk.screens.booking
import kiosk.screens.identify
from domain import errors
from domain.booking import BookingStatus
from domain.errors import ClinicError, StorageUnavailable
from domain.injection import Concern
from kiosk.i18n import LANGUAGES, Texts, table
from kiosk.locations import LOCALES
from kiosk.surnames import passport_surname
from kiosk.themes import THEMES
from tests.clinics import presentation

SAYING_NO = {
    "domain.errors", "kiosk.credential.checkpoint", "kiosk.credential.errors", "kiosk.paper.printer_errors",
    "kiosk.screens.booking", "kiosk.screens.desk.add_stock", "kiosk.screens.identify",
}  # fmt: skip
FILES = sorted({path.stem for path in LOCALES.glob("*/*.toml")})


def refusals(of: type[ClinicError] = ClinicError) -> Iterator[type[ClinicError]]:
    """Every type of refusal in the modules below."""
    if of.__module__ in SAYING_NO:
        yield of
    for kind in of.__subclasses__():
        yield from refusals(kind)


@pytest.mark.parametrize("file", FILES)
def test_both_languages_have_the_same_texts_with_the_same_facts(file: str) -> None:
    korean, english = table("ko", file), table("en", file)
    assert korean.keys() == english.keys()
    for key in korean:
        assert facts_of(korean[key]) == facts_of(english[key]), key


def facts_of(template: str) -> set[str | None]:
    """The names that a text is filled with."""
    return {name for _, name, _, _ in string.Formatter().parse(template) if name is not None}


@pytest.mark.parametrize("refusal", sorted(set(refusals()), key=lambda kind: kind.code))
def test_every_refusal_is_said_in_both_languages(refusal: type[ClinicError]) -> None:
    for language in LANGUAGES:
        text = table(language, "errors").get(f"error.{refusal.code}")
        assert text, refusal.code
        assert facts_of(text) <= facts_of(refusal.text)


@pytest.mark.parametrize("refusal", sorted(set(refusals()), key=lambda kind: kind.code))
def test_every_variant_of_a_refusal_is_said_in_both_languages(refusal: type[ClinicError]) -> None:
    for variant, said in refusal.variants.items():
        for language in LANGUAGES:
            text = table(language, "errors").get(f"error.{refusal.code}-{variant}")
            assert text, (refusal.code, variant)
            assert facts_of(text) <= facts_of(said) | facts_of(refusal.text)


@pytest.mark.parametrize(
    ("years", "months", "korean", "english"),
    [(12, 0, "만 12세부터", "from the age of 12."), (0, 6, "생후 6개월부터", "from 6 months of age"),
     (1, 6, "만 1세 6개월부터", "from the age of 1 and 6 months.")],
)  # fmt: skip
def test_an_age_is_said_without_what_is_zero(years: int, months: int, korean: str, english: str) -> None:
    refusal = errors.TooYoung(vaccine="V", years=years, months=months)
    assert korean in Texts("ko").error(refusal)
    assert english in Texts("en").error(refusal)
    assert english in str(refusal)


@pytest.mark.parametrize(
    "refusal",
    [errors.SoldOut, errors.DoseKeepsUntil, errors.VaccineExists, errors.LotUnknown, errors.TooYoung,
     errors.InsufficientStock],
)  # fmt: skip
def test_a_product_is_named_in_the_language_of_the_screen(refusal: type[ClinicError]) -> None:
    product = presentation(name_ko="시험백신", name_en="Testvax")
    key = "lot" if refusal is errors.InsufficientStock else "vaccine"
    facts = {"date": date(2026, 11, 23), "lot": "L", "years": 12, "months": 0, "remaining": 5, key: product}
    said = {language: Texts(language).error(refusal(**facts)) for language in LANGUAGES}
    assert "시험백신" in said["ko"]
    assert "Testvax" not in said["ko"]
    assert "Testvax" in said["en"]
    assert "Testvax" in str(refusal(**facts))
    assert "시험백신" not in said["en"] + str(refusal(**facts))


def test_one_dose_is_left_and_two_doses_are_and_of_none_nothing_is() -> None:
    none, one, two = (errors.InsufficientStock(remaining=n, lot="L") for n in (0, 1, 2))
    assert Texts("en").error(none) == str(none) == "Nothing is left of lot L."
    assert Texts("ko").error(none) == "남은 것이 없습니다: L"
    assert Texts("en").error(one) == str(one) == "Only one dose is left of lot L."
    assert Texts("en").error(two) == str(two) == "Only 2 doses are left of lot L."
    assert Texts("ko").error(one) == "1회분만 남아 있습니다: L"


def test_the_code_of_an_application_is_said_in_threes() -> None:
    refusal = errors.AlreadyApplied(application="AK7M3Q9XA")
    for language in LANGUAGES:
        assert "AK7-M3Q-9XA" in Texts(language).error(refusal)


def test_a_contraindication_is_not_put_off_to_another_day() -> None:
    never = errors.ScreeningDeferred(never=True, reasons=(Concern.SEVERE_ALLERGY,))
    assert "오늘" not in Texts("ko").error(never)
    assert "접종하면 안 됩니다: 심한 알레르기" in Texts("ko").error(never)
    assert "must not be given: severe allergy" in Texts("en").error(never)


def test_whoever_has_a_foreign_phone_is_told_how_it_begins() -> None:
    for language in LANGUAGES:
        texts = Texts(language)
        assert "+" in texts("booking.phone.hint")
        assert "+" in texts.error(errors.NotAPhone("phone"))
        assert "00" in texts.error(errors.PhoneNeedsPlus("phone"))


def test_a_correction_promises_no_certificate_to_whoever_had_none() -> None:
    assert "있었으면" in Texts("ko")("injection_desk.correct_heading_done", name="홍길동")
    assert "If a certificate" in Texts("en")("injection_desk.correct_heading_done", name="홍길동")


def test_every_key_in_the_code_has_a_text() -> None:
    missing = []
    tables = "key|shell|booking|identify|my_page|application|parts"
    tables += "|certificate_issue|desk|vaccine_admin|injection_desk"
    for path in Path(kiosk.__path__[0]).rglob("*.py"):
        for key in re.findall(rf'"((?:{tables})\.[a-z_.]+)"', path.read_text(encoding="utf-8")):
            is_table = any(known.startswith(f"{key}.") for known in table("ko", key.split(".")[0]))
            if not (Texts("ko").has(key) or is_table or key.endswith(".tcss")):
                missing.append(f"{path.name}: {key}")
    assert missing == []


def test_facts_are_written_as_people_write_them() -> None:
    ko, en = Texts("ko"), Texts("en")
    assert (
        ko.error(errors.TooEarly(date=date(2026, 11, 23)))
        == "다음 접종은 2026년 11월 23일 (월)부터 받을 수 있습니다."
    )
    assert "Mon 23 Nov 2026" in en.error(errors.TooEarly(date=date(2026, 11, 23)))
    assert "취소됨" in ko.error(errors.BookingClosed(status=BookingStatus.CANCELLED))
    reasons = (Concern.FEVER, Concern.SEVERE_ALLERGY)
    assert "열, 심한 알레르기" in ko.error(errors.ScreeningDeferred(reasons=reasons))
    assert ko.clock(datetime(2026, 1, 1, 0, 5)) == "오전 12:05"  # noqa: DTZ001
    assert en.clock(datetime(2026, 1, 1, 13, 0)) == "1:00 pm"  # noqa: DTZ001


@pytest.mark.parametrize(
    "hostile", ["{0.__class__}", "../../etc/passwd", "x" * 10_000, "a\0b", "booking", "[/red]"]
)
def test_what_somebody_typed_is_said_as_it_stands(hostile: str) -> None:
    assert Texts("ko")(hostile) == hostile
    assert hostile in Texts("ko")("error.not-found", what=hostile)


@pytest.mark.parametrize(
    ("name", "spelling"),
    [("김철수", "KIM"), ("이 영희", "LEE"), ("남궁민수", "NAMGUNG"), ("남궁민", "NAMGUNG"), ("남주혁", "NAM"),
     ("선우용여", "SUNWOO"), ("선우진", "SUN"), ("John", ""), ("", "")],
)  # fmt: skip
def test_a_surname_is_suggested_as_passports_usually_spell_it(name: str, spelling: str) -> None:
    assert passport_surname(name) == spelling


PAIRS = [
    ("foreground", "background"), ("hint", "background"), ("heading", "background"), ("alarm", "background"),
    ("bar-text", "bar"), ("row-text", "row"), ("chosen-text", "chosen"), ("foreground", "field"),
    ("hint", "field"), ("alarm-text", "alarm"), ("hint", "row"),
]  # fmt: skip


@pytest.mark.parametrize("theme", THEMES, ids=lambda theme: theme.name)
@pytest.mark.parametrize(("text", "ground"), PAIRS)
def test_every_text_has_a_contrast_of_at_least_four_and_a_half(theme: Theme, text: str, ground: str) -> None:
    colours = {"foreground": theme.foreground, "background": theme.background, **theme.variables}
    light, dark = sorted((luminance(colours[text]), luminance(colours[ground])), reverse=True)
    assert (light + 0.05) / (dark + 0.05) >= 4.5


def luminance(colour: str) -> float:
    """Relative luminance as WCAG 2 defines it."""
    parts = [part / 255 for part in Color.parse(colour).rgb]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_what_a_database_says_is_said_in_the_readers_language() -> None:
    full = StorageUnavailable(reason="database or disk is full")
    assert "가득" in Texts("ko").error(full)
    assert "the disk is full" in Texts("en").error(full)
