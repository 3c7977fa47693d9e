"""The one that reads: each query of the domain, answered from committed state."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, TypeVar, cast

from sqlalchemy import Select, and_, bindparam, case, func, or_, select, union_all
from sqlalchemy.ext.asyncio import AsyncEngine

from domain import booking as b
from domain import certificate as c
from domain import mypage as m
from domain import staff as s
from domain import vaccine as v
from domain import visit as desk
from domain.actors import CERTIFICATE_OFFICER, RECIPIENT, STAFF_ROLES, Actor
from domain.application import LIVE_APPLICATION
from domain.booking import CAME, Booking, BookingStatus
from domain.clinic import Clinic
from domain.codes import parse_code
from domain.errors import NotACode, NotFound, NotIdentified
from domain.injection import Injection, InjectionStatus
from domain.messages import Query
from domain.presentation import Presentation
from domain.recipient import Recipient, masked, parse_text
from domain.staff import StaffMember
from domain.statement import LIVE_CERTIFICATE, Certificate, CertificateStatus, Draft
from domain.stock import EntryKind, LedgerEntry, Lot, Vaccine
from storage import tables as t
from storage.engine import rows_of
from storage.part_states import PartStates
from storage.revocations import Revocations
from storage.spelling import may_be_called
from storage.statements import columns_of, one_of

R = TypeVar("R")
_MOST_COMPARED = 1000
"""Visits that are compared with a name one by one, the latest: that takes the kiosk some 30 ms."""


_PERSON = select(t.recipient.c.code, t.recipient.c.name)
# Built once: everybody who looks something up asks one of these. No certificates: strangers see their codes.
_BY_DIGEST = _PERSON.where(t.recipient.c.identity == bindparam("identity"))
_BY_CODE = _PERSON.where(
    t.recipient.c.code.in_(
        union_all(
            *(
                select(table.c.recipient).where(table.c.code == bindparam("code"))
                for table in (t.booking, t.injection, t.application)
            )
        )
    )
)


class SqlReader:
    """See `domain.ports.Reader`. One method a query, found by the query's type."""

    def __init__(
        self,
        engine: AsyncEngine,
        clinic: Clinic,
        formulary: tuple[Presentation, ...],
        page_of: Callable[[str], Awaitable[m.MyPage]],
        my_page_position: Callable[[], Awaitable[int]],
    ) -> None:
        self._engine = engine
        self._clinic = clinic
        self._formulary = formulary
        self._page_of = page_of
        self._answers: dict[type[Query[Any]], Callable[..., Awaitable[Any]]] = {
            v.ListVaccines: self._vaccines,
            v.ListPresentations: self._presentations,
            v.ListLots: self._lots,
            v.ListLedger: self._ledger,
            v.ListLotDays: self._lot_days,
            b.ListDays: self._days,
            b.ListSlots: self._slots,
            b.GetBooking: self._booking,
            desk.ListVisits: self._visits,
            desk.FindVisits: self._find_visits,
            desk.ListGiven: self._given,
            desk.GetVisit: self._visit,
            desk.ListVisitsOf: self._visits_of,
            c.ListCertificates: self._certificates,
            c.GetCertificate: self._certificate,
            c.ListReplacements: self._replacements,
            c.DraftCertificate: self._draft,
            **Revocations(self._all).answers,
            **PartStates(self._all, my_page_position).answers,
            m.IdentifyByCode: self._identify_by_code,
            m.IdentifyByDigest: self._identify_by_digest,
            m.GetMyPage: self._my_page,
            m.ListCertifiable: self._certifiable,
            s.ListStaff: self._staff,
        }

    async def answer(self, query: Query[R], actor: Actor, now: datetime) -> R:
        """See `domain.ports.Reader.answer`."""
        return cast(R, await self._answers[type(query)](query, actor, now))

    async def _all(self, statement: Select[Any]) -> list[Any]:
        return list(await rows_of(self._engine, statement))

    async def _one(self, statement: Select[Any], what: str) -> Any:
        rows = await self._all(statement.limit(1))
        if not rows:
            raise NotFound(what=what)
        return rows[0]

    # -- vaccine ----------------------------------------------------------------------------------

    async def _vaccines(self, _q: v.ListVaccines, _a: Actor, _n: datetime) -> list[v.VaccineLevel]:
        columns = columns_of(t.vaccine, Vaccine)
        waiting = (
            select(func.count())
            .where(
                t.booking.c.vaccine == t.vaccine.c.code,
                t.booking.c.status == BookingStatus.WAITING,
            )
            .scalar_subquery()
        )
        rows = await self._all(select(*columns, waiting).order_by(t.vaccine.c.seq))
        return [v.VaccineLevel(Vaccine(*row[:-1]), row[-1]) for row in rows]

    async def _presentations(self, _q: v.ListPresentations, _a: Actor, _n: datetime) -> list[Presentation]:
        return list(self._formulary)

    async def _lots(self, query: v.ListLots, _a: Actor, _n: datetime) -> list[Lot]:
        statement = select(*columns_of(t.lot, Lot)).where(t.lot.c.vaccine == query.vaccine)
        return [Lot(*row) for row in await self._all(statement.order_by(t.lot.c.expires_on, t.lot.c.number))]

    async def _ledger(self, query: v.ListLedger, _a: Actor, _n: datetime) -> list[v.LedgerLine]:
        statement = (
            select(t.ledger.c.seq, *columns_of(t.ledger, LedgerEntry), func.coalesce(t.staff.c.name, ""))
            .outerjoin(t.staff, t.staff.c.code == t.ledger.c.actor)
            .where(t.ledger.c.vaccine == query.vaccine)
            .order_by(t.ledger.c.seq.desc())
            .limit(query.limit)
            .offset(query.offset)
        )
        return [v.LedgerLine(seq, LedgerEntry(*row), name) for seq, *row, name in await self._all(statement)]

    async def _lot_days(self, query: v.ListLotDays, _a: Actor, _n: datetime) -> list[v.LotDay]:
        entry = t.ledger.c
        start = self._clinic.start_of(query.day)
        end = self._clinic.start_of(query.day + timedelta(days=1))
        # No index leads to a day's entries, but one to doses: what is sought lies behind one of a day before,
        # by however much the kiosks' clocks differ.
        last_before = (
            select(entry.seq)
            .where(one_of(entry.kind, (EntryKind.GIVEN,)), entry.at < start - timedelta(days=1))
            .order_by(entry.at.desc())
            .limit(1)
            .scalar_subquery()
        )
        is_later = case((entry.at >= end, 1), else_=0).label("is_later")
        entries = (
            select(entry.vaccine, entry.lot, entry.kind, is_later, entry.stock_delta)
            .where(entry.seq > func.coalesce(last_before, 0), entry.at >= start, entry.stock_delta != 0)
            .subquery()
        )
        *of_a_kind, delta = entries.c
        moves = select(*of_a_kind, func.sum(delta).label("doses")).group_by(*of_a_kind).subquery()
        lot = t.lot.c
        statement = (  # one for both, so that they are of the same moment
            select(*columns_of(t.lot, Lot), t.vaccine.c.presentation, *moves.c[2:])
            .join(t.vaccine, t.vaccine.c.code == lot.vaccine)
            .outerjoin(moves, and_(moves.c.vaccine == lot.vaccine, moves.c.lot == lot.number))
            .order_by(t.vaccine.c.seq, lot.expires_on, lot.number)
        )
        days: dict[Lot, v.LotDay] = {}
        for *row, presentation, kind, came_later, doses in await self._all(statement):
            of = Lot(*row)
            day = days.get(of) or v.LotDay(presentation, of, of.remaining, {})
            if kind and came_later:
                day = replace(day, closing=day.closing - int(doses))
            elif kind:
                day = replace(day, moved={**day.moved, kind: int(doses)})
            days[of] = day
        return [day for day in days.values() if day.closing or day.moved]

    # -- booking ----------------------------------------------------------------------------------

    async def _people(self, since: datetime, until: datetime) -> dict[datetime, int]:
        """How many people each slot between these instants holds."""
        slot = t.booking.c.slot
        statement = (
            select(slot, func.count())
            .where(slot >= since, slot < until, one_of(t.booking.c.status, CAME))
            .group_by(slot)
        )
        return {row[0]: row[1] for row in await self._all(statement)}

    async def _days(self, _q: b.ListDays, _a: Actor, now: datetime) -> list[b.Day]:
        clinic, capacity = self._clinic, self._clinic.schedule.capacity
        days = clinic.bookable_days(now)
        if not days:
            return []
        people = await self._people(now, clinic.start_of(days[-1] + timedelta(days=1)))
        free = {
            day: sum(max(0, capacity - people.get(slot, 0)) for slot in clinic.slots_on(day) if slot > now)
            for day in days
        }
        return [b.Day(day, room) for day, room in free.items()]

    async def _slots(self, query: b.ListSlots, _a: Actor, now: datetime) -> list[b.SlotLevel]:
        clinic = self._clinic
        people = await self._people(
            clinic.start_of(query.day), clinic.start_of(query.day + timedelta(days=1))
        )
        return [
            b.SlotLevel(slot, max(0, clinic.schedule.capacity - people.get(slot, 0)))
            for slot in clinic.slots_on(query.day)
            if slot > now
        ]

    async def _booking(self, query: b.GetBooking, actor: Actor, _n: datetime) -> b.BookingDetail:
        code = parse_code(query.booking)
        before = t.booking.alias()
        ahead = (
            select(func.count())
            .where(
                before.c.vaccine == t.booking.c.vaccine,
                before.c.status == BookingStatus.WAITING,
                before.c.seq < t.booking.c.seq,
            )
            .scalar_subquery()
        )
        columns = columns_of(t.booking, Booking)
        row = await self._one(
            select(*columns, t.vaccine.c.presentation, t.recipient.c.name, ahead)
            .join(t.vaccine, t.vaccine.c.code == t.booking.c.vaccine)
            .join(t.recipient, t.recipient.c.code == t.booking.c.recipient)
            .where(t.booking.c.code == code),
            code,
        )
        booking = Booking(*row[:-3])
        actor.must_own(booking.recipient, unless=STAFF_ROLES)
        waits = booking.status is BookingStatus.WAITING
        return b.BookingDetail(booking, row[-3], masked(row[-2]), row[-1] if waits else 0)

    # -- injection --------------------------------------------------------------------------------

    def _visit_rows(self) -> Select[Any]:
        return (
            select(
                *columns_of(t.injection, Injection),
                t.recipient.c.person,
                t.vaccine.c.presentation,
                t.booking.c.status,
            )
            .join(t.recipient, t.recipient.c.code == t.injection.c.recipient)
            .join(t.vaccine, t.vaccine.c.code == t.injection.c.vaccine)
            .join(t.booking, t.booking.c.code == t.injection.c.booking)
        )

    @staticmethod
    def _to_visit(row: Any) -> desk.Visit:
        return desk.Visit(Injection(*row[:-3]), row[-3], row[-2], row[-1])

    async def _visits(self, query: desk.ListVisits, _a: Actor, _n: datetime) -> list[desk.Visit]:
        n = t.injection.c
        start = self._clinic.start_of(query.day)
        end = self._clinic.start_of(query.day + timedelta(days=1))
        # A dose that was put off may be given on another day than the one of the check-in.
        entry = t.ledger.c
        given = select(entry.reference).where(
            one_of(entry.kind, (EntryKind.GIVEN,)), entry.at >= start, entry.at < end
        )
        of_this_day = or_(
            and_(n.slot >= start, n.slot < end),
            and_(n.checked_in_at >= start, n.checked_in_at < end),
            n.code.in_(given),
        )
        under_way = case(
            (n.status == InjectionStatus.CHECKED_IN, 0), (n.status == InjectionStatus.EXPECTED, 1), else_=2
        )
        statement = (
            self._visit_rows()
            .where(of_this_day, n.status != InjectionStatus.WITHDRAWN)
            .order_by(under_way, n.slot, n.seq)
            .limit(query.limit)
        )
        return [self._to_visit(row) for row in await self._all(statement)]

    async def _find_visits(self, query: desk.FindVisits, _a: Actor, _n: datetime) -> list[desk.Visit]:
        text, code = parse_text(query.text, "text"), ""
        condition = may_be_called(text)
        with suppress(NotACode):
            code = parse_code(text)
            by_code = or_(t.injection.c.code == code, t.injection.c.booking == code)
            # No name holds a figure, and without the names a code is found by its index.
            condition = by_code if any(c.isdigit() for c in code) else or_(by_code, condition)
        statement = self._visit_rows().where(condition).order_by(t.injection.c.seq.desc())
        visits = [self._to_visit(row) for row in await self._all(statement.limit(_MOST_COMPARED))]
        return [
            visit
            for visit in visits
            if code in (visit.injection.code, visit.injection.booking) or visit.person.is_called(text)
        ][: query.limit]

    async def _given(self, query: desk.ListGiven, _a: Actor, _n: datetime) -> list[desk.Given]:
        n = t.injection.c
        statement = (
            select(n.code, t.recipient.c.person, n.dose, n.status, n.adverse_events)
            .join(t.recipient, t.recipient.c.code == n.recipient)
            .where(n.vaccine == query.vaccine, n.lot == query.lot)
            .order_by(n.seq.desc())
            .limit(query.limit)
            .offset(query.offset)
        )
        return [desk.Given(*row) for row in await self._all(statement)]

    async def _visit(self, query: desk.GetVisit, _a: Actor, _n: datetime) -> desk.Visit:
        statement = self._visit_rows().where(t.injection.c.code == query.injection)
        return self._to_visit(await self._one(statement, query.injection))

    async def _visits_of(self, query: desk.ListVisitsOf, _a: Actor, _n: datetime) -> list[desk.Visit]:
        of_person = self._visit_rows().where(t.injection.c.recipient == query.recipient)
        return [self._to_visit(row) for row in await self._all(of_person.order_by(t.injection.c.seq))]

    # -- certificate ------------------------------------------------------------------------------

    async def _certificates(
        self, query: c.ListCertificates, _a: Actor, _n: datetime
    ) -> list[c.CertificateDetail]:
        order = t.certificate.c.seq if query.status is CertificateStatus.READY else t.certificate.c.seq.desc()
        statement = (
            select(
                *columns_of(t.certificate, Certificate),
                t.recipient.c.person,
                t.injection.c.dose,
                t.application.c.applied_at,
            )
            .join(t.recipient, t.recipient.c.code == t.certificate.c.recipient)
            .join(t.injection, t.injection.c.code == t.certificate.c.injection)
            .join(t.application, t.application.c.code == t.certificate.c.application)
            .where(t.certificate.c.status == query.status)
            .order_by(order)
            .limit(query.limit)
        )
        return [
            c.CertificateDetail(
                Certificate(*row), person.name, person.birth_date, dose.presentation.title,
                applied_at, dose.given_on,
            )
            for *row, person, dose, applied_at in await self._all(statement)
        ]  # fmt: skip

    async def _certificate(self, query: c.GetCertificate, actor: Actor, _n: datetime) -> Certificate:
        columns = columns_of(t.certificate, Certificate)
        statement = select(*columns).where(t.certificate.c.code == query.certificate)
        certificate = Certificate(*await self._one(statement, query.certificate))
        actor.must_own(certificate.recipient, unless=CERTIFICATE_OFFICER)
        return certificate

    async def _replacements(self, query: c.ListReplacements, _a: Actor, _n: datetime) -> list[c.Replacement]:
        holder = select(t.injection.c.recipient).where(t.injection.c.code == query.injection)
        statement = (
            select(*columns_of(t.certificate, Certificate))
            .where(t.certificate.c.recipient == holder.scalar_subquery(), t.certificate.c.facts.is_not(None))
            .order_by(t.certificate.c.seq)
        )
        issued = [Certificate(*row) for row in await self._all(statement)]
        after = {one.facts.supersedes: one for one in issued if one.facts}
        valid = [one for one in issued if one.status is CertificateStatus.ISSUED]
        is_stated = any(one.states(query.injection) for one in valid)
        found = []
        for one in issued:
            if one.status is CertificateStatus.REVOKED and one.states(query.injection):
                follower = after.get(one.code)
                if follower in valid:
                    found.append(c.Replacement(one.code, follower.code))
                elif follower is None and not is_stated:
                    found.append(c.Replacement(one.code, ""))
        return found

    async def _draft(self, query: c.DraftCertificate, actor: Actor, now: datetime) -> Draft:
        certificate = columns_of(t.certificate, Certificate)
        recipient = columns_of(t.recipient, Recipient)
        row = await self._one(
            select(*certificate, *recipient, *columns_of(t.injection, Injection))
            .join(t.recipient, t.recipient.c.code == t.certificate.c.recipient)
            .join(t.injection, t.injection.c.code == t.certificate.c.injection)
            .where(t.certificate.c.code == query.certificate),
            query.certificate,
        )
        first, second = len(certificate), len(certificate) + len(recipient)
        injection = Injection(*row[second:])
        visits = await self._visits_of(desk.ListVisitsOf(injection.recipient), actor, now)
        all_of_them = [visit.injection for visit in visits]
        completed = tuple(one for one in all_of_them if one.status is InjectionStatus.COMPLETED)
        return Draft(Certificate(*row[:first]), Recipient(*row[first:second]), injection, completed)

    # -- my page ----------------------------------------------------------------------------------

    async def _identify_by_code(self, query: m.IdentifyByCode, _a: Actor, _n: datetime) -> Actor:
        return await self._recipient_actor(_BY_CODE, code=query.code)

    async def _identify_by_digest(self, query: m.IdentifyByDigest, _a: Actor, _n: datetime) -> Actor:
        return await self._recipient_actor(_BY_DIGEST, identity=query.identity)

    async def _recipient_actor(self, statement: Select[Any], **values: str) -> Actor:
        rows = await rows_of(self._engine, statement, values)
        if not rows:
            raise NotIdentified
        return Actor(rows[0][0], RECIPIENT, masked(rows[0][1]))

    async def _my_page(self, _q: m.GetMyPage, actor: Actor, _n: datetime) -> m.MyPage:
        return await self._page_of(actor.code)

    async def _certifiable(self, _q: m.ListCertifiable, actor: Actor, _n: datetime) -> list[m.Certifiable]:
        a, n, p = t.application.c, t.injection.c, t.certificate.c
        statement = (
            select(n.code, n.dose, a.code, a.status, p.code, p.status)
            .select_from(t.injection)
            .outerjoin(t.application, and_(a.injection == n.code, one_of(a.status, LIVE_APPLICATION)))
            .outerjoin(t.certificate, and_(p.application == a.code, one_of(p.status, LIVE_CERTIFICATE)))
            .where(n.recipient == actor.code, n.status == InjectionStatus.COMPLETED)
            .order_by(n.seq.desc())
        )
        return [
            m.Certifiable(
                code, dose.presentation.title, dose.given_on, dose.dose_number, dose.dose_total,
                application or "", status or "", certificate or "", certificate_status or "",
            )
            for code, dose, application, status, certificate, certificate_status in await self._all(statement)
        ]  # fmt: skip

    async def _staff(self, _q: s.ListStaff, _a: Actor, _n: datetime) -> list[StaffMember]:
        statement = select(*columns_of(t.staff, StaffMember)).order_by(t.staff.c.seq)
        return [StaffMember(*row) for row in await self._all(statement)]
