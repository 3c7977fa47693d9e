"""What a certificate states: the doses of a series, whose they are, and who answers for them.

Copied from the records and frozen when it is issued; what can be done with it is in `certificate`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from domain.injection import Injection
from domain.ports import Context
from domain.presentation import Disease, Route, Site
from domain.recipient import PersonDetails, Recipient, Sex
from domain.uvci import uvci


class CertificateStatus(StrEnum):
    READY = "ready"
    ISSUED = "issued"
    CANCELLED = "cancelled"
    REVOKED = "revoked"


LIVE_CERTIFICATE = (CertificateStatus.READY, CertificateStatus.ISSUED)
"""Of an application one at most."""


@dataclass(frozen=True, slots=True)
class DoseFacts:
    """One dose as a certificate states it; copied from the injection's own snapshot."""

    name_ko: str
    name_en: str
    manufacturer: str
    disease: Disease
    vaccine_code: str
    product_code: str
    holder_code: str
    cvx: str
    lot: str
    dose_number: int
    dose_total: int
    given_on: date
    site: Site
    route: Route
    vaccinator: str
    injection: str = ""
    """The record it was copied from, so that a correction finds every certificate that states it."""


@dataclass(frozen=True, slots=True)
class CertificateFacts:
    """Everything that is signed and printed, frozen at issue, so that paper can be made again."""

    number: str
    """The certificate's code."""
    uvci: str
    name: str
    """In the holder's own script."""
    surname: str
    """As in the passport, A to Z."""
    given: str
    """As in the passport, A to Z; may be empty."""
    birth_date: date
    sex: Sex
    doses: tuple[DoseFacts, ...]
    """Oldest first; the last is the one that was applied for."""
    next_due_on: date | None
    """When the series is incomplete: the first day for the next dose."""
    clinic_ko: str
    clinic_en: str
    country: str
    """ISO 3166-1 alpha-2."""
    issued_at: datetime
    issued_on: date
    """The day of issue at the clinic."""
    issued_by: str
    supersedes: str = ""
    """The number of the certificate this one replaces."""

    @property
    def dose(self) -> DoseFacts:
        """The dose that this certificate is about."""
        return self.doses[-1]

    def is_of(self, person: PersonDetails) -> bool:
        """Whether it states who this person is as it is known now."""
        stated = (self.name, self.surname, self.given, self.birth_date, self.sex)
        known = (person.name, person.passport_surname, person.passport_given, person.birth_date, person.sex)
        return stated == known

    @property
    def is_complete(self) -> bool:
        """Whether the series is complete; otherwise the paper is a confirmation, not a certificate."""
        return self.dose.dose_number >= self.dose.dose_total


@dataclass(frozen=True, slots=True)
class Credential:
    """What goes into the QR. ``form`` is ``hcert`` or ``shc``; ``text`` is the QR's content."""

    form: str
    text: str
    key_id: str
    revocation_hashes: tuple[str, ...] = ()
    """Hex, SHA-256 truncated to 16 bytes: over the signature, the UCI, and country + UCI."""
    second: Credential | None = None
    """The same facts in another form, for verifiers that do not read the first."""

    @property
    def all(self) -> tuple[Credential, ...]:
        """This credential and its second form, if there is one."""
        return (self,) if self.second is None else (self, *self.second.all)


@dataclass(frozen=True, slots=True)
class Certificate:
    """One certificate. A correction does not change it: a new one supersedes it."""

    code: str
    application: str
    injection: str
    recipient: str
    status: CertificateStatus
    injection_version: int
    """The version of the injection that it states, once issued."""
    facts: CertificateFacts | None = None
    credential: Credential | None = None
    reason: str = ""
    """Why it was revoked."""
    prints: int = 0
    """How many copies may be in somebody's hands: those that did not come out are not among them."""

    def states(self, injection: str) -> bool:
        """Whether this injection is among those that it states."""
        doses = self.facts.doses if self.facts else ()
        return self.injection == injection or any(dose.injection == injection for dose in doses)


@dataclass(frozen=True)
class Draft:
    """A prepared certificate with the records behind it."""

    certificate: Certificate
    recipient: Recipient
    injection: Injection
    completed: tuple[Injection, ...] = ()
    """Every completed injection of the same person."""


def series_up_to(injection: Injection, completed: Iterable[Injection]) -> tuple[Injection, ...]:
    """This injection and the earlier ones of its series, oldest first. Raises NotCompleted.

    See `Presentation.series`; doses of a seasonal vaccine count in one season only.
    """
    last = injection.given
    product, earlier = last.presentation, []
    since = product.season_start(last.given_on) if product.seasonal else date.min
    for other in completed:
        dose = other.given
        same = dose.presentation.series == product.series and since <= dose.given_on
        if same and other.code != injection.code and dose.given_at < last.given_at:
            earlier.append(other)
    return (*sorted(earlier, key=lambda other: other.given.given_at), injection)


def state_facts(
    code: str, recipient: Recipient, series: Sequence[Injection], context: Context, supersedes: str = ""
) -> CertificateFacts:
    """What a certificate of these injections states today, the last being the one applied for."""
    clinic, person = context.clinic, recipient.person
    return CertificateFacts(
        number=code,
        uvci=uvci(clinic.country, clinic.code, code),
        name=person.name,
        surname=person.passport_surname,
        given=person.passport_given,
        birth_date=person.birth_date,
        sex=person.sex,
        doses=state_doses(series),
        next_due_on=series[-1].given.next_due_on,
        clinic_ko=clinic.name_ko,
        clinic_en=clinic.name_en,
        country=clinic.country,
        issued_at=context.now,
        issued_on=clinic.today(context.now),
        issued_by=context.actor.name or clinic.name_ko,
        supersedes=supersedes,
    )


def state_doses(series: Sequence[Injection]) -> tuple[DoseFacts, ...]:
    """The doses of a series as a certificate states them."""
    return tuple(_dose_facts(injection) for injection in series)


def _dose_facts(injection: Injection) -> DoseFacts:
    dose = injection.given
    product = dose.presentation
    return DoseFacts(
        name_ko=product.name_ko,
        name_en=product.name_en,
        manufacturer=product.manufacturer,
        disease=product.disease,
        vaccine_code=product.vaccine_code,
        product_code=product.product_code,
        holder_code=product.holder_code,
        cvx=product.cvx,
        lot=dose.lot,
        dose_number=dose.dose_number,
        dose_total=dose.dose_total,
        given_on=dose.given_on,
        site=dose.site,
        route=dose.route,
        vaccinator=dose.vaccinator,
        injection=injection.code,
    )
