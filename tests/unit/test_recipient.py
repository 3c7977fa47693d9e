"""What may be typed about a person, field by field, and how the same person is found again."""

from __future__ import annotations

import unicodedata
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain import errors
from domain.recipient import (
    Sex,
    identity_digest,
    masked,
    name_matches,
    parse_birth_date,
    parse_date,
    parse_name,
    parse_passport_name,
    parse_phone,
    parse_text,
    person_details,
)

from .small_clinic import person

TODAY = date(2026, 3, 2)
GOOD: dict[str, Any] = {
    "name": "홍길동", "birth_date": "19450815", "phone": "010-1234-5678",
    "passport_surname": "Hong", "passport_given": "Gildong", "sex": "male", "today": TODAY,
}  # fmt: skip


def refusal(**changed: Any) -> errors.InputError:
    with pytest.raises(errors.InputError) as caught:
        person_details(**{**GOOD, **changed})
    return caught.value


def test_the_details_of_a_person_are_kept_in_one_form() -> None:
    details = person_details(**GOOD)
    assert details.name == "홍길동"
    assert details.birth_date == date(1945, 8, 15)
    assert details.phone == "+821012345678"
    assert (details.passport_surname, details.passport_given) == ("HONG", "GILDONG")
    assert details.sex is Sex.MALE


@pytest.mark.parametrize("field", ["name", "birth_date", "phone", "passport_surname"])
@pytest.mark.parametrize("nothing", ["", "   ", "\t\n"])
def test_an_empty_field_is_refused_by_its_name(field: str, nothing: str) -> None:
    wrong = refusal(**{field: nothing})
    assert isinstance(wrong, errors.Missing)
    assert wrong.field == field


def test_a_passport_without_given_names_is_accepted() -> None:
    assert person_details(**{**GOOD, "passport_given": ""}).passport_given == ""


@pytest.mark.parametrize("field", ["name", "birth_date", "phone", "passport_surname", "passport_given"])
def test_ten_thousand_characters_are_refused_by_name_of_the_field(field: str) -> None:
    wrong = refusal(**{field: "가" * 10_000})
    assert isinstance(wrong, errors.TooLong)
    assert wrong.field == field


@pytest.mark.parametrize("field", ["name", "birth_date", "phone", "passport_surname", "passport_given"])
@pytest.mark.parametrize("text", ["[/red]", "a[bold]b", "<b>", "{x}", "\\[", "A💉B", "A\u200bB", "A\x1bB"])
def test_markup_emoji_and_invisible_characters_are_refused(field: str, text: str) -> None:
    wrong = refusal(**{field: text})
    assert isinstance(wrong, errors.BadCharacters)
    assert wrong.field == field


@pytest.mark.parametrize("sex", ["", "m", "MALE", "[/red]", "남"])
def test_a_sex_that_is_no_choice_is_refused(sex: str) -> None:
    wrong = refusal(sex=sex)
    assert isinstance(wrong, errors.NotAChoice)
    assert wrong.field == "sex"


def test_nobody_has_to_tell_their_sex() -> None:
    assert person().sex is Sex.UNKNOWN


# -- names ------------------------------------------------------------------------------------------


def test_a_decomposed_hangul_name_becomes_composed() -> None:
    loose = unicodedata.normalize("NFD", "홍길동")
    assert len(loose) > 3
    assert parse_name(loose) == "홍길동"


@pytest.mark.parametrize(
    "name", ["Nguyễn Thị Hồng", "O'Neil", "李小龍", "Jean-Luc", "J. R. Müller", "Ольга", "남궁 민수"]
)
def test_names_of_many_scripts_are_accepted_as_they_are(name: str) -> None:
    assert parse_name(name) == name


def test_spaces_around_and_within_a_name_are_collapsed() -> None:
    assert parse_name("  남궁 \t 민수\n") == "남궁 민수"


def test_eighty_characters_of_a_name_fit_and_eighty_one_do_not() -> None:
    assert len(parse_name("가" * 80)) == 80
    with pytest.raises(errors.TooLong):
        parse_name("가" * 81)


@pytest.mark.parametrize("name", ["홍길동2", "1945", "홍@길동", "홍/길동"])
def test_digits_and_signs_are_no_part_of_a_name(name: str) -> None:
    with pytest.raises(errors.BadCharacters):
        parse_name(name)


@pytest.mark.parametrize("name", ["-", ".", "' '", "́"])
def test_a_name_needs_a_letter(name: str) -> None:
    with pytest.raises(errors.Missing):
        parse_name(name)


@pytest.mark.parametrize("filler", ["\u115f", "\u1160", "\u3164", "\uffa0"])
@pytest.mark.parametrize("around", ["", "홍길"])
def test_a_filler_that_nobody_sees_is_no_part_of_a_name(filler: str, around: str) -> None:
    with pytest.raises(errors.Invisible) as caught:
        parse_name(around + filler)
    assert caught.value.field == "name"


