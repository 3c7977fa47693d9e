"""Certificates at a door: issued, corrected and revoked by a real clinic, judged from what it exports."""

from __future__ import annotations

import asyncio
import io
import json
import subprocess
import sys
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import qrcode
from PIL import Image

from domain.actors import SYSTEM
from domain.application import ApplyForCertificate, CancelApplication
from domain.certificate import (
    GetCertificate,
    IssueCertificate,
    ListCertificates,
    PrintCertificate,
    RevokeCertificate,
)
from domain.correction import CorrectInjection, VoidInjection
from domain.errors import NotFound
from domain.injection import Injection
from domain.revocation import GetStanding, ListRevoked, ListSignedWith
from domain.statement import Certificate, CertificateStatus
from domain.uvci import uvci
from kiosk.credential import ceremony
from kiosk.credential.export import export
from kiosk.credential.keys import KeyFolder, open_keys
from kiosk.credential.picture import UnreadablePicture, codes_in
from kiosk.credential.signer import ClinicSigner
from kiosk.credential.telling import tell
from kiosk.credential.trust import Caution
from kiosk.credential.trust_files import trust_from
from kiosk.credential.verify import Problem, verify
from kiosk.i18n import Texts
from kiosk.nightly import every_day
from kiosk.paper.proof import render_page
from tests.certificate_facts import facts
from tests.clinics import MONDAY, STAFF, OpenClinic, TestClock, clinic_in

ROOT = Path(__file__).resolve().parents[2]


async def inject(clinic: OpenClinic, vaccine: str, lot: str = "LOT1") -> Injection:
    return await clinic.vaccinate((await clinic.book(vaccine)).booking, lot)


async def certified(clinic: OpenClinic, injection: Injection) -> Certificate:
    await clinic.gateway.send(ApplyForCertificate(injection.code), STAFF)
    await clinic.services.settle()
    [waiting] = await clinic.gateway.ask(ListCertificates(CertificateStatus.READY), STAFF)
    done = await clinic.gateway.send(IssueCertificate(waiting.certificate.code), STAFF)
    return await clinic.gateway.ask(GetCertificate(done.certificate), STAFF)  # type: ignore[no-any-return]


async def series(clinic: OpenClinic) -> tuple[Injection, Injection]:
    """Two doses of one person, from two lots."""
    vaccine = await clinic.vaccine(doses=5)
    await clinic.deliver(vaccine, 5, "LOT2")
    first = await inject(clinic, vaccine)
    clinic.clock.move(days=21)
    return first, await inject(clinic, vaccine, "LOT2")


def text_of(certificate: Certificate) -> str:
    assert certificate.credential
    return certificate.credential.text


async def exported(clinic: OpenClinic, folder: Path) -> Path:
    revoked = await clinic.gateway.ask(ListRevoked(), SYSTEM)
    export(KeyFolder(clinic.settings.key_folder), folder, revoked, clinic.clock.now())
    return folder


async def live(clinic: OpenClinic) -> list[Certificate]:
    found = await clinic.gateway.ask(ListCertificates(CertificateStatus.ISSUED), STAFF)
    return [detail.certificate for detail in found]


async def test_a_certificate_states_every_dose_of_the_series(clinic: OpenClinic) -> None:
    _, second = await series(clinic)
    certificate = await certified(clinic, second)
    assert certificate.facts
    assert [(d.dose_number, d.lot) for d in certificate.facts.doses] == [(1, "LOT1"), (2, "LOT2")]
    [verdict] = await clinic.services.check_certificate(text_of(certificate))
    assert verdict.ok
    assert verdict.cautions == ()
    assert await clinic.violations() == []


async def test_correcting_the_first_dose_replaces_the_certificate_of_the_second(
    clinic: OpenClinic, tmp_path: Path
) -> None:
    first, second = await series(clinic)
    old = await certified(clinic, second)
    await clinic.gateway.send(CorrectInjection(first.code, "misread", lot="LOT2"), STAFF)
    [new] = await live(clinic)
    assert new.facts
    assert new.facts.supersedes == old.code
    assert [dose.lot for dose in new.facts.doses] == ["LOT2", "LOT2"]
    [verdict] = await clinic.services.check_certificate(text_of(old))
    assert (verdict.problem, verdict.detail) == (Problem.REVOKED, new.code)
    trust = trust_from(await exported(clinic, tmp_path / "out"))
    assert verify(text_of(old), trust, clinic.clock.now()).problem is Problem.REVOKED
    assert verify(text_of(new), trust, clinic.clock.now()).ok
    await clinic.gateway.send(PrintCertificate(new.code), STAFF)
    assert await clinic.violations() == []


