"""The injection desk: every check before the needle, each with its refusal and its boundary."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from domain import errors
from domain.actors import Actor
from domain.booking import BookingStatus, CancelBooking
from domain.correction import VoidInjection
from domain.injection import Concern, Injection, InjectionStatus, Screening, Severity
from domain.presentation import Presentation, Route, Site
from domain.stock import EntryKind
from domain.vaccine import QuarantineLot
from domain.visit import CheckIn, CompleteInjection, ReportAdverseEvent, Screen

from .memory import local
from .small_clinic import (
    COLLEAGUE,
    FIRST_SLOT,
    FLU,
    MANAGER,
    ONE_DOSE,
    TWO_DOSES,
    VACCINATOR,
    SmallClinic,
    person,
)


def refused(
    clinic: SmallClinic, error: type[errors.ClinicError], injection: str, lot: str = "LOT1"
) -> errors.ClinicError:
    """The needle is refused, and nothing at all has changed."""
    before = clinic.records
    with pytest.raises(error) as refusal:
        clinic.give(injection, lot)
    assert clinic.records is before
    return refusal.value


# -- at the door ------------------------------------------------------------------------------------


def test_who_booked_is_expected_at_the_desk(clinic: SmallClinic) -> None:
    visit = clinic.expect(clinic.vaccine(doses=1))
    assert (visit.status, visit.slot) == (InjectionStatus.EXPECTED, FIRST_SLOT)


def test_who_arrives_is_checked_in_once(clinic: SmallClinic) -> None:
    visit = clinic.expect(clinic.vaccine(doses=1))
    clinic.send(CheckIn(visit.code), VACCINATOR)
    arrived = clinic.records.injections[visit.code]
    assert (arrived.status, arrived.checked_in_at) == (InjectionStatus.CHECKED_IN, clinic.clock.now())
    with pytest.raises(errors.NotExpected):
        clinic.send(CheckIn(visit.code), VACCINATOR)


def test_who_cancelled_a_moment_ago_is_not_checked_in_though_the_desk_does_not_know_yet(
    clinic: SmallClinic,
) -> None:
    visit = clinic.expect(clinic.vaccine(doses=1))
    clinic.send(CancelBooking(visit.booking), clinic.owner(visit.booking))
    with pytest.raises(errors.BookingClosed):
        clinic.send(CheckIn(visit.code), VACCINATOR)


def test_nobody_is_screened_or_injected_before_being_checked_in(clinic: SmallClinic) -> None:
    visit = clinic.expect(clinic.vaccine(doses=1))
    with pytest.raises(errors.NotCheckedIn):
        clinic.send(Screen(visit.code), VACCINATOR)
    refused(clinic, errors.NotCheckedIn, visit.code)


# -- screening --------------------------------------------------------------------------------------


def test_without_a_screening_nobody_is_injected(clinic: SmallClinic) -> None:
    visit = clinic.expect(clinic.vaccine(doses=1))
    clinic.send(CheckIn(visit.code), VACCINATOR)
    refused(clinic, errors.ScreeningMissing, visit.code)


@pytest.mark.parametrize("concern", Concern)
def test_every_concern_of_the_screening_defers_the_injection(clinic: SmallClinic, concern: Concern) -> None:
    injection = clinic.screened(clinic.vaccine(doses=1))
    clinic.send(Screen(injection, (concern,)), VACCINATOR)
    refusal = refused(clinic, errors.ScreeningDeferred, injection)
    assert refusal.facts == {"reasons": (concern,)}
    assert refusal.variant == ("never" if concern is Concern.SEVERE_ALLERGY else "")
    assert clinic.records.injections[injection].screening is not None


def test_who_is_well_again_is_screened_again_and_injected(clinic: SmallClinic) -> None:
    injection = clinic.screened(clinic.vaccine(doses=1))
    clinic.send(Screen(injection, (Concern.FEVER,)), VACCINATOR)
    clinic.send(Screen(injection, reason="다시 재니 36.8도"), COLLEAGUE)
    given = clinic.give(injection)
    assert given.status is InjectionStatus.COMPLETED
    assert [(s.by, s.concerns, s.reason) for s in given.screenings] == [
        (VACCINATOR.code, (), ""),
        (VACCINATOR.code, (Concern.FEVER,), ""),
        (COLLEAGUE.code, (), "다시 재니 36.8도"),
    ]


@pytest.mark.parametrize(
    ("actor", "reason"), [(VACCINATOR, ""), (VACCINATOR, "잘못 눌렀음"), (COLLEAGUE, ""), (COLLEAGUE, "  ")]
)
@pytest.mark.parametrize("milder", [(), (Concern.ACUTE_ILLNESS,)])
def test_a_concern_is_taken_back_by_somebody_else_and_for_a_reason_alone(
    clinic: SmallClinic, actor: Actor, reason: str, milder: tuple[Concern, ...]
) -> None:
    injection = clinic.screened(clinic.vaccine(doses=1))
    clinic.send(Screen(injection, (Concern.SEVERE_ALLERGY,)), VACCINATOR)
    with pytest.raises(errors.ScreeningStands) as refusal:
        clinic.send(Screen(injection, milder, reason=reason), actor)
    assert refusal.value.facts == {"date": date(2026, 3, 2), "reasons": (Concern.SEVERE_ALLERGY,)}
    refused(clinic, errors.ScreeningDeferred, injection)


def test_whoever_finds_more_needs_nobody_else(clinic: SmallClinic) -> None:
    injection = clinic.screened(clinic.vaccine(doses=1))
    clinic.send(Screen(injection, (Concern.FEVER,)), VACCINATOR)
    clinic.send(Screen(injection, (Concern.FEVER, Concern.ACUTE_ILLNESS)), VACCINATOR)
    assert clinic.records.injections[injection].every_screening[-1].concerns[-1] is Concern.ACUTE_ILLNESS


def test_a_new_booking_of_the_same_day_takes_no_concern_back(clinic: SmallClinic) -> None:
    vaccine = clinic.vaccine(doses=1)
    first = clinic.screened(vaccine)
    clinic.send(Screen(first, (Concern.SEVERE_ALLERGY,)), VACCINATOR)
    clinic.send(CancelBooking(clinic.records.injections[first].booking), VACCINATOR)
    second = clinic.expect(vaccine).code
    clinic.send(CheckIn(second), VACCINATOR)
    with pytest.raises(errors.ScreeningStands):
        clinic.send(Screen(second), VACCINATOR)
    clinic.send(Screen(second, reason="다른 사람의 답이었음"), COLLEAGUE)
    clinic.give(second)


def on_another_day(clinic: SmallClinic, day: int, visit: str, vaccine: str) -> str:
    """The visit of somebody who books anew, there and checked in; the one before is cancelled."""
    clinic.clock.set_local(f"2026-03-0{day} 09:00")
    clinic.send(CancelBooking(clinic.records.injections[visit].booking), VACCINATOR)
    injection = clinic.expect(vaccine, slot=local(f"2026-03-0{day} 10:00")).code
    clinic.send(CheckIn(injection), VACCINATOR)
    return injection


def stands(clinic: SmallClinic, injection: str, actor: Actor, reason: str = "") -> dict[str, object]:
    with pytest.raises(errors.ScreeningStands) as refusal:
        clinic.send(Screen(injection, reason=reason), actor)
    return dict(refusal.value.facts)


@pytest.mark.parametrize("same_visit", [True, False])
def test_no_other_day_takes_a_contraindication_back(clinic: SmallClinic, same_visit: bool) -> None:
    """A fever passes, an allergy does not."""
    vaccine = clinic.vaccine(doses=2)
    injection = clinic.screened(vaccine)
    clinic.send(Screen(injection, (Concern.SEVERE_ALLERGY, Concern.FEVER)), VACCINATOR)
    if same_visit:
        clinic.clock.set_local("2026-03-03 09:00")
        clinic.send(CheckIn(injection), VACCINATOR)
    else:
        injection = on_another_day(clinic, 3, injection, vaccine)
    found = {"date": date(2026, 3, 2), "reasons": (Concern.SEVERE_ALLERGY,)}
    assert stands(clinic, injection, COLLEAGUE) == found, "not without a reason"
    assert stands(clinic, injection, VACCINATOR, "잘못 눌렀음") == found
    clinic.send(Screen(injection, (Concern.SEVERE_ALLERGY,)), COLLEAGUE)
    refused(clinic, errors.ScreeningDeferred, injection)
    assert stands(clinic, injection, VACCINATOR, "잘못 눌렀음") == found, "whoever found it, found it"
    clinic.send(Screen(injection, reason="알레르기내과 소견: 접종 가능"), COLLEAGUE)
    clinic.give(injection)


def test_a_contraindication_that_was_overruled_is_found_anew_or_not_at_all(clinic: SmallClinic) -> None:
    vaccine = clinic.vaccine(doses=2)
    first = clinic.screened(vaccine)
    clinic.send(Screen(first, (Concern.SEVERE_ALLERGY,)), VACCINATOR)
    second = on_another_day(clinic, 3, first, vaccine)
    clinic.send(Screen(second, reason="알레르기내과 소견: 접종 가능"), COLLEAGUE)
    third = on_another_day(clinic, 4, second, vaccine)
    clinic.send(Screen(third), VACCINATOR)
    clinic.clock.move(minutes=1)
    clinic.send(Screen(third, (Concern.SEVERE_ALLERGY,)), COLLEAGUE)
    assert stands(clinic, third, COLLEAGUE, "제가 잘못 눌렀음")["date"] == date(2026, 3, 4)
    clinic.send(Screen(third, reason="소견서 확인"), VACCINATOR)
    clinic.give(third)


def test_a_fever_that_a_colleague_named_too_is_not_taken_back_by_its_finder(
    clinic: SmallClinic,
) -> None:
    injection = clinic.screened(clinic.vaccine(doses=1))
    clinic.send(Screen(injection, (Concern.FEVER,)), VACCINATOR)
    clinic.send(Screen(injection, (Concern.FEVER, Concern.ACUTE_ILLNESS)), COLLEAGUE)
    assert stands(clinic, injection, VACCINATOR, "잘못 눌렀음")["reasons"] == (Concern.FEVER,)
    assert stands(clinic, injection, COLLEAGUE, "잘못 눌렀음")["reasons"] == (Concern.ACUTE_ILLNESS,)
    clinic.send(Screen(injection, (Concern.ACUTE_ILLNESS,), reason="다시 재니 36.8도"), COLLEAGUE)
    clinic.send(Screen(injection, reason="진찰 결과 괜찮음"), VACCINATOR)
    clinic.give(injection)


@pytest.mark.parametrize(("product", "stops"), [(replace(TWO_DOSES, key="other"), True), (FLU, False)])
def test_a_contraindication_stands_against_the_whole_series(
    clinic: SmallClinic, product: Presentation, stops: bool
) -> None:
    first = clinic.screened(clinic.vaccine(TWO_DOSES, doses=1))
    clinic.send(Screen(first, (Concern.SEVERE_ALLERGY,)), VACCINATOR)
    injection = on_another_day(clinic, 3, first, clinic.vaccine(product, doses=1, lot="L2"))
    if stops:
        assert stands(clinic, injection, VACCINATOR, "다른 백신")["date"] == date(2026, 3, 2)
    clinic.send(Screen(injection, reason="알레르기내과 소견: 접종 가능" if stops else ""), COLLEAGUE)
    clinic.give(injection, "L2")


def test_what_another_visit_finds_after_the_screening_stops_the_needle(clinic: SmallClinic) -> None:
    one, other = clinic.vaccine(FLU, doses=1), clinic.vaccine(doses=1)
    injection = clinic.screened(one)
    clinic.clock.move(minutes=1)
    clinic.send(Screen(clinic.screened(other), (Concern.FEVER,)), COLLEAGUE)
    refused(clinic, errors.ScreeningStands, injection)


def test_what_the_version_before_writes_during_an_upgrade_loses_nothing(clinic: SmallClinic) -> None:
    """It knows no reasons and only the last screening, and leaves the others alone."""
    injection = clinic.screened(clinic.vaccine(doses=1))

    def leaves(screening: Screening) -> None:
        now = clinic.records.injections[injection]
        clinic.records.injections[injection] = replace(now, screening=screening)

    found = Screening(clinic.clock.now(), (Concern.FEVER,), past_allergic_reaction=False, by=VACCINATOR.code)
    leaves(found)
    refused(clinic, errors.ScreeningDeferred, injection)
    with pytest.raises(errors.ScreeningStands):
        clinic.send(Screen(injection), VACCINATOR)
    clinic.send(Screen(injection, reason="다시 재니 36.8도"), COLLEAGUE)
    last = clinic.records.injections[injection].screening
    assert last
    leaves(replace(last, reason=""))
    assert [s.reason for s in clinic.give(injection).every_screening] == ["", "", "다시 재니 36.8도"]


# -- what the clinic knows --------------------------------------------------------------------------


def suffered(
    clinic: SmallClinic, severity: Severity, *, voided: bool = False, actor: Actor = VACCINATOR
) -> tuple[str, Injection]:
    """A vaccine, and a first dose of it after which something happened; the second is due."""
    vaccine = clinic.vaccine(TWO_DOSES, doses=5)
    first = clinic.inject(vaccine)
    clinic.send(ReportAdverseEvent(first.code, severity, "두드러기"), actor)
    if voided:
        clinic.send(VoidInjection(first.code, "다른 사람의 기록", dose_returned=False), VACCINATOR)
    clinic.clock.set_local("2026-03-30 08:00")
    return vaccine, first


def comes_again(clinic: SmallClinic, vaccine: str) -> str:
    injection = clinic.expect(vaccine, slot=local("2026-03-30 09:00")).code
    clinic.send(CheckIn(injection), VACCINATOR)
    return injection


@pytest.mark.parametrize("voided", [False, True])
def test_a_severe_reaction_to_an_earlier_dose_stops_the_next(clinic: SmallClinic, voided: bool) -> None:
    vaccine, _ = suffered(clinic, Severity.SEVERE, voided=voided)
    injection = comes_again(clinic, vaccine)
    for reason in ("", "의사가 괜찮다고 함"):
        with pytest.raises(errors.SevereReaction) as refusal:
            clinic.send(Screen(injection, reason=reason), VACCINATOR)
        assert refusal.value.facts == {"date": date(2026, 3, 2)}
    clinic.send(Screen(injection, (Concern.SEVERE_ALLERGY,)), VACCINATOR)
    refused(clinic, errors.ScreeningDeferred, injection)
    clinic.send(Screen(injection, reason="알레르기내과 소견: 접종 가능"), COLLEAGUE)
    assert minutes_observed(clinic.give(injection)) == 30


def test_a_severe_reaction_told_after_the_screening_stops_the_needle(clinic: SmallClinic) -> None:
    vaccine = clinic.vaccine(TWO_DOSES, doses=5)
    first = clinic.inject(vaccine)
    clinic.clock.set_local("2026-03-30 08:00")
    injection = comes_again(clinic, vaccine)
    clinic.send(Screen(injection, reason="먼저 적은 사유"), COLLEAGUE)
    clinic.clock.move(minutes=1)
    clinic.send(ReportAdverseEvent(first.code, Severity.SEVERE, "아나필락시스"), VACCINATOR)
    assert refused(clinic, errors.SevereReaction, injection).facts == {"date": date(2026, 3, 30)}


def test_a_severe_reaction_to_another_series_is_known_and_stops_nothing(clinic: SmallClinic) -> None:
    suffered(clinic, Severity.SEVERE)
    injection = comes_again(clinic, clinic.vaccine(FLU, doses=1))
    clinic.send(Screen(injection), VACCINATOR)
    assert minutes_observed(clinic.give(injection)) == 30


@pytest.mark.parametrize("voided", [False, True])
def test_whoever_suffered_after_a_dose_is_observed_for_long_after_the_next(
    clinic: SmallClinic, voided: bool
) -> None:
    vaccine, _ = suffered(clinic, Severity.MILD, voided=voided)
    injection = comes_again(clinic, vaccine)
    clinic.send(Screen(injection), VACCINATOR)
    assert minutes_observed(clinic.give(injection)) == 30


@pytest.mark.parametrize(("allergic", "minutes"), [(True, 30), (False, 15)])
def test_a_reaction_told_once_is_remembered_at_the_next_visit(
    clinic: SmallClinic, allergic: bool, minutes: int
) -> None:
    vaccine = clinic.vaccine(TWO_DOSES, doses=5)
    clinic.inject(vaccine, allergic=allergic)
    clinic.clock.set_local("2026-03-30 08:00")
    injection = comes_again(clinic, vaccine)
    clinic.send(Screen(injection), VACCINATOR)
    assert minutes_observed(clinic.give(injection)) == minutes


def minutes_observed(injection: Injection) -> float:
    return (injection.given.observe_until - injection.given.given_at).total_seconds() / 60


# -- the day ----------------------------------------------------------------------------------------


def test_who_was_checked_in_on_an_earlier_day_is_read_back_again(clinic: SmallClinic) -> None:
    injection = clinic.screened(clinic.vaccine(doses=1))
    clinic.clock.set_local("2026-03-02 23:59:59")
    with pytest.raises(errors.NotExpected):
        clinic.send(CheckIn(injection), VACCINATOR)
    clinic.clock.set_local("2026-03-03 00:00")
    with pytest.raises(errors.CheckedInBefore):
        clinic.send(Screen(injection), VACCINATOR)
    assert refused(clinic, errors.CheckedInBefore, injection).facts == {"date": date(2026, 3, 2)}
    clinic.send(CheckIn(injection), VACCINATOR)
    refused(clinic, errors.ScreeningMissing, injection)
    clinic.send(Screen(injection), VACCINATOR)
    assert clinic.give(injection).checked_in_at == clinic.clock.now()


def test_a_screening_is_valid_until_midnight_at_the_clinic(clinic: SmallClinic) -> None:
    vaccine = clinic.vaccine(doses=2)
    one, other = clinic.screened(vaccine, 1), clinic.screened(vaccine, 2)
    clinic.clock.set_local("2026-03-02 23:59:59")
    clinic.give(one)
    clinic.clock.set_local("2026-03-03 00:00")
    clinic.send(CheckIn(other), VACCINATOR)
    refused(clinic, errors.ScreeningMissing, other)
    clinic.send(Screen(other), VACCINATOR)
    clinic.give(other)


# -- the lot ----------------------------------------------------------------------------------------


def test_a_lot_of_another_vaccine_is_refused(clinic: SmallClinic) -> None:
    clinic.vaccine(FLU, doses=5, lot="FLU1")
    injection = clinic.screened(clinic.vaccine(TWO_DOSES, doses=1))
    assert refused(clinic, errors.LotUnknown, injection, "FLU1").facts == {
        "lot": "FLU1",
        "vaccine": TWO_DOSES,
    }


def test_a_lot_in_quarantine_is_refused(clinic: SmallClinic) -> None:
    vaccine = clinic.vaccine(doses=5)
    clinic.stock(vaccine, 1, "BAD")
    injection = clinic.screened(vaccine)
    clinic.send(QuarantineLot(vaccine, "BAD", "recall"), MANAGER)
    refused(clinic, errors.LotInQuarantine, injection, "BAD")


def test_a_lot_is_usable_through_the_day_printed_on_it(clinic: SmallClinic) -> None:
    vaccine = clinic.vaccine()
    clinic.stock(vaccine, 5, "OLD", date(2026, 3, 2))
    one, other = clinic.screened(vaccine, 1), clinic.screened(vaccine, 2)
    clinic.clock.set_local("2026-03-02 23:59:59")
    assert clinic.give(one, "OLD").given.expires_on == date(2026, 3, 2)
    clinic.clock.set_local("2026-03-03 00:00")
    clinic.send(CheckIn(other), VACCINATOR)
    clinic.send(Screen(other), VACCINATOR)
    assert refused(clinic, errors.LotExpired, other, "OLD").facts == {"lot": "OLD", "date": date(2026, 3, 2)}


def test_an_empty_lot_is_refused_though_another_has_doses(clinic: SmallClinic) -> None:
    vaccine = clinic.vaccine(doses=1)
    clinic.stock(vaccine, 5, "FULL")
    clinic.inject(vaccine, 1, "LOT1")
    injection = clinic.screened(vaccine, 2)
    refused(clinic, errors.InsufficientStock, injection, "LOT1")
    clinic.give(injection, "FULL")


def test_a_lot_is_asked_for_before_the_needle(clinic: SmallClinic) -> None:
    injection = clinic.screened(clinic.vaccine(doses=1))
    refused(clinic, errors.Missing, injection, " ")


# -- the person -------------------------------------------------------------------------------------


def test_who_is_too_young_today_is_refused_though_the_booked_day_was_right(clinic: SmallClinic) -> None:
    vaccine = clinic.vaccine(TWO_DOSES, doses=1)
    clinic.clock.set_local("2026-03-02 23:00")
    child = person(birth_date=date(2008, 3, 3))
    injection = clinic.screened(vaccine, slot=local("2026-03-03 09:00"), who=child)
    refused(clinic, errors.TooYoung, injection)
    clinic.clock.set_local("2026-03-03 00:00")
    clinic.send(CheckIn(injection), VACCINATOR)
    clinic.send(Screen(injection), VACCINATOR)
    clinic.give(injection)


def test_a_dose_against_the_same_disease_on_the_same_day_is_refused(clinic: SmallClinic) -> None:
    once, twice = clinic.vaccine(ONE_DOSE, doses=1), clinic.vaccine(TWO_DOSES, doses=1)
    second = clinic.screened(twice, 1)
    clinic.inject(once, 1)
    refused(clinic, errors.DoseToday, second)


def test_doses_against_two_diseases_may_be_given_on_one_day(clinic: SmallClinic) -> None:
    covid, flu = clinic.vaccine(TWO_DOSES, doses=1), clinic.vaccine(FLU, doses=1)
    clinic.inject(covid, 1)
    assert clinic.inject(flu, 1).given.dose_number == 1


def test_the_second_dose_is_refused_on_day_27_and_given_on_day_28(clinic: SmallClinic) -> None:
    vaccine = clinic.vaccine(TWO_DOSES, doses=5)
    first = clinic.inject(vaccine)
    assert first.given.next_due_on == date(2026, 3, 30)
    clinic.clock.set_local("2026-03-29 23:59")
    second = clinic.screened(vaccine, slot=local("2026-03-30 09:00"))
    assert refused(clinic, errors.TooEarly, second).facts == {"date": date(2026, 3, 30)}
    clinic.clock.set_local("2026-03-30 00:00")
    clinic.send(CheckIn(second), VACCINATOR)
    clinic.send(Screen(second), VACCINATOR)
    assert clinic.give(second).given.dose_number == 2


def test_who_cancelled_from_another_window_is_not_injected(clinic: SmallClinic) -> None:
    vaccine = clinic.vaccine(doses=2)
    injection = clinic.screened(vaccine)
    booking = clinic.records.injections[injection].booking
    clinic.send(CancelBooking(booking), clinic.owner(booking))
    refused(clinic, errors.BookingClosed, injection)
    clinic.relay()
    refused(clinic, errors.NotExpected, injection)


@pytest.mark.parametrize(
    ("vaccinator", "error"),
    [
        ("", errors.Missing),
        ("[/red]", errors.BadCharacters),
        ("가" * 10_000, errors.TooLong),
        ("7", errors.BadCharacters),
    ],
)
def test_the_vaccinators_name_is_checked(
    clinic: SmallClinic, vaccinator: str, error: type[errors.InputError]
) -> None:
    injection = clinic.screened(clinic.vaccine(doses=1))
    with pytest.raises(error) as refusal:
        clinic.send(CompleteInjection(injection, "LOT1", Site.LEFT_ARM, vaccinator), VACCINATOR)
    assert refusal.value.field == "vaccinator"


def test_a_site_that_is_no_choice_is_refused(clinic: SmallClinic) -> None:
    injection = clinic.screened(clinic.vaccine(doses=1))
    with pytest.raises(errors.NotAChoice) as refusal:
        clinic.send(CompleteInjection(injection, "LOT1", "NOSE", "이수진"), VACCINATOR)  # type: ignore[arg-type]
    assert refusal.value.field == "site"


# -- the needle -------------------------------------------------------------------------------------


def test_a_completed_injection_keeps_what_was_true_at_the_needle(clinic: SmallClinic) -> None:
    vaccine = clinic.vaccine(TWO_DOSES, doses=3)
    dose = clinic.inject(vaccine).given
    assert dose.presentation == TWO_DOSES
    assert (dose.lot, dose.expires_on) == ("LOT1", date(2027, 12, 31))
    assert (dose.dose_number, dose.dose_total) == (1, 2)
    assert (dose.given_at, dose.given_on) == (clinic.clock.now(), date(2026, 3, 2))
    assert (dose.site, dose.route, dose.volume_ml) == (Site.LEFT_ARM, Route.INTRAMUSCULAR, 0.5)
    assert dose.vaccinator == "이수진"


def test_a_completed_injection_takes_one_dose_of_stock_and_one_reservation(clinic: SmallClinic) -> None:
    vaccine = clinic.vaccine(doses=3)
    clinic.book(vaccine, 2)
    injection = clinic.inject(vaccine, 1)
    assert clinic.level(vaccine) == (2, 1)
    assert clinic.remaining(vaccine) == 2
    entry = clinic.records.ledger[-1]
    assert (entry.kind, entry.stock_delta, entry.reserved_delta) == (EntryKind.GIVEN, -1, -1)
    assert (entry.lot, entry.reference, entry.actor) == ("LOT1", injection.code, VACCINATOR.code)
    assert clinic.statuses(injection.booking) == [BookingStatus.COMPLETED]


def test_an_injection_is_completed_once(clinic: SmallClinic) -> None:
    vaccine = clinic.vaccine(doses=3)
    injection = clinic.inject(vaccine)
    refused(clinic, errors.NotExpected, injection.code)
    assert clinic.level(vaccine) == (2, 0)


def test_route_and_volume_are_those_of_the_presentation(clinic: SmallClinic) -> None:
    product = replace(ONE_DOSE, route=Route.SUBCUTANEOUS, volume_ml=0.25)
    injection = clinic.screened(clinic.vaccine(product, doses=1))
    dose = clinic.send(CompleteInjection(injection, "lot1", Site.RIGHT_THIGH, "이수진"), VACCINATOR).given
    assert (dose.lot, dose.site) == ("LOT1", Site.RIGHT_THIGH)
    assert (dose.route, dose.volume_ml) == (Route.SUBCUTANEOUS, 0.25)


def test_the_last_dose_of_a_series_names_no_next_date(clinic: SmallClinic) -> None:
    assert clinic.inject(clinic.vaccine(ONE_DOSE, doses=1)).given.next_due_on is None
