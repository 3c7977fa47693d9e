"""The certificate's page, as a reader, a scanner and a printer meet it."""

from __future__ import annotations

import re
import shutil
import subprocess
import unicodedata
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pypdfium2
import pytest

from domain.errors import PaperFailed
from domain.presentation import Disease
from domain.recipient import Sex
from domain.statement import CertificateFacts
from kiosk.credential.qr import MODULE_MM, credential_matrix
from kiosk.credential.verify import Problem, verify
from kiosk.paper.certificate import certificate_page, code_top
from kiosk.paper.fonts import Face, load_fonts
from kiosk.paper.proof import prove, read_page
from tests.certificate_facts import NOW, dose, facts, flu, signed, trust

MM = 72 / 25.4
LONG_HANGUL = "가나다라마바사아자차카타파하거너더러머버서어저처커터퍼허고노"
LONG_LATIN = "WOLFESCHLEGELSTEINHAUSENBERGERDORFF MARIA ALEXANDRA CONSTANTINA PHILIPPA TERESA"


def page(about: CertificateFacts) -> bytes:
    """The certificate as PDF."""
    return certificate_page(about, signed(about), load_fonts())


def text_of(pdf: bytes, number: int = 0) -> str:
    """All text of a page, without the white between letters and lines."""
    document = pypdfium2.PdfDocument(pdf)
    text = document[number].get_textpage().get_text_bounded()
    return re.sub(r"\s+", "", unicodedata.normalize("NFC", text))


def letters(pdf: bytes) -> list[tuple[str, float, float, float, float]]:
    """Every visible letter of the first page with its box in mm from the lower left."""
    words = pypdfium2.PdfDocument(pdf)[0].get_textpage()
    found = []
    for index in range(words.count_chars()):
        letter = words.get_text_range(index, 1)
        if letter.strip():
            left, bottom, right, top = (side / MM for side in words.get_charbox(index))
            found.append((letter, left, bottom, right, top))
    return found


TWO = facts(doses=(dose(1, lot="FD0932", given_on=date(2026, 10, 30)), dose(2)))
CONFIRMATION = facts(doses=(dose(1, 2),), next_due_on=date(2026, 12, 11), supersedes="CQ2W3E4R5")
WORST = facts(
    name="가나다라마바사아" * 10,
    surname="A" * 39 + " " + "B" * 40,
    given="C" * 20 + " " + "D" * 59,
    doses=(
        dose(1, 2, name_ko="아주긴백신이름" * 5, name_en="Extraordinarily Long " * 3,
             manufacturer="A Manufacturer With A Really Long Name GmbH & Co KGaA", lot="L" * 30,
             vaccinator="가나다라" * 10),
    ),
    next_due_on=date(2026, 12, 11),
    supersedes="CQ2W3E4R5",
    clinic_ko="가나다라마바사아" * 10,
    clinic_en="Clinic name " * 6,
    issued_by="마바사아" * 10,
)  # fmt: skip
CASES = {
    "one dose": facts(),
    "two doses": TWO,
    "five doses": facts(doses=tuple(dose(n, 5) for n in range(1, 6))),
    "twenty doses": facts(doses=tuple(dose(n, 20) for n in range(1, 21))),
    "confirmation": CONFIRMATION,
    "influenza": facts(doses=(flu(),)),
    "no code": facts(doses=(flu(cvx=""),)),
    "long Hangul": facts(name=LONG_HANGUL),
    "long Latin": facts(name=LONG_LATIN.title(), surname=LONG_LATIN, given=""),
    "everything long": WORST,
    "everything long, on a card": replace(
        WORST, doses=(flu(dose_total=2, cvx="", name_ko="아주긴백신이름" * 5, name_en="Very Long " * 7),)
    ),
}
EVERY_CASE = pytest.mark.parametrize("about", CASES.values(), ids=CASES.keys())


