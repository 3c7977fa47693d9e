"""The identifier of a certificate carries a check character that strangers can verify."""

from __future__ import annotations

import pytest

from domain.uvci import ALPHABET, check_character, is_intact, uvci


def test_the_reference_identifier_of_the_guidelines_ends_in_b() -> None:
    assert check_character("URN:UVCI:01:AT:10807843F94AEE0EE5093FBC254BD813") == "B"


def test_an_identifier_names_country_clinic_and_certificate() -> None:
    identifier = uvci("KR", "CLINIC1", "CK7M3Q9XA")
    assert identifier.startswith("URN:UVCI:01:KR:CLINIC1/CK7M3Q9XA#")
    assert is_intact(identifier)


def test_every_single_wrong_character_is_noticed() -> None:
    identifier = uvci("KR", "CLINIC1", "CK7M3Q9XA")
    for place in range(len(identifier) - 2):
        for wrong in ALPHABET.replace(identifier[place], ""):
            assert not is_intact(identifier[:place] + wrong + identifier[place + 1 :])


@pytest.mark.parametrize("text", ["", "#", "URN:UVCI:01:KR:A", "urn:uvci:01:kr:a#A", "한글#A"])
def test_what_is_no_identifier_of_ours_is_not_intact(text: str) -> None:
    assert not is_intact(text)


def test_a_character_that_cannot_stand_in_it_is_refused() -> None:
    with pytest.raises(ValueError, match="cannot stand"):
        uvci("KR", "CLINIC 1", "CK7M3Q9XA")