async def test_voiding_the_first_dose_revokes_the_certificate_of_the_second(
    clinic: OpenClinic, tmp_path: Path
) -> None:
    first, second = await series(clinic)
    certificate = await certified(clinic, second)
    await clinic.gateway.send(VoidInjection(first.code, "another person's", dose_returned=False), STAFF)
    assert await live(clinic) == []
    trust = trust_from(await exported(clinic, tmp_path / "out"))
    assert verify(text_of(certificate), trust, clinic.clock.now()).problem is Problem.REVOKED
    assert await clinic.violations() == []


async def test_a_revoked_certificate_is_refused_at_once_in_the_clinic_and_from_the_next_export_outside(
    clinic: OpenClinic, tmp_path: Path
) -> None:
    certificate = await certified(clinic, await inject(clinic, await clinic.vaccine(doses=1)))
    before = trust_from(await exported(clinic, tmp_path / "before"))
    await clinic.gateway.send(RevokeCertificate(certificate.code, "given out by mistake"), STAFF)
    [verdict] = await clinic.services.check_certificate(text_of(certificate))
    assert (verdict.problem, verdict.detail, verdict.proven) == (Problem.REVOKED, "", True)
    assert verify(text_of(certificate), before, clinic.clock.now()).ok
    after = trust_from(await exported(clinic, tmp_path / "after"))
    assert verify(text_of(certificate), after, clinic.clock.now()).problem is Problem.REVOKED


async def test_a_withdrawn_key_is_counted_and_no_longer_signs(clinic: OpenClinic, tmp_path: Path) -> None:
    vaccine = await clinic.vaccine(doses=3)
    certificate = await certified(clinic, await inject(clinic, vaccine))
    keys = KeyFolder(clinic.settings.key_folder)
    [state] = ceremony.states_of(keys, clinic.clock.now())
    issued = await clinic.gateway.ask(ListSignedWith(state.names), SYSTEM)
    assert [one.certificate for one in issued] == [certificate.code]
    assert await clinic.gateway.ask(ListSignedWith(("other",)), SYSTEM) == []
    ceremony.withdraw(keys, None, state.kid, "stolen", clinic.clock.now())
    [verdict] = await clinic.services.check_certificate(text_of(certificate))
    assert verdict.problem is Problem.KEY_WITHDRAWN
    clinic.clock.move(days=21)
    newer = await certified(clinic, await inject(clinic, vaccine))
    assert newer.credential
    assert newer.credential.key_id == KeyFolder(keys.folder).active().kid_text
    [verdict] = await clinic.services.check_certificate(text_of(newer))
    assert verdict.ok


async def test_our_own_signature_on_what_we_never_issued_is_pointed_out(clinic: OpenClinic) -> None:
    forged = ClinicSigner(KeyFolder(clinic.settings.key_folder).active()).sign(
        facts(issued_at=clinic.clock.now())
    )
    [verdict] = await clinic.services.check_certificate(forged.text)
    assert verdict.ok
    assert verdict.cautions == (Caution.NOT_IN_RECORDS,)
    assert "revocation" not in tell(verdict, Texts("en")).why


@pytest.mark.parametrize("cancelled", [False, True])
async def test_our_own_signature_on_what_was_prepared_or_cancelled_and_never_issued_is_not_valid(
    clinic: OpenClinic, cancelled: bool
) -> None:
    injection = await inject(clinic, await clinic.vaccine(doses=1))
    application = await clinic.gateway.send(ApplyForCertificate(injection.code), STAFF)
    await clinic.services.settle()
    [waiting] = await clinic.gateway.ask(ListCertificates(CertificateStatus.READY), STAFF)
    if cancelled:
        await clinic.gateway.send(CancelApplication(application.code), STAFF)
        await clinic.services.settle()
    number = waiting.certificate.code
    about = facts(issued_at=clinic.clock.now(), number=number, uvci=uvci("KR", "CLINIC1", number))
    forged = ClinicSigner(KeyFolder(clinic.settings.key_folder).active()).sign(about)
    [verdict] = await clinic.services.check_certificate(forged.text)
    assert (verdict.ok, verdict.problem, verdict.proven) == (False, Problem.NOT_ISSUED, True)
    assert verdict.detail == ("cancelled" if cancelled else "ready")
    assert "발급되지 않은" in tell(verdict, Texts("ko")).verdict