@pytest.mark.parametrize(
    ("name", "letters"),
    [("홍길ㄷ", "ㄷ"), ("ㅎㄱㄷ", "ㅎㄱㄷ"), ("홍ㅣ동", "ㅣ"), ("\uffbe\uffc2", "\uffbe\uffc2"),
     ("\u1112", "\u1112"), (unicodedata.normalize("NFD", "홍길") + "\u1103", "\u1103")],
)  # fmt: skip
def test_a_syllable_that_was_not_finished_is_no_part_of_a_name(name: str, letters: str) -> None:
    with pytest.raises(errors.UnfinishedSyllable) as caught:
        parse_name(name, "vaccinator")
    assert caught.value.field == "vaccinator"
    assert caught.value.facts == {"letters": letters}


def test_the_refused_characters_are_named_once_each() -> None:
    with pytest.raises(errors.BadCharacters) as caught:
        parse_name("홍@@!길동!")
    assert str(caught.value) == "“@!” cannot be used here. Write the name in letters."


@pytest.mark.parametrize("name", ["홍", "Nguyễn", "HONG2", "HÖNG", "李"])
def test_a_passport_name_has_the_letters_a_to_z_only(name: str) -> None:
    with pytest.raises(errors.NotLatin):
        parse_passport_name(name, "passport_surname")


def test_a_passport_name_is_in_capitals_also_where_that_makes_it_longer() -> None:
    assert parse_passport_name("van der Weiß-o'brien", "passport_surname") == "VAN DER WEISS-O'BRIEN"
    with pytest.raises(errors.TooLong):
        parse_passport_name("ß" * 41, "passport_surname")


def test_a_passport_surname_needs_a_letter() -> None:
    with pytest.raises(errors.Missing):
        parse_passport_name("-", "passport_surname")


def test_a_reason_may_name_a_temperature_and_a_name_may_not() -> None:
    assert parse_text("다시 재니 36.8 °C, 36.8℃", "reason") == "다시 재니 36.8 °C, 36.8℃"
    for name in ("홍°", "홍℃"):
        with pytest.raises(errors.BadCharacters):
            parse_name(name)


@given(st.text(max_size=200))
def test_any_text_is_either_kept_in_nfc_or_refused_by_name(text: str) -> None:
    refused = None
    try:
        kept = parse_text(text, "note")
    except errors.InputError as problem:
        refused, kept = problem.field, ""
    assert refused in (None, "note")
    assert unicodedata.is_normalized("NFC", kept)
    assert kept == " ".join(kept.split())
    assert not set(kept) & set("[]{}<>\\")
    assert parse_text(kept, "note", required=False) == kept


# -- dates ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text", ["19450815", "1945-08-15", "1945-8-15", "1945. 8. 15.", "1945/8/15", " 1945 8 15 "]
)
def test_a_date_is_understood_however_it_is_separated(text: str) -> None:
    assert parse_date(text, "birth_date") == date(1945, 8, 15)


@pytest.mark.parametrize(
    "text",
    ["450815", "19451315", "19450230", "1945-8", "45-8-15", "194508155", "yesterday", "١٩٤٥٠٨١٥", "1945²0815",
     "99999999999 1 1", "00000000", "1945 8 15 3"],
)  # fmt: skip
def test_what_is_no_date_is_refused(text: str) -> None:
    with pytest.raises(errors.NotADate) as caught:
        parse_date(text, "birth_date")
    assert caught.value.field == "birth_date"


def test_somebody_born_today_is_accepted_and_tomorrow_is_not() -> None:
    assert parse_birth_date("20260302", TODAY) == TODAY
    with pytest.raises(errors.DateInFuture):
        parse_birth_date("20260303", TODAY)


def test_a_birth_date_lies_at_most_130_years_back() -> None:
    assert parse_birth_date("18960302", TODAY) == date(1896, 3, 2)
    with pytest.raises(errors.DateTooOld):
        parse_birth_date("18951231", TODAY)


def test_a_leap_day_is_a_birth_date_in_leap_years_only() -> None:
    assert parse_birth_date("20240229", TODAY) == date(2024, 2, 29)
    with pytest.raises(errors.NotADate):
        parse_birth_date("20250229", TODAY)


# -- phones -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    ["01012345678", "010-1234-5678", "010 1234 5678", "(010) 1234.5678", "+82 10-1234-5678", "+8201012345678",
     "+82 (0)10 1234 5678"],
)  # fmt: skip
def test_one_phone_is_the_same_however_it_is_written(text: str) -> None:
    assert parse_phone(text) == "+821012345678"


