"""Recipients, and what may be typed about a person.

A recipient is known by name, birth date and phone together. Every entry is normalised here and
nowhere else, so that the same person is found again however the name was composed.
"""

from __future__ import annotations

import hmac
import re
import unicodedata
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum

from domain.errors import (
    BadCharacters,
    DateInFuture,
    DateTooOld,
    Invisible,
    Missing,
    NotAChoice,
    NotADate,
    NotAPhone,
    NotInAName,
    NotLatin,
    PhoneNeedsPlus,
    TooLong,
    UnfinishedSyllable,
)

NAME_LIMIT = 80
"""Characters; the limit of HCERT's ``fn`` and ``gn`` (schema 1.3.0)."""
OLDEST_YEARS = 130
_NOT_TEXT = frozenset({"So", "Sk", "Cc", "Cf", "Co", "Cn", "Cs"})
_DEGREES = "°℃"
"""Symbols too, but a temperature belongs into a reason."""
"""Unicode categories of emoji and other symbols, control, format, private, unassigned characters."""
_FILLERS = frozenset("\u115f\u1160\u3164\uffa0")
"""Letters by their category, and nothing to be seen: they stand for a part of a syllable that is missing."""
_LOOSE_JAMO = re.compile("[\u1100-\u11ff\u3131-\u318e\ua960-\ua97f\ud7b0-\ud7ff\uffa1-\uffdc]+")
"""Hangul letters that make no syllable, also once everything is in NFC."""
_MOBILE, _MOBILE_DIGITS = "8210", 12
"""Korean mobile numbers are ``010`` and eight digits."""
_TRUNK_ZERO = re.compile(r"\( ?0 ?\)")
"""Dialled within a country only: no part of an international number (ITU-T E.123)."""
NAME_SIGNS = " -'’.·,"
"""What stands between the words of a name, as `parse_name` lets it be typed."""
_BETWEEN_WORDS = re.compile(rf"[\s{re.escape(NAME_SIGNS)}]+")


class Sex(StrEnum):
    """FHIR administrative gender; nobody has to tell it."""

    FEMALE = "female"
    MALE = "male"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class PersonDetails:
    """What a person says of themselves; made by `person_details`, so always normalised."""

    name: str
    birth_date: date
    phone: str
    passport_surname: str
    passport_given: str
    sex: Sex = Sex.UNKNOWN

    def is_called(self, typed: str) -> bool:
        """Whether what is typed is meant to be this person's name, or the passport's spelling of it."""
        return name_matches(typed, self.name, f"{self.passport_surname} {self.passport_given}")

    def told_anew(self, said: PersonDetails) -> PersonDetails:
        """What is known, with what the same person says now; what they leave open takes nothing away.

        The name stays as it is spelled: only a space or a capital can differ, and certificates state it.
        """
        return replace(
            self,
            passport_surname=said.passport_surname,
            passport_given=said.passport_given or self.passport_given,
            sex=self.sex if said.sex is Sex.UNKNOWN else said.sex,
        )


@dataclass(frozen=True, slots=True)
class Recipient:
    """A person whom the clinic knows. ``identity`` is a keyed digest of name, birth date, phone."""

    code: str
    identity: str
    person: PersonDetails


def person_details(
    *,
    name: str,
    birth_date: str | date,
    phone: str,
    passport_surname: str,
    passport_given: str,
    sex: str = Sex.UNKNOWN,
    today: date,
) -> PersonDetails:
    """The details as the clinic keeps them; raises an `InputError` that names the field."""
    return PersonDetails(
        name=parse_name(name),
        birth_date=parse_birth_date(birth_date, today),
        phone=parse_phone(phone),
        passport_surname=parse_passport_name(passport_surname, "passport_surname"),
        passport_given=parse_passport_name(passport_given, "passport_given", required=False),
        sex=parse_sex(sex),
    )


def parse_text(text: str, field: str, limit: int = NAME_LIMIT, required: bool = True) -> str:
    """One line of plain text in NFC (NFD Hangul renders as loose jamo), spaces collapsed."""
    if len(text) > 8 * limit:  # before normalising: ten thousand characters are refused cheaply
        raise TooLong(field, limit=limit)
    value = " ".join(unicodedata.normalize("NFC", text).split())
    if not value and required:
        raise Missing(field)
    if len(value) > limit:
        raise TooLong(field, limit=limit)
    if not _FILLERS.isdisjoint(value):
        raise Invisible(field)
    if not value.isalnum():  # most entries are, and need no second look
        _refuse(field, [c for c in value if unicodedata.category(c) in _NOT_TEXT and c not in _DEGREES])
        _refuse(field, [c for c in value if c in "[]{}<>\\"])
    return value


def parse_name(text: str, field: str = "name") -> str:
    """A person's name in its own script: letters, marks, spaces and the punctuation of names."""
    value = parse_text(text, field)
    if loose := _LOOSE_JAMO.search(value):
        raise UnfinishedSyllable(field, letters=loose[0][:12])
    if not value.isalpha():  # not letters alone
        bad = [c for c in value if not (unicodedata.category(c)[0] in "LM" or c in NAME_SIGNS)]
        _refuse(field, bad, NotInAName)
        if not any(unicodedata.category(c)[0] == "L" for c in value):
            raise Missing(field)
    return value