async def test_the_standing_of_a_certificate_says_nothing_of_its_owner(clinic: OpenClinic) -> None:
    certificate = await certified(clinic, await inject(clinic, await clinic.vaccine(doses=1)))
    standing = await clinic.gateway.ask(GetStanding(certificate.code), STAFF)
    assert (standing.status, standing.replaced_by) == (CertificateStatus.ISSUED, "")
    with pytest.raises(NotFound):
        await clinic.gateway.ask(GetStanding("CAAAAAAAA"), STAFF)


async def test_a_covid_certificate_carries_a_card_where_the_clinic_wishes_it(tmp_path: Path) -> None:
    async with clinic_in(
        tmp_path, also_smart_health_card=True, issuer_url="https://clinic.example"
    ) as clinic:
        certificate = await certified(clinic, await inject(clinic, await clinic.vaccine(doses=1)))
        assert certificate.credential
        assert [one.form for one in certificate.credential.all] == ["hcert", "shc"]
        paper = await clinic.gateway.send(PrintCertificate(certificate.code), STAFF)
        verdicts = await clinic.services.check_certificate(str(paper.place))
        assert [(v.ok, v.claims and v.claims.form) for v in verdicts] == [(True, "hcert"), (True, "shc")]
        await clinic.gateway.send(RevokeCertificate(certificate.code, "why"), STAFF)
        verdicts = await clinic.services.check_certificate(str(paper.place))
        assert [v.problem for v in verdicts] == [Problem.REVOKED] * 2


# -- the command line -------------------------------------------------------------------------------


def kiosk(*arguments: object, stdin: bytes = b"", folder: Path) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "kiosk", "--data-folder", str(folder / "data"), "--lang", "en"]
    return subprocess.run(
        [*command, *map(str, arguments)], input=stdin, capture_output=True, check=False, cwd=ROOT,
        env={"PATH": "/usr/bin:/bin", "HOME": str(folder), "KIOSK_ROOT_PASSPHRASE": "correct horse battery"},
    )  # fmt: skip


async def test_the_command_line_judges_every_kind_of_file(tmp_path: Path) -> None:
    clock = TestClock(MONDAY - timedelta(days=728))  # well before the machine's own clock
    async with clinic_in(tmp_path, clock=clock) as clinic:
        certificate = await certified(clinic, await inject(clinic, await clinic.vaccine(doses=1)))
        paper = clinic.settings.paper_folder / f"certificate-{certificate.code}.pdf"
        at = (clinic.clock.now() + timedelta(hours=1)).isoformat()
    text = text_of(certificate)
    (tmp_path / "c.txt").write_text(f"\ufeff{text}\r\n")
    picture = render_page(paper.read_bytes(), 150)
    for form in ("PNG", "JPEG"):
        picture.save(tmp_path / f"c.{form.lower()}")
    for shown in (paper, text, tmp_path / "c.txt", tmp_path / "c.png", tmp_path / "c.jpeg"):
        done = kiosk("verify", shown, "--at", at, folder=tmp_path)
        assert (done.returncode, done.stderr) == (0, b""), done
        assert done.stdout.decode().startswith("✓ VALID\n  Signature, key, dates and revocation")
    for stdin in (text.encode(), paper.read_bytes()):
        assert kiosk("verify", "-", "--at", at, stdin=stdin, folder=tmp_path).returncode == 0
    late = kiosk("verify", text, "--at", "2040-01-01", "--json", folder=tmp_path)
    said = json.loads(late.stdout)
    assert late.returncode == 1
    assert (said["valid"], said["verdict"], said["proven"]) == (False, "expired", True)
    assert said["claims"]["nam"]["fnt"] == "HONG"
    for shown in ("BAAAAAAAA", "hello", "", "shc:/12", "https://clinic.example/c.pdf"):
        assert kiosk("verify", shown, folder=tmp_path).returncode == 1, shown
    for shown in (tmp_path, tmp_path / "mistyped.pdf", "mistyped.pfd", "./mistyped"):
        done = kiosk("verify", shown, folder=tmp_path)
        assert (done.returncode, done.stdout) == (2, b"")
        assert b"There is no file" in done.stderr
    for wrong in (["--trust", tmp_path / "none"], ["--at", "yesterday"], ["--trust", tmp_path / "c.txt"]):
        done = kiosk("verify", text, *wrong, folder=tmp_path)
        assert (done.returncode, done.stdout) == (2, b"")
        assert b"Traceback" not in done.stderr


