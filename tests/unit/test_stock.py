"""The stock ledger: counters are the sums of its entries, and never less than nothing."""

from __future__ import annotations

from datetime import date

import pytest

from domain import errors
from domain.actors import SYSTEM
from domain.booking import BookingStatus
from domain.stock import EntryKind, LedgerEntry, Lot, post
from domain.vaccine import (
    AddStock,
    QuarantineLot,
    RegisterVaccine,
    WriteOffExpired,
    WriteOffStock,
    parse_doses,
    parse_lot,
)

from .memory import MemoryUnitOfWork, local
from .small_clinic import MANAGER, ONE_DOSE, TWO_DOSES, SmallClinic

EXPIRY = date(2027, 12, 31)


@pytest.mark.parametrize(
    ("stock", "reserved", "refused"),
    [
        (-2, 0, True),
        (0, 2, True),
        (0, -2, True),
        (-2, -1, False),
        (-1, 0, False),
        (0, 1, False),
        (0, -1, False),
    ],
)
def test_reserved_stays_between_nothing_and_the_stock(
    clinic: SmallClinic, stock: int, reserved: int, refused: bool
) -> None:
    vaccine = clinic.vaccine(doses=2)
    clinic.book(vaccine)
    uow = MemoryUnitOfWork(clinic.records)
    before = uow.vaccines.get(vaccine)
    assert (before.stock, before.reserved, before.available) == (2, 1, 1)
    if refused:
        with pytest.raises(errors.InsufficientStock):
            post(uow, clinic.context(MANAGER), vaccine, EntryKind.CORRECTED, stock=stock, reserved=reserved)
        assert uow.vaccines.get(vaccine) == before
        assert len(uow.records.ledger) == len(clinic.records.ledger)
    else:
        after = post(
            uow, clinic.context(MANAGER), vaccine, EntryKind.CORRECTED, stock=stock, reserved=reserved
        )
        assert (after.stock, after.reserved) == (2 + stock, 1 + reserved)


def test_a_lot_never_has_less_than_nothing(clinic: SmallClinic) -> None:
    vaccine = clinic.vaccine(doses=2, lot="SMALL")
    clinic.stock(vaccine, 10, "LARGE")
    uow = MemoryUnitOfWork(clinic.records)
    with pytest.raises(errors.InsufficientStock) as refusal:
        post(uow, clinic.context(MANAGER), vaccine, EntryKind.GIVEN, stock=-3, lot="SMALL")
    assert refusal.value.facts == {"remaining": 2, "lot": "SMALL"}
    assert uow.records == clinic.records


def test_a_delivery_is_entered_with_lot_actor_and_time(clinic: SmallClinic) -> None:
    vaccine = clinic.vaccine()
    level = clinic.send(AddStock(vaccine, " ab 12 ", EXPIRY, 10), MANAGER)
    assert (level.stock, level.available) == (10, 10)
    assert clinic.records.lots[vaccine, "AB12"] == Lot(vaccine, "AB12", EXPIRY, remaining=10)
    assert clinic.records.ledger == [
        LedgerEntry(vaccine, EntryKind.RECEIVED, 10, 0, "AB12", "", "", MANAGER.code, clinic.clock.now())
    ]


def test_the_same_lot_may_arrive_again_with_the_same_expiry_only(clinic: SmallClinic) -> None:
    vaccine = clinic.vaccine(doses=3)
    clinic.stock(vaccine, 4, expires_on=EXPIRY)
    assert clinic.remaining(vaccine) == 7
    with pytest.raises(errors.LotMismatch):
        clinic.stock(vaccine, 4, expires_on=date(2028, 1, 1))
    assert clinic.remaining(vaccine) == 7


def test_a_lot_that_expires_today_may_still_arrive_and_yesterdays_may_not(clinic: SmallClinic) -> None:
    vaccine = clinic.vaccine()
    clinic.stock(vaccine, 1, "TODAY", date(2026, 3, 2))
    with pytest.raises(errors.DateInPast):
        clinic.stock(vaccine, 1, "YESTERDAY", date(2026, 3, 1))
    assert clinic.level(vaccine) == (1, 0)


def test_the_same_lot_number_of_another_vaccine_is_another_lot(clinic: SmallClinic) -> None:
    one, other = clinic.vaccine(TWO_DOSES, doses=3), clinic.vaccine(ONE_DOSE, doses=5)
    assert (clinic.remaining(one), clinic.remaining(other)) == (3, 5)


def test_doses_are_written_off_from_their_lot_for_a_reason(clinic: SmallClinic) -> None:
    vaccine = clinic.vaccine(doses=5)
    clinic.send(WriteOffStock(vaccine, "lot1", 2, "떨어뜨림"), MANAGER)
    assert clinic.level(vaccine) == (3, 0)
    assert clinic.remaining(vaccine) == 3
    entry = clinic.records.ledger[-1]
    assert (entry.kind, entry.stock_delta, entry.reason) == (EntryKind.WRITTEN_OFF, -2, "떨어뜨림")
    with pytest.raises(errors.Missing):
        clinic.send(WriteOffStock(vaccine, "LOT1", 1, " "), MANAGER)