def test_the_page_carries_every_field_of_a_korean_certificate() -> None:
    text = text_of(page(TWO))
    for expected in [
        "예방접종증명서", "CertificateofVaccination", "김하늘", "KIM,HANEUL", "1984년3월7일", "7March1984",
        "여Female", "코미나티Comirnaty", "Pfizer", "FF2839", "2/2", "2026년11월20일", "20November2026",
        "왼팔·근육", "leftarm,intramuscular", "코로나19COVID-19", "이서연", "우리동네예방접종센터",
        "NeighbourhoodVaccinationClinic", "대한민국RepublicofKorea", "CK7-M3Q-9XA", "박지훈",
        "2026년11월22일", "22November2026", "서명Signature", "2차접종", "dose2", "직인",
        "ValidonlytogetherwithphotoID.",
        "Verifiesagainstthisclinic’spublishedkey.", TWO.uvci, "FD0932", "2026-10-30",
    ]:  # fmt: skip
        assert expected in text, expected
    assert "확인서" not in text
    assert "order" not in text, "never a word of borders"


def test_a_disease_that_has_no_name_here_is_not_called_other() -> None:
    shown = text_of(page(facts(doses=(flu(disease=Disease.OTHER),))))
    assert "GCFluQuadrivalent" in shown
    assert not any(word in shown for word in ("Disease", "예방대상", "Other", "기타"))


def test_an_incomplete_series_is_a_confirmation_with_the_next_date() -> None:
    text = text_of(page(CONFIRMATION))
    assert "예방접종확인서ConfirmationofVaccination" in text
    assert "증명서C" not in text.replace("증명서번호C", "")
    assert "2026년12월11일11December2026" in text
    assert "접종미완료" in text


def test_a_replacement_says_which_certificate_it_replaces() -> None:
    text = text_of(page(CONFIRMATION))
    assert "이문서는CQ2-W3E-4R5를대체합니다." in text
    assert "ReplacesCQ2-W3E-4R5,whichisnolongervalid." in text
    assert "대체합니다" not in text_of(page(facts()))


@pytest.mark.parametrize(("sex", "shown"), [(Sex.MALE, "남Male"), (Sex.UNKNOWN, "표시안함Notstated")])
def test_nobody_has_to_tell_their_sex(sex: Sex, shown: str) -> None:
    assert shown in text_of(page(facts(sex=sex)))


@EVERY_CASE
def test_every_font_is_embedded(about: CertificateFacts, tmp_path: Path) -> None:
    pdf = page(about)
    for number in range(len(document := pypdfium2.PdfDocument(pdf))):
        for item in document[number].get_objects(filter=[pypdfium2.raw.FPDF_PAGEOBJ_TEXT]):
            font = pypdfium2.raw.FPDFTextObj_GetFont(item.raw)
            assert pypdfium2.raw.FPDFFont_GetIsEmbedded(font) == 1
    if shutil.which("pdffonts"):
        (tmp_path / "page.pdf").write_bytes(pdf)
        listing = subprocess.run(
            ["pdffonts", str(tmp_path / "page.pdf")], capture_output=True, text=True, check=True
        ).stdout.splitlines()[2:]
        assert listing
        assert all(re.search(r" yes yes yes ", line) for line in listing), listing


@EVERY_CASE
def test_the_printed_code_verifies_against_the_clinics_key(about: CertificateFacts) -> None:
    (read,) = read_page(page(about), 200)
    verdict = verify(read, trust(), NOW)
    assert verdict.ok, verdict
    assert verify(read, trust(), NOW + timedelta(days=800)).problem is Problem.EXPIRED
    changed = read[:-1] + ("1" if read[-1] != "1" else "2")
    assert verify(changed, trust(), NOW).problem is not None


@EVERY_CASE
def test_nothing_leaves_the_frame_or_touches_the_code(about: CertificateFacts) -> None:
    side = len(credential_matrix(signed(about).text)) * MODULE_MM
    quiet = 4 * MODULE_MM
    left, top = 22.0, 297 - code_top(side)
    assert left - quiet >= 10
    assert top - side - quiet >= 10
    for letter, x0, y0, x1, y1 in letters(page(about)):
        assert x0 >= 14, letter
        assert x1 <= 196, letter
        assert y0 >= 14, letter
        assert y1 <= 277, letter
        inside = (
            x1 > left - quiet and x0 < left + side + quiet and y1 > top - side - quiet and y0 < top + quiet
        )
        assert not inside, f"{letter} stands in the quiet zone"


