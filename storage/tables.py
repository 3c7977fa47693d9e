"""The tables of the records. A table's columns carry the names of its aggregate's fields.

The CHECK constraints and partial unique indexes hold the rules of the clinic even if the code
were wrong.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    false,
    text,
)

from domain.actors import Role
from domain.application import LIVE_APPLICATION, ApplicationStatus
from domain.booking import LIVE_BOOKING, BookingStatus
from domain.injection import LIVE_VISIT, AdverseEvent, Dose, InjectionStatus, Screening
from domain.parts import LIVE_TASK, Part, TaskKind, TaskStatus
from domain.presentation import Presentation
from domain.recipient import PersonDetails
from domain.statement import LIVE_CERTIFICATE, CertificateFacts, CertificateStatus, Credential
from domain.stock import EntryKind, LotStatus
from storage.types import Instant, Json, Word

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _code(name: str = "code", refers_to: str | None = None) -> Column[str]:
    if refers_to:
        return Column(name, String(9), ForeignKey(f"{refers_to}.code"), nullable=False)
    return Column(name, String(9), unique=True, nullable=False)


def _only(statuses: Iterable[StrEnum]) -> dict[str, Any]:
    """Makes an index one of the rows in these states."""
    rows = text("status IN ({})".format(", ".join(f"'{status}'" for status in statuses)))
    return {"sqlite_where": rows, "postgresql_where": rows}


Place = BigInteger().with_variant(Integer, "sqlite")
"""A place in an order. PostgreSQL spends a number on every upsert: 32 bits would last it for months."""


def _seq() -> Column[int]:
    """The order in which rows came to be; rows are never deleted, so it is never used twice."""
    return Column("seq", Place, primary_key=True)


recipient = Table(
    "recipient",
    metadata,
    _seq(),
    _code(),
    Column("identity", String(64), nullable=False, unique=True),
    Column("person", Json(PersonDetails), nullable=False),
    Column("name", String(80), nullable=False),
)

vaccine = Table(
    "vaccine",
    metadata,
    _seq(),
    _code(),
    Column("presentation", Json(Presentation), nullable=False),
    Column("stock", Integer, nullable=False),
    Column("reserved", Integer, nullable=False),
    Column("presentation_key", String(80), nullable=False, unique=True),
    CheckConstraint("0 <= reserved AND reserved <= stock", name="reserved_within_stock"),
)

lot = Table(
    "lot",
    metadata,
    Column("vaccine", String(9), ForeignKey("vaccine.code"), primary_key=True),
    Column("number", String(20), primary_key=True),
    Column("expires_on", Date, nullable=False),
    Column("remaining", Integer, nullable=False),
    Column("status", Word(LotStatus), nullable=False),
    CheckConstraint("remaining >= 0", name="remaining_not_negative"),
)

_GIVEN = text("kind IN ('given')")

ledger = Table(
    "ledger",
    metadata,
    _seq(),
    _code("vaccine", "vaccine"),
    Column("kind", Word(EntryKind), nullable=False),
    Column("stock_delta", Integer, nullable=False),
    Column("reserved_delta", Integer, nullable=False),
    Column("lot", String(20), nullable=False),
    Column("reference", String(9), nullable=False),
    Column("reason", String(200), nullable=False),
    Column("actor", String(40), nullable=False),
    Column("at", Instant, nullable=False),
    Index("ix_ledger_vaccine_seq", "vaccine", "seq"),
    Index("ix_ledger_given", "at", sqlite_where=_GIVEN, postgresql_where=_GIVEN),
)

booking = Table(
    "booking",
    metadata,
    _seq(),
    _code(),
    _code("recipient", "recipient"),
    _code("vaccine", "vaccine"),
    Column("slot", Instant, nullable=False),
    Column("status", Word(BookingStatus), nullable=False),
    Column("booked_at", Instant, nullable=False),
    Index("uq_booking_live", "recipient", "vaccine", unique=True, **_only(LIVE_BOOKING)),
    Index("ix_booking_queue", "vaccine", "status", "seq"),
    Index("ix_booking_slot", "slot", "status"),
)

_CAME = text("checked_in_at IS NOT NULL")

injection = Table(
    "injection",
    metadata,
    _seq(),
    _code(),
    _code("booking", "booking"),
    _code("recipient", "recipient"),
    _code("vaccine", "vaccine"),
    Column("slot", Instant, nullable=False),
    Column("status", Word(InjectionStatus), nullable=False),
    Column("checked_in_at", Instant),
    Column("screening", Json(Screening)),
    Column("dose", Json(Dose)),
    Column("observation_finished_at", Instant),
    Column("adverse_events", Json(tuple[AdverseEvent, ...]), nullable=False),
    Column("version", Integer, nullable=False),
    # The version before knows nothing of it when it adds a visit.
    Column("screenings", Json(tuple[Screening, ...]), nullable=False, server_default="[]"),
    Column("lot", String(20), nullable=False),
    Index("uq_injection_live", "booking", unique=True, **_only(LIVE_VISIT)),
    Index("ix_injection_slot", "slot"),
    Index("ix_injection_came", "checked_in_at", sqlite_where=_CAME, postgresql_where=_CAME),
    Index("ix_injection_recipient", "recipient"),
    Index("ix_injection_lot", "vaccine", "lot"),
    CheckConstraint("status <> 'completed' OR dose IS NOT NULL", name="completed_has_dose"),
)

application = Table(
    "application",
    metadata,
    _seq(),
    _code(),
    _code("injection", "injection"),
    _code("recipient", "recipient"),
    Column("status", Word(ApplicationStatus), nullable=False),
    Column("applied_at", Instant, nullable=False),
    Index("uq_application_live", "injection", unique=True, **_only(LIVE_APPLICATION)),
    Index("ix_application_recipient", "recipient"),
)

certificate = Table(
    "certificate",
    metadata,
    _seq(),
    _code(),
    _code("application", "application"),
    _code("injection", "injection"),
    _code("recipient", "recipient"),
    Column("status", Word(CertificateStatus), nullable=False),
    Column("injection_version", Integer, nullable=False),
    Column("facts", Json(CertificateFacts)),
    Column("credential", Json(Credential)),
    Column("reason", String(200), nullable=False),
    Column("prints", Integer, nullable=False),
    Index("uq_certificate_live", "application", unique=True, **_only(LIVE_CERTIFICATE)),
    Index("ix_certificate_status", "status", "seq"),
    CheckConstraint("status <> 'issued' OR credential IS NOT NULL", name="issued_is_signed"),
)

staff = Table(
    "staff",
    metadata,
    _seq(),
    _code(),
    Column("name", String(80), nullable=False, unique=True),
    Column("roles", Json(frozenset[Role]), nullable=False),
    Column("pin_hash", String(200), nullable=False),
)

task = Table(
    "task",
    metadata,
    _seq(),
    _code(),
    Column("part", Word(Part), nullable=False),
    Column("kind", Word(TaskKind), nullable=False),
    Column("subject", String(9), nullable=False),
    Column("event", Place, nullable=False),
    Column("actor", String(40), nullable=False),
    Column("actor_name", String(80), nullable=False),
    Column("status", Word(TaskStatus), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("problem", String(200), nullable=False),
    Column("at", Instant, nullable=False),
    Index("ix_task_live", "part", "seq", **_only(LIVE_TASK)),
)

part = Table(
    "part",
    metadata,
    Column("name", Word(Part), primary_key=True),
    Column("paused", Boolean, nullable=False, server_default=false()),
)

event = Table(
    "event",
    metadata,
    _seq(),
    # Made of the command's id, whose own uniqueness makes it unique.
    Column("id", String(80), nullable=False),
    Column("name", String(40), nullable=False),
    Column("payload", Text, nullable=False),
    Column("at", Instant, nullable=False),
)

command = Table(
    "command",
    metadata,
    Column("id", String(80), primary_key=True),
    Column("name", String(40), nullable=False),
    Column("result", Text, nullable=False),
    Column("at", Instant, nullable=False),
    sqlite_with_rowid=False,
)

position = Table(
    "position",
    metadata,
    Column("listener", String(40), primary_key=True),
    Column("seq", Place, nullable=False),
)

layout = Table(
    "layout",
    metadata,
    # The oldest layout whose programs can work with these records: an expanding migration leaves it.
    Column("oldest", String(8), primary_key=True),
)

secret = Table(
    "secret",
    metadata,
    Column("name", String(40), primary_key=True),
    Column("value", String(200), nullable=False),
)