def test_more_than_a_lot_has_cannot_be_written_off_though_another_lot_has_plenty(clinic: SmallClinic) -> None:
    vaccine = clinic.vaccine(doses=2)
    clinic.stock(vaccine, 50, "OTHER")
    with pytest.raises(errors.InsufficientStock):
        clinic.send(WriteOffStock(vaccine, "LOT1", 3, "broken"), MANAGER)
    assert clinic.level(vaccine) == (52, 0)


def test_a_quarantined_lot_leaves_the_stock_and_takes_nothing_in(clinic: SmallClinic) -> None:
    vaccine = clinic.vaccine(doses=5)
    clinic.stock(vaccine, 7, "GOOD")
    clinic.send(QuarantineLot(vaccine, "LOT1", "recall"), MANAGER)
    assert clinic.level(vaccine) == (7, 0)
    assert clinic.remaining(vaccine) == 0
    with pytest.raises(errors.LotInQuarantine):
        clinic.stock(vaccine, 1)
    with pytest.raises(errors.LotInQuarantine):
        clinic.send(QuarantineLot(vaccine, "LOT1", "again"), MANAGER)
    with pytest.raises(errors.InsufficientStock):
        clinic.send(WriteOffStock(vaccine, "LOT1", 1, "broken"), MANAGER)


def test_an_empty_lot_can_be_quarantined_too(clinic: SmallClinic) -> None:
    vaccine = clinic.vaccine(doses=1)
    clinic.send(WriteOffStock(vaccine, "LOT1", 1, "broken"), MANAGER)
    clinic.send(QuarantineLot(vaccine, "LOT1", "recall"), MANAGER)
    with pytest.raises(errors.LotInQuarantine):
        clinic.stock(vaccine, 1)


def test_a_lot_nobody_knows_is_refused_by_its_name(clinic: SmallClinic) -> None:
    vaccine = clinic.vaccine(doses=1)
    for command in (WriteOffStock(vaccine, "LOT2", 1, "broken"), QuarantineLot(vaccine, "LOT2", "recall")):
        with pytest.raises(errors.LotUnknown) as refusal:
            clinic.send(command, MANAGER)
        assert str(refusal.value) == "Lot LOT2 is not a lot of Twice."


def test_a_presentation_is_registered_once(clinic: SmallClinic) -> None:
    clinic.vaccine(TWO_DOSES)
    with pytest.raises(errors.VaccineExists):
        clinic.send(RegisterVaccine(TWO_DOSES), MANAGER)
    assert len(clinic.records.vaccines) == 1
    assert clinic.happened() == ["VaccineRegistered"]


@pytest.mark.parametrize(("typed", "doses"), [("1", 1), (" 12 ", 12), (100_000, 100_000)])
def test_doses_are_whole_numbers(typed: int | str, doses: int) -> None:
    assert parse_doses(typed) == doses


@pytest.mark.parametrize(
    "typed", ["", "0", "-1", "1.5", "+3", "100001", "1e3", "٣", "[/red]", "9" * 10_000, 0, -5]
)
def test_what_is_no_number_of_doses_is_refused(typed: int | str) -> None:
    with pytest.raises(errors.NotANumber) as refusal:
        parse_doses(typed)
    assert refusal.value.field == "doses"


def test_a_lot_number_is_at_most_twenty_characters_in_capitals() -> None:
    assert parse_lot(" fk 5127 ") == "FK5127"
    assert parse_lot("A" * 20) == "A" * 20
    for text, error in (("", errors.Missing), ("A" * 21, errors.TooLong), ("[/red]", errors.BadCharacters)):
        with pytest.raises(error):
            parse_lot(text)


def test_what_expired_leaves_the_stock_and_who_was_promised_it_waits_again(clinic: SmallClinic) -> None:
    vaccine = clinic.vaccine()
    clinic.stock(vaccine, 2, "EARLY", date(2026, 3, 3))
    clinic.stock(vaccine, 1, "LATE", date(2026, 3, 31))
    bookings = [clinic.book(vaccine, number, local("2026-03-03 09:00")) for number in (1, 2, 3)]
    clinic.clock.set_local("2026-03-03 23:59")
    assert clinic.send(WriteOffExpired(vaccine), SYSTEM) == 0
    clinic.clock.set_local("2026-03-04 00:00")
    assert clinic.send(WriteOffExpired(vaccine), SYSTEM) == 2
    assert clinic.level(vaccine) == (1, 1)
    assert clinic.records.ledger[-1].kind is EntryKind.WRITTEN_OFF
    statuses = [clinic.records.bookings[booking].status for booking in bookings]
    assert statuses == [BookingStatus.RESERVED, BookingStatus.WAITING, BookingStatus.WAITING]
    assert clinic.send(WriteOffExpired(vaccine), SYSTEM) == 0  # another kiosk was first