def test_a_foreign_phone_keeps_its_country() -> None:
    assert parse_phone("+49 30 123456") == "+4930123456"
    assert parse_phone("+84 912 345 678") == "+84912345678"


@pytest.mark.parametrize(
    "text", ["+49 (0)170 1234567", "+49 170 1234567", "+49(0)1701234567", "+49 ( 0 ) 170-1234567"]
)
def test_the_zero_in_parentheses_is_no_part_of_an_international_number(text: str) -> None:
    assert parse_phone(text) == "+491701234567"


def test_a_zero_that_a_country_dials_within_the_number_stays() -> None:
    assert parse_phone("+39 06 1234 5678") == "+390612345678"


def test_a_phone_on_a_line_in_seoul_is_accepted() -> None:
    assert parse_phone("02-123-4567") == "+8221234567"


@pytest.mark.parametrize(
    "text",
    ["12345678", "0101234", "010-1234-567", "+82 10 1234 567", "+8210123456789",
     "010123456789", "+", "+0821012345678", "+1234567", "+1234567890123456", "call me",
     "01012345678ext3", "٠١٠١٢٣٤٥٦٧٨", "²²²²²²²²²", "-"],
)  # fmt: skip
def test_what_is_no_phone_is_refused(text: str) -> None:
    with pytest.raises(errors.NotAPhone) as caught:
        parse_phone(text)
    assert caught.value.field == "phone"


@pytest.mark.parametrize("text", ["00821012345678", "0082 10-1234-5678", "0049 30 123456", "00"])
def test_a_foreign_phone_dialled_with_zeros_is_asked_for_with_a_plus(text: str) -> None:
    with pytest.raises(errors.PhoneNeedsPlus) as caught:
        parse_phone(text)
    assert caught.value.field == "phone"


# -- the same person --------------------------------------------------------------------------------


def digest(
    name: str = "Kim Hana", born: date = date(1980, 1, 1), phone: str = "+8210", key: bytes = b"k"
) -> str:
    return identity_digest(name, born, phone, key)


def test_a_person_is_the_same_whatever_the_spaces_and_capitals_of_the_name() -> None:
    assert digest("Kim Hana") == digest("KIMHANA") == digest("kim  hana")


def test_another_name_birth_date_phone_or_clinic_is_another_person() -> None:
    others = [digest("Kim Hani"), digest(born=date(1980, 1, 2)), digest(phone="+8211"), digest(key=b"l")]
    assert len({digest(), *others}) == 5


def test_the_digest_does_not_tell_whose_it_is() -> None:
    assert len(digest()) == 64
    assert "kim" not in digest().casefold()


@pytest.mark.parametrize(
    ("name", "shown"),
    [("홍길동", "홍*동"), ("김철", "김*"), ("남궁민수", "남**수"), ("Kim Hana", "K*m H**a"), ("李", "李")],
)
def test_a_bystander_cannot_read_a_masked_name(name: str, shown: str) -> None:
    assert masked(name) == shown


@pytest.mark.parametrize(
    ("typed", "names"),
    [
        ("홍", ("홍길동", "HONG GILDONG")),
        ("홍 길동", ("홍길동", "HONG GILDONG")),
        (unicodedata.normalize("NFD", "홍길"), ("홍길동",)),
        ("gildong", ("홍길동", "HONG GILDONG")),
        ("GilDong Hong", ("홍길동", "HONG GILDONG")),
        ("anna", ("Anna Müller", "MUELLER ANNA")),
        ("müller", ("Anna Müller", "MUELLER ANNA")),
        ("MULLER", ("Anna Müller", "MUELLER ANNA")),
        ("mueller", ("Anna Müller", "MUELLER ANNA")),
        ("Mu", ("Anna Mu\u0308ller",)),
        ("smith jo", ("John Smith",)),
        ("gross", ("Groß",)),
        ("yongsu", ("Kim Yong-su",)),
        ("obrien", ("Sean O'Brien",)),
        (" anna  ", ("Anna",)),
    ],
)
def test_a_name_is_found_by_any_of_its_words_without_capitals_and_accents(
    typed: str, names: tuple[str, ...]
) -> None:
    assert name_matches(typed, *names)


@pytest.mark.parametrize(
    ("typed", "names"),
    [
        ("", ("홍길동",)),
        (" - ", ("홍길동",)),
        ("호", ("홍길동",)),
        ("길", ("홍길동",)),
        ("nna", ("Anna",)),
        ("anna b", ("Anna Müller", "MUELLER ANNA")),
        ("홍길동순", ("홍길동",)),
        ("CX2", ("홍길동", "HONG GILDONG")),
    ],
)
def test_a_name_is_not_found_by_what_stands_elsewhere_in_it(typed: str, names: tuple[str, ...]) -> None:
    assert not name_matches(typed, *names)