async def test_keys_are_kept_from_the_command_line(tmp_path: Path) -> None:
    async with clinic_in(tmp_path) as clinic:
        certificate = await certified(clinic, await inject(clinic, await clinic.vaccine(doses=1)))
    assert kiosk("keys", "init", folder=tmp_path).returncode == 0
    listed = kiosk("keys", "list", folder=tmp_path).stdout.decode()
    kid, standing, *_ = listed.split("\t")
    assert standing.startswith("signing, rotate by ")
    (tmp_path / "usb").mkdir()
    moved = kiosk("keys", "init", "--root", tmp_path / "usb", folder=tmp_path)
    assert f"the root's key is in {tmp_path / 'usb'}".encode() in moved.stderr
    assert b"the root's key is not here" in kiosk("keys", "init", folder=tmp_path).stderr
    assert kiosk("keys", "rotate", folder=tmp_path).returncode == 1
    elsewhere = kiosk("keys", "rotate", "--root", tmp_path / "usp", folder=tmp_path)
    assert (elsewhere.returncode, b"there is no root on" in elsewhere.stderr) == (1, True)
    assert kiosk("keys", "rotate", "--root", tmp_path / "usb", folder=tmp_path).returncode == 0
    assert kiosk("keys", "export", tmp_path / "out", folder=tmp_path).returncode == 0
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "root.pem", "trust-list.pem", "trust-list.json", "revocation-list.json", ".well-known",
    }  # fmt: skip
    at = ["--at", (clinic.clock.now() + timedelta(hours=1)).isoformat(), "--trust", tmp_path / "out"]
    assert kiosk("verify", text_of(certificate), *at, folder=tmp_path).returncode == 0
    withdraw = ["keys", "withdraw", kid, "--root", tmp_path / "usb"]
    asked = kiosk(*withdraw, stdin=b"no\n", folder=tmp_path)
    assert (asked.returncode, asked.stdout) == (1, b"")
    assert b"1 certificates were issued with" in asked.stderr
    done = kiosk(*withdraw, stdin=kid[:8].encode() + b"\n", folder=tmp_path)
    assert (done.returncode, done.stdout) == (0, b"1\n")
    assert kiosk("keys", "export", tmp_path / "out", folder=tmp_path).returncode == 0
    gone = kiosk("verify", text_of(certificate), *at, folder=tmp_path)
    assert gone.returncode == 1
    assert gone.stdout.decode().startswith("✗ NOT VALID (key withdrawn)")


@pytest.mark.parametrize(
    ("days", "standing"),
    [(100, "signing, rotate by"), (200, "signing, rotation due since"), (731, "expired, signs nothing")],
)
def test_the_list_says_when_a_signer_is_due_for_rotation_and_when_it_has_expired(
    tmp_path: Path, days: int, standing: str
) -> None:
    made = datetime.now(UTC) - timedelta(days=days)
    open_keys(tmp_path / "data" / "keys", country="KR", clinic="A clinic", now=made)
    assert f"\t{standing}" in kiosk("keys", "list", folder=tmp_path).stdout.decode()


async def test_a_key_that_is_due_for_rotation_is_a_warning_once_a_day(
    clinic: OpenClinic, caplog: pytest.LogCaptureFixture
) -> None:
    asked: asyncio.Queue[None] = asyncio.Queue()

    def rotation_due() -> datetime | None:
        asked.put_nowait(None)
        return clinic.services.rotation_due()

    async def warned_after(days: int) -> int:
        """And several looks at the same day."""
        clinic.clock.move(days=days)
        await asyncio.wait_for(asked.get(), timeout=30)
        for _ in range(10):
            await asyncio.sleep(0)
        return len([r for r in caplog.records if "due for rotation" in r.message])

    night = asyncio.create_task(every_day(clinic.gateway, rotation_due, look=0))
    assert await warned_after(days=182) == 0
    assert await warned_after(days=2) == 1
    assert await warned_after(days=1) == 2
    ceremony.rotate(KeyFolder(clinic.settings.key_folder), None, clinic.clock.now())
    assert await warned_after(days=1) == 2
    night.cancel()
    with suppress(asyncio.CancelledError):
        await night


