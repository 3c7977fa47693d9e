"""Codes are read aloud, typed and scanned; a slip is always noticed."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain import codes
from domain.codes import ALPHABET, Kind, check_character, new_code, parse_code, spoken
from domain.errors import NotACode

KINDS = st.sampled_from(list(Kind))
BODIES = st.text(ALPHABET, min_size=7, max_size=7)


def code_of(kind: Kind, body: str) -> str:
    return kind.value + body + check_character(kind.value + body)


CODES = st.builds(code_of, KINDS, BODIES)


def sample_codes(count: int) -> list[str]:
    chance = random.Random(20260302)
    kinds = list(Kind)
    return [code_of(chance.choice(kinds), "".join(chance.choices(ALPHABET, k=7))) for _ in range(count)]


def test_no_character_looks_like_another() -> None:
    assert len(set(ALPHABET)) == 31
    assert not set(ALPHABET) & set("01OIL")


def test_every_kind_begins_with_a_letter_of_its_own_that_can_be_typed() -> None:
    assert len({kind.value for kind in Kind}) == len(Kind)
    assert {kind.value for kind in Kind} <= set(ALPHABET)


@pytest.mark.parametrize("kind", Kind)
def test_a_new_code_is_nine_characters_and_is_accepted(kind: Kind) -> None:
    code = new_code(kind)
    assert len(code) == 9
    assert code[0] == kind.value
    assert parse_code(code, kind) == code


def test_new_codes_do_not_repeat() -> None:
    assert len({new_code(Kind.BOOKING) for _ in range(2000)}) == 2000


def test_every_single_wrong_character_is_noticed() -> None:
    for code in sample_codes(60):
        for place in range(9):
            for wrong in ALPHABET.replace(code[place], ""):
                with pytest.raises(NotACode):
                    parse_code(code[:place] + wrong + code[place + 1 :])


def test_every_swap_of_two_neighbours_is_noticed() -> None:
    for code in sample_codes(1500):
        for place in range(8):
            swapped = code[:place] + code[place + 1] + code[place] + code[place + 2 :]
            if swapped != code:
                with pytest.raises(NotACode):
                    parse_code(swapped)


def test_a_missing_or_an_extra_character_is_noticed() -> None:
    code = sample_codes(1)[0]
    for text in (code[:-1], code[1:], code + "2", "", "   ", code * 2, "2" * 10_000):
        with pytest.raises(NotACode):
            parse_code(text)


@pytest.mark.parametrize("text", ["[/red]", "💉💉💉", "BK7-M3Q-9X\x00", "값값값값값값값값값"])
def test_what_is_no_code_is_refused_with_the_name_of_its_field(text: str) -> None:
    with pytest.raises(NotACode) as refusal:
        parse_code(text, field="booking")
    assert refusal.value.field == "booking"


def test_a_code_of_another_kind_is_refused() -> None:
    code = new_code(Kind.BOOKING)
    with pytest.raises(NotACode):
        parse_code(code, Kind.CERTIFICATE)


@given(CODES)
def test_a_code_is_found_again_as_it_is_read_aloud(code: str) -> None:
    assert parse_code(spoken(code)) == code
    assert parse_code(f"  {spoken(code).lower()} ") == code
    assert parse_code(" ".join(code)) == code


def test_a_code_is_shown_in_threes() -> None:
    assert spoken("BK7M3Q9XA") == "BK7-M3Q-9XA"


# -- typed or scanned with the Hangul keyboard on ---------------------------------------------------

KEYS = dict(
    zip("QWERTYUIOPASDFGHJKLZXCVBNM", "ㅂㅈㄷㄱㅅㅛㅕㅑㅐㅔㅁㄴㅇㄹㅎㅗㅓㅏㅣㅋㅌㅊㅍㅠㅜㅡ", strict=True)
)
INITIALS = "ㄱㄲㄴㄷㄸㄹㅁㅂㅃㅅㅆㅇㅈㅉㅊㅋㅌㅍㅎ"
MEDIALS = "ㅏㅐㅑㅒㅓㅔㅕㅖㅗㅘㅙㅚㅛㅜㅝㅞㅟㅠㅡㅢㅣ"
FINALS = " ㄱㄲㄳㄴㄵㄶㄷㄹㄺㄻㄼㄽㄾㄿㅀㅁㅂㅄㅅㅆㅇㅈㅊㅋㅌㅍㅎ"
TOGETHER = {
    "ㅗㅏ": "ㅘ", "ㅗㅐ": "ㅙ", "ㅗㅣ": "ㅚ", "ㅜㅓ": "ㅝ", "ㅜㅔ": "ㅞ", "ㅜㅣ": "ㅟ", "ㅡㅣ": "ㅢ",
    "ㄱㅅ": "ㄳ", "ㄴㅈ": "ㄵ", "ㄴㅎ": "ㄶ", "ㄹㄱ": "ㄺ", "ㄹㅁ": "ㄻ", "ㄹㅂ": "ㄼ", "ㄹㅅ": "ㄽ",
    "ㄹㅌ": "ㄾ", "ㄹㅍ": "ㄿ", "ㄹㅎ": "ㅀ", "ㅂㅅ": "ㅄ",
}  # fmt: skip


def typed_in_hangul(code: str) -> str:
    """What a 2-set input method makes of these keys: greedy syllables, loose jamo where none forms."""
    jamo = [KEYS.get(character, character) for character in code]
    out, at = [], 0
    while at < len(jamo):
        rest = jamo[at:] + [""] * 4
        if rest[0] in INITIALS and rest[1] in MEDIALS and rest[1]:
            medial, used = rest[1], 2
            if medial + rest[2] in TOGETHER and rest[2] in MEDIALS:
                medial, used = TOGETHER[medial + rest[2]], 3
            first, second, after = rest[used], rest[used + 1], (jamo[at:] + [""] * 6)[used + 2]
            final = " "
            if first and first in FINALS and not (second and second in MEDIALS):
                final, used = first, used + 1
                if first + second in TOGETHER and not (after and after in MEDIALS):
                    final, used = TOGETHER[first + second], used + 1
            index = (INITIALS.index(rest[0]) * 21 + MEDIALS.index(medial)) * 28 + FINALS.index(final)
            out.append(chr(ord("가") + index))
            at += used
        else:
            out.append(rest[0])
            at += 1
    return "".join(out)


@given(CODES)
def test_a_code_scanned_while_the_hangul_keyboard_is_on_is_understood(code: str) -> None:
    assert parse_code(typed_in_hangul(code)) == code


@given(CODES)
def test_a_code_typed_as_loose_jamo_is_understood(code: str) -> None:
    assert parse_code("".join(KEYS.get(character, character) for character in code)) == code


def test_shifted_jamo_are_the_same_keys() -> None:
    code = code_of(Kind.BOOKING, "QWERTP2")
    shifted = code.translate(str.maketrans("QWERTP", "ㅃㅉㄸㄲㅆㅖ"))
    assert parse_code(shifted) == code


def test_the_input_method_of_these_tests_forms_real_syllables() -> None:
    assert typed_in_hangul("RKSK") == "가나"
    assert typed_in_hangul("RKRT2") == "갃2"
    assert typed_in_hangul("GHK") == "화"


def test_threads_that_draw_at_the_same_time_never_get_the_same_code() -> None:
    with ThreadPoolExecutor(8) as threads:
        drawn = list(threads.map(lambda _: new_code(Kind.BOOKING), range(2_000)))
    assert len(set(drawn)) == len(drawn)
    assert {parse_code(code, Kind.BOOKING) for code in drawn} == set(drawn)


@pytest.mark.parametrize("kind", [Kind.BOOKING, Kind.RECIPIENT])
def test_however_many_codes_of_one_kind_are_drawn_few_are_kept_for_the_others(kind: Kind) -> None:
    for _ in range(50_000):
        new_code(kind)
    assert max(len(codes._drawn), len(codes._side_by_side)) < 2_000
