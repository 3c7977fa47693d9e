"""Certificates, a ticket and keys that tests of credentials and paper begin with."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from zoneinfo import ZoneInfo

from cryptography import x509

from domain.booking import TicketFacts
from domain.presentation import Disease, Route, Site
from domain.recipient import Sex
from domain.statement import CertificateFacts, Credential, DoseFacts
from domain.uvci import uvci
from kiosk.credential.keys import ClinicKeys, open_keys
from kiosk.credential.signer import ClinicSigner
from kiosk.credential.trust import Trust

NOW = datetime(2026, 11, 22, 3, 0, tzinfo=UTC)

_COMIRNATY = DoseFacts(
    name_ko="코미나티",
    name_en="Comirnaty",
    manufacturer="Pfizer",
    disease=Disease.COVID_19,
    vaccine_code="1119349007",
    product_code="EU/1/20/1528",
    holder_code="ORG-100030215",
    cvx="208",
    lot="FF2839",
    dose_number=2,
    dose_total=2,
    given_on=date(2026, 11, 20),
    site=Site.LEFT_ARM,
    route=Route.INTRAMUSCULAR,
    vaccinator="이서연",
)
_FLU = replace(
    _COMIRNATY,
    name_ko="지씨플루쿼드리밸런트",
    name_en="GC Flu Quadrivalent",
    manufacturer="GC Biopharma",
    disease=Disease.INFLUENZA,
    vaccine_code="",
    product_code="",
    holder_code="",
    cvx="150",
    lot="H26091",
    dose_number=1,
    dose_total=1,
)

TICKET = TicketFacts(
    code="BK7M3Q9XA",
    name="김*늘",
    vaccine_ko="코미나티",
    vaccine_en="Comirnaty",
    slot=datetime(2026, 11, 24, 10, 15, tzinfo=ZoneInfo("Asia/Seoul")),
    waiting=False,
    clinic_ko="우리동네 예방접종센터",
    clinic_en="Neighbourhood Vaccination Clinic",
    clinic_phone="02-123-4567",
)


def dose(number: int = 2, total: int = 2, **changes: object) -> DoseFacts:
    """A dose of Comirnaty, unless changed."""
    return replace(_COMIRNATY, dose_number=number, dose_total=total, **changes)  # type: ignore[arg-type]


def flu(**changes: object) -> DoseFacts:
    """A dose against influenza, unless changed."""
    return replace(_FLU, **changes)  # type: ignore[arg-type]


def facts(**changes: object) -> CertificateFacts:
    """A complete series of one person, unless changed."""
    plain = CertificateFacts(
        number="CK7M3Q9XA",
        uvci=uvci("KR", "CLINIC1", "CK7M3Q9XA"),
        name="김하늘",
        surname="KIM",
        given="HANEUL",
        birth_date=date(1984, 3, 7),
        sex=Sex.FEMALE,
        doses=(dose(),),
        next_due_on=None,
        clinic_ko="우리동네 예방접종센터",
        clinic_en="Neighbourhood Vaccination Clinic",
        country="KR",
        issued_at=NOW,
        issued_on=date(2026, 11, 22),
        issued_by="박지훈",
    )
    return replace(plain, **changes)  # type: ignore[arg-type]


def new_keys(folder: Path, now: datetime = NOW) -> ClinicKeys:
    """Keys made in this folder."""
    return open_keys(folder, country="KR", clinic="Neighbourhood Vaccination Clinic", now=now)


@cache
def keys() -> ClinicKeys:
    """The clinic's keys, made once for all tests."""
    with TemporaryDirectory() as folder:
        return new_keys(Path(folder))


def signed(about: CertificateFacts) -> Credential:
    """The credential of a certificate, by the clinic's keys."""
    return ClinicSigner(keys()).sign(about)


def trust() -> Trust:
    """Whoever believes the clinic's signer, and nobody else."""
    return trust_in([keys().signer])


def trust_in(certificates: Iterable[x509.Certificate]) -> Trust:
    """Believe these signers and nobody else."""
    trust = Trust()
    trust.add_certificates(certificates)
    return trust
