"""A scan is never an answer: its characters choose nothing and its Enter confirms nothing."""

from __future__ import annotations

from datetime import date

import pytest
from textual.pilot import Pilot

from domain.injection import InjectionStatus
from domain.presentation import Site
from domain.vaccine import AddStock
from kiosk.app import ClinicApp
from kiosk.screens.desk.add_stock import AddStockScreen
from kiosk.screens.desk.after_needle import CorrectScreen
from kiosk.screens.desk.steps import DoseStep, ScreeningStep
from kiosk.screens.desk.visit import VisitScreen
from kiosk.screens.injection_desk import InjectionDeskScreen
from kiosk.screens.staff_menu import StaffMenuScreen
from kiosk.widgets.checklist import Checklist
from kiosk.widgets.modals import Confirm, ScanAnswer
from tests.app.conftest import Kiosk
from tests.app.desks import at_desk, book, error_of, levels, services_of, vaccinate, visit_of
from tests.app.fingers import Fingers
from tests.app.terminal import readable, see, wait_for
from tests.app.test_hangul_mode import KEYS
from tests.app.test_injection_desk import GTIN, at_needle, at_visit, done, given, opened
from tests.clinics import STAFF

VIAL = f"01{GTIN}1728060110LOT2"
"""It holds every digit that chooses an arm, and the yes of every question."""


async def two_lots(app: ClinicApp) -> str:
    """LOT1 is preselected, LOT2 is scanned; a booking for today."""
    code = (await levels(app))[0].vaccine.code
    await services_of(app).gateway.send(AddStock(code, "LOT2", date(2028, 6, 1), 5), STAFF)
    return (await book(app)).booking


async def refused(app: ClinicApp, pilot: Pilot[int], *words: str) -> None:
    """The scan is refused in these words."""
    await wait_for(pilot, lambda: isinstance(app.screen, ScanAnswer), "the scan is refused")
    await see(pilot, *words)


@pytest.mark.parametrize("every", [0.0, 0.005, 0.03])
async def test_a_vial_goes_to_the_lot_and_neither_chooses_an_arm_nor_records(
    kiosk: Kiosk, every: float
) -> None:
    async with kiosk() as (app, pilot):
        visit = await at_needle(app, pilot, await two_lots(app))
        await Fingers(pilot).scan(VIAL, every=every)
        await wait_for(pilot, lambda: visit.entry("lot").value == "LOT2")
        await wait_for(pilot, lambda: visit.focused is visit.pick("site").options)
        assert visit.pick("site").value is None
        assert not error_of(visit, "lot")
        await services_of(app).settle()
        assert await given(app) == 0
        assert visit.query(DoseStep)


async def test_a_scan_after_the_arm_was_chosen_records_nothing_and_keeps_the_arm(kiosk: Kiosk) -> None:
    async with kiosk() as (app, pilot):
        visit = await at_needle(app, pilot, await two_lots(app))
        fingers = Fingers(pilot)
        await fingers.press("2")
        await wait_for(pilot, lambda: visit.pick("site").value is Site.RIGHT_ARM)
        await fingers.scan(VIAL)
        await wait_for(pilot, lambda: visit.entry("lot").value == "LOT2")
        assert visit.pick("site").value is Site.RIGHT_ARM
        assert not visit.busy
        assert await given(app) == 0
        await fingers.press("enter")
        await done(app, pilot, visit)
        assert await given(app) == 1


async def test_somebody_elses_ticket_does_nothing_to_the_open_visit(kiosk: Kiosk) -> None:
    async with kiosk() as (app, pilot):
        booking, other = await two_lots(app), (await book(app, 2, "김민수")).booking
        visit = await at_needle(app, pilot, booking)
        fingers = Fingers(pilot)
        await fingers.press("2")
        await wait_for(pilot, lambda: visit.pick("site").value is Site.RIGHT_ARM)
        await fingers.scan(other)
        await refused(app, pilot, "홍길동 님의 방문이 열려 있어", "Esc 키로 나간 뒤")
        assert visit.pick("site").value is Site.RIGHT_ARM
        assert visit.entry("lot").value == "LOT1"
        assert await given(app) == 0
        assert (await visit_of(app, other)).injection.status is InjectionStatus.EXPECTED
        await fingers.scan(VIAL)  # without a key in between: the gloves stay clean
        await wait_for(pilot, lambda: app.screen is visit and visit.entry("lot").value == "LOT2")


