"""How much of a printed code may be lost: by a coarse scanner, or by a blot."""

from __future__ import annotations

from math import pi, sqrt
from random import Random

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from PIL import ImageDraw

from domain.statement import CertificateFacts
from kiosk.credential.keys import ClinicKeys
from kiosk.credential.qr import DIAGONAL_MM, MODULE_MM, QUIET_MODULES, credential_matrix
from kiosk.credential.signer import ClinicSigner
from kiosk.paper.press import ReportlabPress
from kiosk.paper.proof import render_page
from tests.certificate_facts import facts, flu, keys
from tests.symbols import Symbol, decode, measure

LONG = "WOLFESCHLEGELSTEINHAUSENBERGERDORFF MARIA ALEXANDRA CONSTANTINA PHILIPPA TERESA"[:80]
PEOPLE = {
    "Korean": {},
    "Vietnamese": {"name": "Nguyễn Thị Hòa", "surname": "NGUYEN", "given": "THI HOA"},
    "80 characters": {"name": LONG.title(), "surname": LONG, "given": ""},
}
CASES = {
    **{f"HCERT, {who}": facts(**person) for who, person in PEOPLE.items()},
    **{f"card, {who}": facts(doses=(flu(),), **person) for who, person in PEOPLE.items()},
}
EVERY_CASE = pytest.mark.parametrize("about", CASES.values(), ids=CASES.keys())
PLACES = 40
CORNER_MODULES = 7
"""How large the three corner marks are: without one of them no reader finds the symbol at all."""


class TheSameKeys(ClinicKeys):
    """With these a symbol is the same each time. Every signature is another one, and one of some hundreds
    has a place in thousands where a blot is too much for it."""

    @property
    def kid(self) -> bytes:
        return bytes(range(8))


def printed(about: CertificateFacts) -> tuple[bytes, str]:
    key = ec.derive_private_key(20_261_123, ec.SECP256R1())
    credential = ClinicSigner(TheSameKeys(keys().root, keys().signer, key)).sign(about)
    return ReportlabPress().print_certificate(about, credential), credential.text


@EVERY_CASE
def test_it_is_read_at_100_dpi(about: CertificateFacts) -> None:
    pdf, text = printed(about)
    assert decode(render_page(pdf, 100)) == [text]


@EVERY_CASE
def test_it_is_read_at_200_dpi_with_a_tenth_of_it_blotted(about: CertificateFacts) -> None:
    pdf, text = printed(about)
    symbol, page = measure(pdf), render_page(pdf, 200)
    dots = 200 / 25.4
    width = 2 * sqrt(0.1 / pi) * symbol.side
    random, tried, unread = Random(about.name), 0, []
    while tried < PLACES:
        left = symbol.left + random.random() * (symbol.side - width)
        top = symbol.top + random.random() * (symbol.side - width)
        box = (left, top, left + width, top + width)
        if touches_a_corner(symbol, box):
            continue
        tried += 1
        picture = page.copy()
        colour = random.choice((0, 255))  # ink, or a scratch
        ImageDraw.Draw(picture).ellipse(tuple(side * dots for side in box), fill=colour)
        if decode(picture) != [text]:
            unread.append(box)
    assert not unread, f"unreadable with blots at {unread} mm"


def touches_a_corner(symbol: Symbol, box: tuple[float, ...]) -> bool:
    """Whether one of the three corner marks is hurt."""
    mark = CORNER_MODULES * MODULE_MM
    left, top, right, bottom = box
    above, below = top < symbol.top + mark, bottom > symbol.bottom - mark
    at_left, at_right = left < symbol.left + mark, right > symbol.right - mark
    return (at_left and (above or below)) or (at_right and above)


@EVERY_CASE
def test_symbol_and_white_have_their_size_on_paper(about: CertificateFacts) -> None:
    pdf, text = printed(about)
    symbol, modules = measure(pdf), len(credential_matrix(text))
    assert symbol.side == pytest.approx(modules * MODULE_MM, abs=0.05)
    assert symbol.right - symbol.left == pytest.approx(symbol.bottom - symbol.top, abs=0.05)
    assert symbol.side / modules == pytest.approx(0.423, abs=0.001), "five dots of a 300 dpi printer"
    assert symbol.quiet >= QUIET_MODULES * MODULE_MM
    assert symbol.edge >= 10.0
    if about.dose.disease == "covid-19":
        assert symbol.side * sqrt(2) <= DIAGONAL_MM


def test_the_symbol_of_a_typical_name_is_36_to_38_mm_wide() -> None:
    for who in ("Korean", "Vietnamese"):
        pdf, _ = printed(CASES[f"HCERT, {who}"])
        assert 35.5 <= measure(pdf).side <= 38.0


def test_versions_in_which_a_blot_cannot_be_repaired_are_not_used() -> None:
    for digits in range(1400, 2200, 20):
        side = len(credential_matrix("shc:/" + "7" * digits))
        assert side not in {97, 101, 109}