@EVERY_CASE
def test_no_letter_is_set_over_another(about: CertificateFacts) -> None:
    rows: dict[tuple[int, int], list[tuple[str, float, float, float, float]]] = {}
    for box in letters(page(about)):
        rows.setdefault((int(box[1] // 20), int(box[2] // 20)), []).append(box)
    for neighbours in rows.values():
        for n, (a, ax0, ay0, ax1, ay1) in enumerate(neighbours):
            for b, bx0, by0, bx1, by1 in neighbours[n + 1 :]:
                wide, high = min(ax1, bx1) - max(ax0, bx0), min(ay1, by1) - max(ay0, by0)
                # Boxes of neighbours may touch; an overlap of half a millimetre both ways is a collision.
                assert wide < 0.5 or high < 0.5, (a, b)


@EVERY_CASE
def test_the_same_certificate_is_the_same_bytes(about: CertificateFacts) -> None:
    assert page(about) == page(about)


@pytest.mark.parametrize(
    "name",
    [
        "김하늘",
        "남궁민수",
        "뷁쉙",
        LONG_HANGUL,
        "가나다라마바사아" * 10,
        LONG_LATIN.title(),
        "A" * 80,
        "Nguyễn Thị Hồng Ánh",
        "Đặng Ngọc Ưu",
        "李舜臣",
        "Жанна Щукина",
        unicodedata.normalize("NFC", unicodedata.normalize("NFD", "박서준")),
    ],
)
def test_a_name_is_printed_whole_in_its_own_script(name: str) -> None:
    assert re.sub(r"\s+", "", name) in text_of(page(facts(name=name)))


@pytest.mark.skipif(Face.WIDE not in load_fonts().faces, reason="the optional third face is not installed")
@pytest.mark.parametrize("name", ["Erdős Pál", "Łukasz Żółć", "Ayşe Yılmaz", "Jiřina Červenková"])
def test_european_letters_come_from_the_third_face(name: str) -> None:
    text = text_of(page(facts(name=name)))
    assert re.sub(r"\s+", "", name) in text
    assert "여권영문표기로적었습니다" not in text


@pytest.mark.parametrize("name", ["สมชาย ใจดี", "محمد علي", "नरेन्द्र", "김\u0315하늘"])
def test_a_name_no_face_can_draw_is_given_in_the_passports_spelling_and_says_so(name: str) -> None:
    text = text_of(page(facts(name=name, surname="JAIDEE", given="SOMCHAI")))
    assert "성명NameJAIDEE,SOMCHAI" in text
    assert "여권영문표기로적었습니다" in text
    assert "thepassportspellingisshown" in text


def test_an_undrawable_letter_elsewhere_is_seen_to_be_missing() -> None:
    assert "박□훈" in text_of(page(facts(issued_by="박ส훈")))


def test_many_doses_move_to_a_second_page_that_names_the_holder() -> None:
    pdf = page(CASES["twenty doses"])
    assert len(pypdfium2.PdfDocument(pdf)) == 2
    assert "Alldosesarelistedonpage2." in text_of(pdf)
    second = text_of(pdf, 1)
    assert "김하늘" in second
    assert "CK7-M3Q-9XA" in second
    assert all(f"{n}/20" in second for n in range(1, 21))


def test_five_doses_stay_on_one_page() -> None:
    pdf = page(CASES["five doses"])
    assert len(pypdfium2.PdfDocument(pdf)) == 1
    assert all(f"{n}/5" in text_of(pdf) for n in range(1, 6))


def test_the_files_title_and_author_name_nobody() -> None:
    information = pypdfium2.PdfDocument(page(facts())).get_metadata_dict(skip_empty=True)
    assert information["Title"] == "예방접종 증명서 Certificate of Vaccination"
    assert information["Author"] == "Neighbourhood Vaccination Clinic"
    told = " ".join(information.values())
    assert not re.search(r"김하늘|KIM|HANEUL|1984|CK7", told)


def test_a_page_with_another_credential_than_expected_is_not_handed_over() -> None:
    about = facts()
    pdf = certificate_page(about, signed(about), load_fonts())
    prove(pdf, signed(about).text)
    with pytest.raises(PaperFailed, match="something else"):
        prove(pdf, signed(replace(about, number="CQ2W3E4R5", uvci="URN:UVCI:01:KR:X/Y#Z")).text)