async def test_the_ticket_of_the_open_visit_only_says_that_it_is_the_right_one(kiosk: Kiosk) -> None:
    async with kiosk() as (app, pilot):
        booking = (await book(app)).booking
        visit = await at_visit(app, pilot, booking)
        await Fingers(pilot).scan(booking)
        await see(pilot, "홍길동 님의 예약 번호가 맞습니다")
        assert not visit.busy
        assert (await visit_of(app, booking)).injection.status is InjectionStatus.EXPECTED


async def test_the_next_ticket_opens_the_next_visit_once_the_dose_is_recorded(kiosk: Kiosk) -> None:
    async with kiosk() as (app, pilot):
        booking, other = (await book(app)).booking, (await book(app, 2, "김민수")).booking
        await vaccinate(app, booking)
        visit = await at_visit(app, pilot, booking)
        await done(app, pilot, visit)
        await Fingers(pilot).scan(other)
        await wait_for(pilot, lambda: app.screen is not visit and isinstance(app.screen, VisitScreen))
        after = await opened(app, pilot)
        assert after.visit.injection.booking == other
        assert visit not in app.screen_stack


async def test_a_scan_answers_no_question_of_the_screening(kiosk: Kiosk) -> None:
    async with kiosk() as (app, pilot):
        booking = await two_lots(app)
        visit = await at_visit(app, pilot, booking)
        await pilot.press("enter")
        await wait_for(pilot, lambda: visit.query(ScreeningStep) and readable(visit))
        fingers = Fingers(pilot)
        await fingers.scan(VIAL)
        await refused(app, pilot, "백신 상자입니다", "접종 단계에서")
        await fingers.scan("HTTPS://EXAMPLE.ORG/123")
        await refused(app, pilot, "예약 번호도 백신 상자도 아닙니다")
        assert visit.query_one(Checklist).values == frozenset()
        assert (await visit_of(app, booking)).injection.screening is None


async def test_a_scan_answers_no_confirmation(kiosk: Kiosk) -> None:
    async with kiosk() as (app, pilot):
        booking = await two_lots(app)
        await at_visit(app, pilot, booking)
        await pilot.press("f8")
        await wait_for(pilot, lambda: isinstance(app.screen, Confirm))
        fingers = Fingers(pilot)
        await fingers.scan(VIAL)
        await refused(app, pilot, "먼저 앞에 있는 창에 답하거나")
        await fingers.press("enter")
        await wait_for(pilot, lambda: isinstance(app.screen, Confirm))
        assert (await visit_of(app, booking)).injection.status is InjectionStatus.EXPECTED


async def test_a_scan_that_comes_in_chunks_is_one_scan(kiosk: Kiosk) -> None:
    async with kiosk() as (app, pilot):
        visit = await at_needle(app, pilot, await two_lots(app))
        await Fingers(pilot).scan(VIAL, stalls={7: 0.25, len(VIAL) - 1: 0.2, len(VIAL): 0.25})
        await wait_for(pilot, lambda: visit.entry("lot").value == "LOT2")
        assert visit.pick("site").value is None
        assert not visit.busy


async def test_both_ends_of_a_scanner_that_sends_two_belong_to_the_scan(kiosk: Kiosk) -> None:
    async with kiosk() as (app, pilot):
        visit = await at_needle(app, pilot, await two_lots(app))
        fingers = Fingers(pilot)
        await fingers.press("1")
        await wait_for(pilot, lambda: visit.pick("site").value is Site.LEFT_ARM)
        await fingers.scan(VIAL, end=("enter", "enter"))
        await wait_for(pilot, lambda: visit.entry("lot").value == "LOT2")
        assert not visit.busy
        assert await given(app) == 0


