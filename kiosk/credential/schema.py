"""The shape a signed statement must have, and what it says, for both forms."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct, field

from kiosk.credential.fence import Malformed, fenced

Text80 = Annotated[str, Meta(max_length=80)]
Latin = Annotated[str, Meta(pattern="^[A-Z<]*$", max_length=80)]
Code = Annotated[str, Meta(min_length=1, max_length=80)]
Count = Annotated[int, Meta(ge=1, le=99)]
Country = Annotated[str, Meta(pattern="^[A-Z]{1,10}$")]
Day = Annotated[str, Meta(pattern=r"^\d{4}-\d{2}-\d{2}(T[0-9:.+Z-]{1,30})?$")]
"""Some issuers write a time behind it; only the day counts."""
Moment = Annotated[str, Meta(pattern=r"^\d{4}-\d{2}-\d{2}T[0-9:.+Z-]{1,30}$")]


class Names(Struct, frozen=True):
    """``nam`` of a DCC."""

    fnt: Latin
    fn: Text80 = ""
    gnt: Latin = ""
    gn: Text80 = ""


class Vaccination(Struct, frozen=True):
    """One dose."""

    tg: Code
    vp: Code
    mp: Code
    ma: Code
    dn: Count
    sd: Count
    dt: Day
    co: Country
    issuer: Text80 = field(name="is")
    ci: Code


class Test(Struct, frozen=True):
    """One test and its result."""

    tg: Code
    tt: Code
    sc: Moment
    tr: Code
    co: Country
    issuer: Text80 = field(name="is")
    ci: Code
    tc: Text80 = ""
    nm: Text80 = ""
    ma: Text80 = ""


class Recovery(Struct, frozen=True):
    """A past infection."""

    tg: Code
    fr: Day
    co: Country
    issuer: Text80 = field(name="is")
    df: Day
    du: Day
    ci: Code


Entry = Vaccination | Test | Recovery


class Dcc(Struct, frozen=True):
    """An EU digital COVID certificate, schema 1.3.0: about exactly one of the three."""

    ver: Annotated[str, Meta(pattern=r"^\d{1,3}\.\d{1,3}\.\d{1,3}$")]
    nam: Names
    dob: Annotated[str, Meta(pattern=r"^((19|20)\d\d(-\d\d){0,2}(T[0-9:.]{1,15})?)?$")]
    v: Annotated[list[Vaccination], Meta(max_length=1)] | None = None
    t: Annotated[list[Test], Meta(max_length=1)] | None = None
    r: Annotated[list[Recovery], Meta(max_length=1)] | None = None

    @property
    def entry(self) -> Entry:
        """What it is about."""
        return self.entries[0]

    @property
    def entries(self) -> list[Entry]:
        """Everything it states; one when it is well made."""
        return [*(self.v or ()), *(self.t or ()), *(self.r or ())]


class BundleEntry(Struct, frozen=True):
    """One resource of a bundle."""

    fullUrl: str
    resource: dict[str, Any]


class Bundle(Struct, frozen=True):
    """A FHIR bundle."""

    resourceType: str
    entry: Annotated[list[BundleEntry], Meta(min_length=1, max_length=200)]


class Subject(Struct, frozen=True):
    """What a SMART Health Card is about."""

    fhirVersion: str
    fhirBundle: Bundle


class Card(Struct, frozen=True):
    """``vc`` of a SMART Health Card."""

    type: list[str]
    credentialSubject: Subject
    rid: str = ""


class CardClaims(Struct, frozen=True):
    """The claims of a SMART Health Card."""

    iss: str
    nbf: float
    vc: Card
    exp: float | None = None

    def resources(self, kind: str) -> list[dict[str, Any]]:
        """The resources of this type, in their order."""
        found = (entry.resource for entry in self.vc.credentialSubject.fhirBundle.entry)
        return [resource for resource in found if resource.get("resourceType") == kind]


def read_dcc(value: object) -> Dcc:
    """The DCC in decoded claims. Raises Malformed."""
    dcc = fenced(msgspec.convert, value, Dcc)
    if len(dcc.entries) != 1:
        raise Malformed("about exactly one vaccination, test or recovery")
    for day in _days(dcc.entry):
        fenced(date.fromisoformat, day[:10])  # the 31st of June matches the pattern too
    return dcc


def _days(entry: Entry) -> list[str]:
    match entry:
        case Vaccination():
            return [entry.dt]
        case Test():
            return [entry.sc]
        case Recovery():
            return [entry.fr, entry.df, entry.du]


def read_card(content: bytes) -> CardClaims:
    """The claims in a card's JSON. Raises Malformed."""
    claims = fenced(msgspec.json.decode, content, type=CardClaims)
    if len(claims.resources("Patient")) != 1:
        raise Malformed("about exactly one person")
    return claims
