"""What a box says of itself at the needle: its expiry date counts, beside that of the record."""

from __future__ import annotations

from datetime import date

from textual.pilot import Pilot

from domain.vaccine import AddStock
from kiosk.app import ClinicApp
from kiosk.screens.desk.add_stock import AddStockScreen
from kiosk.screens.desk.steps import DoseStep
from kiosk.screens.desk.visit import VisitScreen
from kiosk.widgets.modals import Confirm
from tests.app.conftest import Kiosk
from tests.app.desks import book, error_of, levels, services_of, visit_of
from tests.app.terminal import readable, see, type_text, wait_for
from tests.app.test_injection_desk import GTIN, at_needle, done, given
from tests.clinics import STAFF


async def scan(pilot: Pilot[int], visit: VisitScreen, code: str, lot: str) -> None:
    """Scan a box in place of what is in the lot's field, then choose the site."""
    field = visit.entry("lot")
    field.value = ""
    field.input.focus()
    await wait_for(pilot, lambda: visit.focused is field.input)
    await type_text(pilot, code)
    await pilot.press("enter")
    await wait_for(pilot, lambda: field.value == lot)
    visit.pick("site").options.focus()
    await pilot.press("1")


async def with_two_lots(app: ClinicApp) -> str:
    """LOT1 until the first of January 2028 and LOT2 until the first of June; a booking for today."""
    code = (await levels(app))[0].vaccine.code
    await services_of(app).gateway.send(AddStock(code, "LOT2", date(2028, 6, 1), 5), STAFF)
    return (await book(app)).booking


async def test_a_box_that_says_it_is_expired_is_never_recorded(kiosk: Kiosk) -> None:
    async with kiosk() as (app, pilot):
        visit = await at_needle(app, pilot, await with_two_lots(app))
        await scan(pilot, visit, f"01{GTIN}1726112210LOT1", "LOT1")
        await see(pilot, "2026년 11월 22일 (일)에 지났습니다", "다른 상자를 쓰세요")
        for _ in range(2):
            await pilot.press("f2")
            await wait_for(pilot, lambda: "2026년 11월 22일" in error_of(visit, "lot"))
            assert app.screen is visit
        assert await given(app) == 0
        await scan(pilot, visit, f"01{GTIN}1728060110LOT2", "LOT2")
        await pilot.press("f2")
        await done(app, pilot, visit)
        assert await given(app) == 1


async def test_a_box_may_be_used_through_the_day_that_it_names(kiosk: Kiosk) -> None:
    async with kiosk() as (app, pilot):
        visit = await at_needle(app, pilot, await with_two_lots(app))
        await scan(pilot, visit, f"01{GTIN}1726112310LOT1", "LOT1")
        await pilot.press("f2")
        await wait_for(pilot, lambda: isinstance(app.screen, Confirm))
        await see(pilot, "상자의 유효기간은 2026년 11월 23일 (월), 기록은 2028년 1월 1일")


async def test_a_box_that_differs_from_the_record_is_recorded_only_after_a_yes(kiosk: Kiosk) -> None:
    async with kiosk() as (app, pilot):
        booking = await with_two_lots(app)
        visit = await at_needle(app, pilot, booking)
        await scan(pilot, visit, f"01{GTIN}1727123110LOT1", "LOT1")
        await see(pilot, "2027년 12월 31일", "2028년 1월 1일")
        await pilot.press("f2")
        await wait_for(pilot, lambda: isinstance(app.screen, Confirm))
        await see(pilot, "유효기간이 다릅니다", "상자를 확인하세요")
        await pilot.press("enter")  # the careful answer is under the cursor
        await wait_for(pilot, lambda: app.screen is visit and readable(visit))
        assert await given(app) == 0
        assert "2027년 12월 31일" in error_of(visit, "lot")
        await pilot.press("f2")
        await wait_for(pilot, lambda: isinstance(app.screen, Confirm))
        await pilot.press("1")
        await done(app, pilot, visit)
        assert (await visit_of(app, booking)).injection.given.lot == "LOT1"


async def test_another_lot_than_the_one_that_differs_needs_no_yes(kiosk: Kiosk) -> None:
    async with kiosk() as (app, pilot):
        booking = await with_two_lots(app)
        visit = await at_needle(app, pilot, booking)
        await scan(pilot, visit, f"01{GTIN}1727123110LOT1", "LOT1")
        visit.entry("lot").value = "lot2"
        await pilot.press("f2")
        await done(app, pilot, visit)
        assert (await visit_of(app, booking)).injection.given.lot == "LOT2"


async def test_a_box_that_agrees_with_the_record_is_recorded_at_once(kiosk: Kiosk) -> None:
    async with kiosk() as (app, pilot):
        booking = await with_two_lots(app)
        visit = await at_needle(app, pilot, booking)
        await scan(pilot, visit, f"01{GTIN}1728010110LOT1", "LOT1")
        assert not error_of(visit, "lot")
        await pilot.press("f2")
        await done(app, pilot, visit)


async def test_a_scanned_box_stays_when_a_lot_that_expires_sooner_comes_in(kiosk: Kiosk) -> None:
    async with kiosk() as (app, pilot):
        visit = await at_needle(app, pilot, await with_two_lots(app))
        await scan(pilot, visit, f"01{GTIN}1728010110LOT1", "LOT1")
        code = (await levels(app))[0].vaccine.code
        await services_of(app).gateway.send(AddStock(code, "FIRST", date(2026, 12, 24), 5), STAFF)
        await see(pilot, "FIRST의 유효기간이 먼저입니다")
        assert visit.query(DoseStep)
        assert visit.entry("lot").value == "LOT1"


async def test_a_box_that_was_read_wrongly_is_to_be_read_again(kiosk: Kiosk) -> None:
    misread = f"01{GTIN[:-1]}41727123110LOT1"
    async with kiosk() as (app, pilot):
        visit = await at_needle(app, pilot, await with_two_lots(app))
        await scan(pilot, visit, misread, misread)
        await see(pilot, "다시 스캔하거나 라벨의 제조번호를")
        await pilot.press("f2")
        await wait_for(pilot, lambda: "다시 스캔" in error_of(visit, "lot"))
        assert await given(app) == 0
        form = AddStockScreen(services_of(app), STAFF, lambda _: None, (await levels(app))[0].vaccine)
        await app.push_screen(form)
        await wait_for(pilot, lambda: form.entry("lot").input.has_focus)
        await type_text(pilot, misread)
        await pilot.press("enter")
        await wait_for(pilot, lambda: "다시 스캔" in error_of(form, "lot"))
        assert form.entry("lot").input.has_focus
