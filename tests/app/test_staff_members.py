"""Staff on the real clinic, by keyboard: who may do what, and how somebody new is enrolled."""

from __future__ import annotations

from textual.widgets import Input

from domain.actors import Role
from domain.staff import EnrolStaff
from kiosk.screens.staff_members import StaffMembersScreen
from kiosk.widgets.choice_list import ChoiceList
from kiosk.widgets.desk_table import DeskTable
from tests.app.conftest import Kiosk
from tests.app.desks import at_desk, cells, services_of
from tests.app.terminal import see, type_text, wait_for
from tests.clinics import STAFF


async def test_every_role_of_the_one_under_the_cursor_is_read_in_full(kiosk: Kiosk) -> None:
    async with kiosk(size=(80, 24)) as (app, pilot):
        enrol = EnrolStaff("이접종", frozenset({Role.VACCINATOR, Role.CERTIFICATE_OFFICER}))
        await services_of(app).gateway.send(enrol, STAFF)
        screen = await at_desk(app, StaffMembersScreen)
        table = screen.query_one(DeskTable)
        await wait_for(pilot, lambda: [row[0] for row in cells(table)] == ["관리자", "이접종"])
        assert cells(table)[0][1].startswith("운영자"), "who is an administrator is seen in the list"
        await see(pilot, "운영자, 증명서 발급 관리자,", "접종 관리자, 백신 관리자")
        table.focus()
        await pilot.press("down")
        await see(pilot, "증명서 발급 관리자, 접종 관리자")
        await pilot.press("f9")
        await see(pilot, "Certificate officer,", "Vaccinator")


async def test_what_is_wrong_has_the_cursor(kiosk: Kiosk) -> None:
    async with kiosk(size=(80, 24)) as (app, pilot):
        screen = await at_desk(app, StaffMembersScreen)
        name, roles = screen.query_one(Input), screen.query_one(ChoiceList)
        await see(pilot, "관리자")
        await type_text(pilot, "이접종")
        await pilot.press("f2")
        await see(pilot, "역할을 하나 이상 고르세요")
        await pilot.press("enter")
        await wait_for(pilot, lambda: app.screen is screen and screen.focused is roles)
        name.value = ""
        await pilot.press("2", "f2")
        await see(pilot, "! 이 칸을 채워 주세요")
        await wait_for(pilot, lambda: screen.focused is name)
        await type_text(pilot, "이접종")
        await pilot.press("tab", "f2")
        await see(pilot, "이접종 님을 등록합니다. 역할: 접종 관리자")
        await pilot.press("1")
        await see(pilot, "이접종 님의 PIN")
        await pilot.press("enter")
        await see(pilot, "적어 두셨습니까?")
        await pilot.press("1")
        await wait_for(pilot, lambda: app.screen is screen and screen.focused is name)


async def test_one_row_looks_focused_and_space_ticks_a_role(kiosk: Kiosk) -> None:
    async with kiosk(size=(80, 24)) as (app, pilot):
        screen = await at_desk(app, StaffMembersScreen)
        name, roles = screen.query_one(Input), screen.query_one(ChoiceList)

        def first_looks_focused() -> bool:
            chosen = roles.get_component_rich_style("choice--chosen").bgcolor
            drawn = {segment.style.bgcolor for segment in roles.render_line(0) if segment.style}
            return chosen is not None and chosen in drawn

        await see(pilot, "1  [ ] 백신 관리자")
        assert name.has_focus
        assert not first_looks_focused()
        await pilot.press("tab")
        await wait_for(pilot, lambda: roles.has_focus and first_looks_focused())
        await pilot.press("space")
        await see(pilot, "1  [v] 백신 관리자")
        await pilot.press("space")
        await see(pilot, "1  [ ] 백신 관리자")