async def test_a_withdrawal_can_issue_the_live_certificates_anew(tmp_path: Path) -> None:
    async with clinic_in(tmp_path) as clinic:
        old = await certified(clinic, await inject(clinic, await clinic.vaccine(doses=1)))
    kid = KeyFolder(clinic.settings.key_folder).active().kid.hex()
    done = kiosk("keys", "withdraw", kid, "--yes", "--reissue", folder=tmp_path)
    assert done.returncode == 0, done
    async with clinic_in(tmp_path, clock=clinic.clock) as again:
        [new] = await live(again)
        assert new.facts
        assert new.facts.supersedes == old.code
        assert await again.violations() == []


# -- scans ------------------------------------------------------------------------------------------


def scan(dpi: int, mode: str) -> bytes:
    """An A4 page with a code of 4 cm, as a scanner or a screenshot makes it."""
    text = "one"
    code = qrcode.make(text, border=0).get_image().resize((dpi * 40 // 25, dpi * 40 // 25))
    black = {"LA": (0, 255), "RGBA": (0, 0, 0, 255), "RGB": (0, 0, 0)}.get(mode, 0)
    ground = {"LA": (0, 0), "RGBA": (0, 0, 0, 0), "RGB": (255, 255, 255), "L": 255}
    page = Image.new("L" if mode in {"1", "P"} else mode, (dpi * 827 // 100, dpi * 1169 // 100),
                     ground.get(mode, 255))  # fmt: skip
    page.paste(black, (dpi, dpi), Image.eval(code.convert("L"), lambda shade: 255 - shade))
    stream, more = io.BytesIO(), {}
    if mode == "P":
        page, more = page.convert("P"), {"transparency": 255}  # the paper is index 255
    page = page.convert("1") if mode == "1" else page
    page.save(stream, "PNG", compress_level=1, **more)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("dpi", "mode"),
    [(150, "L"), (150, "P"), (150, "RGBA"), (150, "LA"), (400, "RGB"), (400, "RGBA"), (600, "1"),
     (600, "RGB")],
)  # fmt: skip
def test_a_scan_is_read_whatever_its_resolution_and_ground(dpi: int, mode: str) -> None:
    assert codes_in(scan(dpi, mode)) == ["one"]


def test_a_picture_that_is_too_large_is_said_to_be_that() -> None:
    for pixels in (7_000, 20_000):
        with pytest.raises(UnreadablePicture, match="too large"):
            codes_in(png(pixels, pixels))


# -- hostile files ----------------------------------------------------------------------------------


def png(width: int, height: int) -> bytes:
    stream = io.BytesIO()
    Image.new("1", (width, height)).save(stream, "PNG")
    return stream.getvalue()


HOSTILE = {
    "a PNG of ten thousand million pixels": lambda: png(60_000, 60_000)[:4000],
    "a large empty PNG": lambda: png(20_000, 20_000),
    "a cut PNG": lambda: png(500, 500)[:-40],
    "a PNG of nothing": lambda: b"\x89PNG\r\n\x1a\n",
    "a JPEG of nothing": lambda: b"\xff\xd8\xff" + bytes(1000),
    "a PDF of nothing": lambda: b"%PDF-1.7\n",
    "a PDF of bytes": lambda: b"%PDF-1.7\n" + bytes(range(256)) * 400,
    "a PDF with a page of a kilometre": lambda: (
        b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
        b"2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n3 0 obj<</Type/Page/Parent 2 0 R/MediaBox"
        b"[0 0 99999999 99999999]>>endobj\ntrailer<</Root 1 0 R>>"
    ),
    "more than is read": lambda: b"%PDF-1.7\n" + bytes(21 << 20),
}


@pytest.mark.parametrize("made", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_files_get_an_answer(made) -> None:  # type: ignore[no-untyped-def]
    try:
        assert codes_in(made()) == []
    except UnreadablePicture as answer:
        assert str(answer)