async def test_a_scan_whose_end_is_missing_chooses_nothing_and_says_so(kiosk: Kiosk) -> None:
    async with kiosk() as (app, pilot):
        visit = await at_needle(app, pilot, await two_lots(app))
        await Fingers(pilot).scan(VIAL, end=())
        await refused(app, pilot, "스캔이 끝까지 들어오지 않았습니다")
        assert visit.pick("site").value is None
        assert visit.entry("lot").value == "LOT1"


@pytest.mark.parametrize("text", [VIAL, f"{VIAL}\r", VIAL.translate(KEYS), VIAL + "\x1d21ABC"])
async def test_a_vial_that_is_pasted_is_a_scan_too(kiosk: Kiosk, text: str) -> None:
    async with kiosk() as (app, pilot):
        visit = await at_needle(app, pilot, await two_lots(app))
        fingers = Fingers(pilot)
        await fingers.press("1")
        await wait_for(pilot, lambda: visit.pick("site").value is Site.LEFT_ARM)
        await fingers.paste(text, "enter")
        await wait_for(pilot, lambda: visit.entry("lot").value == "LOT2")
        assert not visit.busy
        assert await given(app) == 0


async def test_scans_in_hangul_mode_are_read(kiosk: Kiosk) -> None:
    async with kiosk() as (app, pilot):
        booking, other = await two_lots(app), (await book(app, 2, "김민수")).booking
        visit = await at_needle(app, pilot, booking)
        fingers = Fingers(pilot)
        await fingers.scan(VIAL.translate(KEYS))
        await wait_for(pilot, lambda: visit.entry("lot").value == "LOT2")
        await fingers.scan(other.translate(KEYS))
        await refused(app, pilot, "홍길동 님의 방문이 열려 있어")
        assert visit.pick("site").value is None


async def test_a_digit_and_enter_of_quick_fingers_are_keys(kiosk: Kiosk) -> None:
    async with kiosk() as (app, pilot):
        visit = await at_needle(app, pilot, (await book(app)).booking)
        await Fingers(pilot).press("2", "enter", every=0.05)
        await done(app, pilot, visit)
        assert visit.visit.injection.given.site is Site.RIGHT_ARM


async def test_what_is_typed_quickly_stays_typed_and_a_vial_in_another_entry_goes_to_the_lot(
    kiosk: Kiosk,
) -> None:
    async with kiosk() as (app, pilot):
        visit = await at_needle(app, pilot, await two_lots(app))
        vaccinator = visit.entry("vaccinator")
        vaccinator.value = ""
        visit.set_focus(vaccinator.input)
        fingers = Fingers(pilot)
        await fingers.press(*"박간호사", "enter", every=0.03)
        await wait_for(pilot, lambda: vaccinator.value == "박간호사")
        await wait_for(pilot, lambda: visit.focused is visit.pick("site").options)
        visit.set_focus(vaccinator.input)
        await fingers.scan(VIAL)
        await wait_for(pilot, lambda: visit.entry("lot").value == "LOT2")
        assert vaccinator.value == "박간호사"


async def test_a_vial_of_another_vaccine_is_told_at_once(kiosk: Kiosk) -> None:
    async with kiosk() as (app, pilot):
        visit = await at_needle(app, pilot, (await book(app)).booking)
        await Fingers(pilot).scan(f"01{GTIN}1728060110FLU2")
        await wait_for(pilot, lambda: "제조번호가 아닙니다: FLU2" in error_of(visit, "lot"))
        assert visit.focused is visit.entry("lot").input
        await Fingers(pilot).scan("NOLOT")  # a plain bar code
        await wait_for(pilot, lambda: "제조번호가 아닙니다: NOLOT" in error_of(visit, "lot"))
        await Fingers(pilot).scan(f"01{GTIN}1728010110LOT1")
        await wait_for(pilot, lambda: visit.focused is visit.pick("site").options)
        assert not error_of(visit, "lot")