def parse_passport_name(text: str, field: str, required: bool = True) -> str:
    """A name as the passport spells it, A to Z in capitals (ICAO 9303 has no other letters).

    Raises NotLatin for any other script: a romanisation that nobody confirmed is a wrong name.
    """
    value = parse_text(text.upper(), field, required=required)  # capitals can be longer: ß is SS
    if not (value.isascii() and value.isalpha()):
        if any(not ("A" <= c <= "Z" or c in " -'") for c in value):
            raise NotLatin(field)
        if required and not any(c.isalpha() for c in value):
            raise Missing(field)
    return value


def parse_date(text: str | date, field: str) -> date:
    """A date from 8 digits or with any separators (``19450815``, ``1945-8-15``, ``1945. 8. 15.``)."""
    if isinstance(text, date):
        return text
    value = parse_text(text, field, limit=20)
    try:
        groups = _digit_groups(value)
        if len(groups) == 1 and len(groups[0]) == 8:
            return date(int(groups[0][:4]), int(groups[0][4:6]), int(groups[0][6:]))
        year, month, day = map(int, groups)
        if year < 1000:
            raise NotADate(field)
        return date(year, month, day)
    except (ValueError, OverflowError):
        raise NotADate(field) from None


def parse_birth_date(text: str | date, today: date) -> date:
    """A birth date, not after today and at most 130 years before it."""
    value = parse_date(text, "birth_date")
    if value > today:
        raise DateInFuture("birth_date")
    if today.year - value.year > OLDEST_YEARS:
        raise DateTooOld("birth_date", years=OLDEST_YEARS)
    return value


def parse_phone(text: str) -> str:
    """A phone number in E.164 form; a domestic number is a Korean one (``010…`` is ``+8210…``)."""
    value = parse_text(text, "phone", limit=30)
    if not value.isdigit() and any(not (c.isdigit() or c in "+-() .") for c in value):
        raise NotAPhone("phone")
    if value.startswith("+"):
        value = _TRUNK_ZERO.sub("", value, count=1)
    digits = "".join(_digit_groups(value))
    if not value.startswith("+"):
        if digits.startswith("00"):
            raise PhoneNeedsPlus("phone")
        if not digits.startswith("0") or not 9 <= len(digits) <= 11:
            raise NotAPhone("phone")
        digits = "82" + digits[1:]
    if digits.startswith("820"):  # "+82 010-…" is often written, and is the same phone
        digits = "82" + digits[3:]
    if not 8 <= len(digits) <= 15 or digits[0] == "0":
        raise NotAPhone("phone")
    if digits.startswith(_MOBILE) and len(digits) != _MOBILE_DIGITS:
        raise NotAPhone("phone")
    return "+" + digits


def parse_sex(text: str) -> Sex:
    """One of the choices of `Sex`."""
    try:
        return Sex(text)
    except ValueError:
        raise NotAChoice("sex") from None


def identity_digest(name: str, birth_date: date, phone: str, key: bytes) -> str:
    """What a person is found by without storing it in the clear: HMAC-SHA-256 under the clinic's key."""
    plain = f"{spelled(name)}\n{birth_date.isoformat()}\n{phone}"
    return hmac.digest(key, plain.encode(), "sha256").hex()


def spelled(name: str) -> str:
    """The letters of a name: it is the same however it is spaced and capitalised."""
    return name.replace(" ", "").casefold()


def name_matches(typed: str, *names: str) -> bool:
    """Whether what is typed begins one of the names at any of its words, or each word typed begins some word.

    Capitals, accents, spaces and hyphens make no difference; where nothing is typed, nobody is meant.
    """
    sought = _bare_words(typed)
    if not sought:
        return False
    names_words = [_bare_words(name) for name in names]
    run = "".join(sought)  # 홍 길동 is 홍길동, and Yongsu begins in the middle of Kim Yong-su
    if any("".join(words[start:]).startswith(run) for words in names_words for start in range(len(words))):
        return True
    every = [word for words in names_words for word in words]
    return all(any(word.startswith(part) for word in every) for part in sought)


def _bare_words(text: str) -> list[str]:
    """The words without capitals and accents; Hangul is put together again, a syllable is one letter."""
    apart = unicodedata.normalize("NFKD", text.casefold())
    bare = unicodedata.normalize("NFC", "".join(c for c in apart if not unicodedata.combining(c)))
    return [word for word in _BETWEEN_WORDS.split(bare) if word]


def masked(name: str) -> str:
    """A name that a bystander cannot read: the first and the last letter of each part stay."""

    def hide(part: str) -> str:
        if len(part) <= 2:
            return part[0] + "*" * (len(part) - 1)
        return part[0] + "*" * (len(part) - 2) + part[-1]

    return " ".join(hide(part) for part in name.split())


def _digit_groups(value: str) -> list[str]:
    """ASCII digits only: other scripts' digits are refused by `int` being given none."""
    if value.isascii() and value.isdecimal():
        return [value]
    groups = "".join(c if "0" <= c <= "9" else " " for c in value).split()
    if any(c.isalnum() and not "0" <= c <= "9" for c in value):
        return []
    return groups


def _refuse(field: str, bad: list[str], why: type[BadCharacters] = BadCharacters) -> None:
    if bad:
        raise why(field, characters="".join(dict.fromkeys(bad))[:12])
