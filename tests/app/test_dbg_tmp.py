import time
import traceback

from tests.app.conftest import *
from tests.app.test_injection_desk import *


async def test_dbg(kiosk):
    async with kiosk() as (app, pilot):
        receipt = await book(app)
        visit = await at_visit(app, pilot, spoken(receipt.booking))
        await pilot.press("enter")
        await wait_for(pilot, lambda: visit.query(ScreeningStep) and visit.was_read)
        await pilot.press("enter")
        await wait_for(pilot, lambda: visit.query(DoseStep) and visit.was_read)
        await wait_for(pilot, lambda: visit.entry("lot").value == "LOT1")
        t=time.time()
        orig=visit.dismiss
        def d(*a):
            print('DISMISS',time.time()-t); traceback.print_stack(limit=6); return orig(*a)
        visit.dismiss=d
        sv=visit.show_visit
        def s():
            sv(); print('show', time.time()-t, visit.stage, visit.busy)
        visit.show_visit=s
        await pilot.press("2"); print('2',time.time()-t)
        await pilot.press("enter"); print('e1',time.time()-t, visit.busy)
        await pilot.press("enter"); print('e2',time.time()-t, visit.busy, app.screen)
        await pilot.pause(1)
        print(app.screen)
