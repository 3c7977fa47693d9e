"""The whole day in a real terminal, by keyboard alone, and the paper that comes out of it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pypdfium2
import zxingcpp
from cryptography import x509

from kiosk.credential.verify import verify
from tests.journeys import the_day as day


def test_the_clinics_day_by_keyboard_alone(tmp_path: Path) -> None:
    with day.kiosk_in(tmp_path) as terminal:
        day.the_whole_day(terminal, day.nothing_to_look_at)

    [paper] = (tmp_path / "paper").glob("certificate-*.pdf")
    assert list((tmp_path / "paper").glob("ticket-*.pdf"))
    page = pypdfium2.PdfDocument(paper)[0]
    text = page.get_textpage().get_text_range()
    assert day.NAME in text
    assert "FF2839" in text
    [code_on_paper] = zxingcpp.read_barcodes(page.render(scale=200 / 72).to_pil())
    signers = [x509.load_pem_x509_certificate(pem.read_bytes()) for pem in signer_files(tmp_path)]
    verdict = verify(code_on_paper.text, signers, datetime.now(UTC))
    assert verdict.ok, verdict


def signer_files(folder: Path) -> list[Path]:
    return sorted((folder / "data" / "keys").rglob("signer*.pem")) or sorted(
        (folder / "data" / "keys").rglob("*signer*.crt")
    )