async def test_a_scan_replaces_the_lot_that_stands_there(kiosk: Kiosk) -> None:
    async with kiosk() as (app, pilot):
        booking = await two_lots(app)
        visit = await at_needle(app, pilot, booking)
        fingers = Fingers(pilot)
        visit.set_focus(visit.entry("lot").input)
        await fingers.press("end")  # nothing is selected
        await fingers.scan(VIAL)
        await wait_for(pilot, lambda: visit.entry("lot").value == "LOT2")
        assert not error_of(visit, "lot")
        visit.set_focus(visit.entry("lot").input)
        await fingers.press("end")
        await fingers.scan("LOT1")  # a plain bar code of the number alone
        await wait_for(pilot, lambda: visit.entry("lot").value == "LOT1")
        visit.set_focus(visit.entry("lot").input)
        await fingers.press("end")
        await fingers.paste(VIAL)  # by hand, without Enter
        await wait_for(pilot, lambda: visit.entry("lot").value == VIAL)


async def test_a_scan_replaces_what_is_corrected(kiosk: Kiosk) -> None:
    async with kiosk() as (app, pilot):
        booking = await two_lots(app)
        await vaccinate(app, booking)
        await at_visit(app, pilot, booking)
        await pilot.press("f5")
        await wait_for(pilot, lambda: isinstance(app.screen, CorrectScreen))
        form = app.screen
        assert isinstance(form, CorrectScreen)
        await wait_for(pilot, lambda: form.focused is form.entry("lot").input)
        fingers = Fingers(pilot)
        await fingers.press("end")  # nothing is selected
        await fingers.scan(VIAL)
        await wait_for(pilot, lambda: form.entry("lot").value == "LOT2")
        await fingers.scan(booking)
        await refused(app, pilot, "예약 번호입니다")
        assert form.entry("lot").value == "LOT2"


async def test_a_delivery_is_scanned_whatever_has_the_focus_and_as_often_as_needed(kiosk: Kiosk) -> None:
    async with kiosk() as (app, pilot):
        vaccine = (await levels(app))[0].vaccine
        form = AddStockScreen(services_of(app), STAFF, lambda words: None, vaccine)
        await app.push_screen(form)
        fingers = Fingers(pilot)
        await fingers.scan(f"01{GTIN}1727123110LOT7")
        await wait_for(pilot, lambda: form.entry("lot").value == "LOT7")
        await wait_for(pilot, lambda: form.focused is form.entry("doses").input)
        await fingers.scan(VIAL)
        await wait_for(pilot, lambda: form.entry("lot").value == "LOT2")
        assert (form.entry("expires_on").value, form.entry("doses").value) == ("2028-06-01", "")
        await fingers.press(*"120", every=0.03)
        await wait_for(pilot, lambda: form.entry("doses").value == "120")


async def test_at_the_desk_a_ticket_opens_its_visit_and_a_vial_is_refused(kiosk: Kiosk) -> None:
    async with kiosk() as (app, pilot):
        booking = await two_lots(app)
        desk = await at_desk(app, InjectionDeskScreen)
        await wait_for(pilot, lambda: desk.focused and desk.table.row_count == 1)
        fingers = Fingers(pilot)
        await fingers.scan(VIAL)
        await refused(app, pilot, "백신 상자입니다")
        await fingers.scan(booking)
        visit = await opened(app, pilot)
        assert visit.visit.injection.booking == booking
        assert visit.visit.injection.status is InjectionStatus.EXPECTED


async def test_a_scan_opens_no_desk(kiosk: Kiosk) -> None:
    async with kiosk() as (app, pilot):
        menu = await at_desk(app, StaffMenuScreen)
        await wait_for(pilot, lambda: menu.focused)
        await Fingers(pilot).scan(VIAL)
        await refused(app, pilot, "백신 상자입니다")
        assert app.screen_stack[-2] is menu
