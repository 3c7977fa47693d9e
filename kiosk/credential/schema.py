"""The shape a signed statement must have, and what it says, for both forms."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct, field

Text80 = Annotated[str, Meta(max_length=80)]
Latin = Annotated[str, Meta(pattern="^[A-Z<]*$", max_length=80)]
Code = Annotated[str, Meta(min_length=1, max_length=80)]
Count = Annotated[int, Meta(ge=1)]
Day = Annotated[str, Meta(pattern=r"^\d{4}-\d{2}-\d{2}$")]


class Names(Struct, frozen=True):
    """``nam`` of a DCC."""

    fnt: Latin
    fn: Text80 = ""
    gnt: Latin = ""
    gn: Text80 = ""


class Entry(Struct, frozen=True):
    """One vaccination of a DCC."""

    tg: Code
    vp: Code
    mp: Code
    ma: Code
    dn: Count
    sd: Count
    dt: Day
    co: Annotated[str, Meta(pattern="^[A-Z]{1,10}$")]
    issuer: Text80 = field(name="is")
    ci: Code


class Dcc(Struct, frozen=True):
    """An EU digital COVID certificate about a vaccination, schema 1.3.0."""

    ver: Annotated[str, Meta(pattern=r"^1\.\d+\.\d+$")]
    nam: Names
    dob: Annotated[str, Meta(pattern=r"^((19|20)\d\d(-\d\d){0,2})?$")]
    v: Annotated[list[Entry], Meta(min_length=1, max_length=1)]


class BundleEntry(Struct, frozen=True):
    """One resource of a bundle."""

    fullUrl: str
    resource: dict[str, Any]


class Bundle(Struct, frozen=True):
    """A FHIR bundle."""

    resourceType: str
    entry: Annotated[list[BundleEntry], Meta(min_length=1)]


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


def read_dcc(value: object) -> Dcc:
    """The DCC in decoded claims. Raises msgspec.ValidationError."""
    return msgspec.convert(value, Dcc)


def read_card(content: bytes) -> CardClaims:
    """The claims in a card's JSON. Raises msgspec.DecodeError."""
    claims = msgspec.json.decode(content, type=CardClaims)
    kinds = {entry.resource.get("resourceType") for entry in claims.vc.credentialSubject.fhirBundle.entry}
    if not {"Patient", "Immunization"} <= kinds:
        raise msgspec.ValidationError("a patient and an immunization are expected")
    return claims
