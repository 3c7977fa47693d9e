"""The steps of a visit, one widget each: check in, screening, the needle, the result, the end."""

from __future__ import annotations

from datetime import date
from typing import ClassVar

from textual.app import ComposeResult
from textual.containers import Vertical

from domain.errors import ClinicError, InputError, LotUnknown
from domain.injection import AdverseEvent, Concern, Known, Screening
from domain.presentation import Site
from domain.stock import Lot
from domain.visit import Visit
from kiosk.gs1 import read_gs1
from kiosk.i18n import Texts, Words
from kiosk.screens.desk.add_stock import lot_on_label
from kiosk.screens.desk.lots import LotState, state_of, usable
from kiosk.screens.desk.visits import Stage, minutes_left
from kiosk.screens.desk.words import figures, hour
from kiosk.services import Services
from kiosk.widgets.checklist import Checklist
from kiosk.widgets.facts import Fact, Facts
from kiosk.widgets.field import Field
from kiosk.widgets.pick import Pick
from kiosk.widgets.proceed import Proceed
from kiosk.widgets.say import Say
from kiosk.widgets.scan_field import LotField

PAST_ALLERGY = "past-allergic-reaction"


class Step(Vertical):
    """One step; another may take its place before it was drawn, so nothing in it is taken for granted."""

    START: ClassVar[str] = "Proceed"
    """What has the focus when the step appears."""

    def on_mount(self) -> None:
        """Its key works at once."""
        for widget in self.query(self.START):
            widget.focus()


class CheckInStep(Step):
    """Read the identity back, then let the person in."""

    def __init__(self, came_on: date | None = None) -> None:
        super().__init__()
        self._came_on = came_on
        """The earlier day on which this was done already."""

    def compose(self) -> ComposeResult:
        """What to ask, and Enter."""
        yield Say("injection_desk.check_in", classes="section")
        if self._came_on:
            yield Say(lambda t: t("injection_desk.check_in_again", date=self._came_on), classes="alarm")
        yield Say("injection_desk.check_in_ask")
        yield Proceed("injection_desk.check_in_enter")


class ScreeningStep(Step):
    """Four concerns and one about the past, answered by no until a key turns one, or it is known already."""

    START = "Checklist"

    def __init__(self, before: Screening | None, known: Known | None, actor: str) -> None:
        super().__init__()
        self._before, self._known, self._actor = before, known, actor
        self._preset: frozenset[object] = frozenset()

    def compose(self) -> ComposeResult:
        """The questions, and room for the reason of whoever overrules what was found."""
        yield Say("injection_desk.screening", classes="section")
        questions: list[tuple[object, str]] = [
            (concern, f"injection_desk.ask.{concern.value}") for concern in Concern
        ]
        questions.append((PAST_ALLERGY, f"injection_desk.ask.{PAST_ALLERGY}"))
        ticked: list[object] = list(self._before.concerns) if self._before else []
        if self._before and self._before.past_allergic_reaction:
            ticked.append(PAST_ALLERGY)
        yield Checklist(questions, "injection_desk.no", "injection_desk.yes", ticked)
        yield Say("injection_desk.screening_keys", id="screening-keys", classes="hint")
        yield Say(id="deferral", classes="alarm")
        yield Say(id="overruling", classes="alarm")
        yield Field("reason", "injection_desk.overruling")

    def on_mount(self) -> None:
        """What is known is answered, and said."""
        if self._known:
            self.heed(self._known)
        self.on_checklist_turned()

    def heed(self, known: Known) -> None:
        """This is known now. What was answered by hand stays."""
        self._known = known
        checklists = list(self.query(Checklist))
        if self._before or not checklists:
            return
        preset = frozenset(known.expected) | ({PAST_ALLERGY} if known.told_of_reaction else set())
        if new := preset - self._preset:
            checklists[0].tick(new)
        self._preset = preset

    @property
    def values(self) -> frozenset[object]:
        """What is answered by yes."""
        return self.query_one(Checklist).values

    @property
    def _left_out(self) -> list[Screening]:
        """What was found, and the answers do not name."""
        return (
            [found for found in self._known.findings if set(found.concerns) - self.values]
            if self._known
            else []
        )

    @property
    def needs_reason(self) -> bool:
        """Whether the answers overrule what somebody else found; what is one's own is refused anyway."""
        return bool(self._left_out) and all(found.by != self._actor for found in self._left_out)

    def on_checklist_turned(self) -> None:
        """Say what the answers mean before they are confirmed."""
        values = self.values
        concerns = values - {PAST_ALLERGY}
        words = "injection_desk.will_defer" if concerns else ""
        if Concern.SEVERE_ALLERGY in concerns:
            words = "injection_desk.will_refuse"
        if not concerns and (PAST_ALLERGY in values or (self._known and self._known.may_have_reacted)):
            words = "injection_desk.will_observe"
        self.query_one("#deferral", Say).say(words)
        overruling = "injection_desk.will_overrule" if self.needs_reason else "injection_desk.found_alone"
        self.query_one("#overruling", Say).say(overruling if self._left_out else "")
        self.query_one(Field).display = self.needs_reason
        self.query_one("#screening-keys").display = not self._left_out


class DoseStep(Step):
    """The lot that expires first is there already; the site is one key, and Enter after it is the dose."""

    START = "Options"

    def __init__(self, visit: Visit, services: Services, vaccinator: str, lots: list[Lot] | None) -> None:
        super().__init__()
        self._visit, self._services, self._vaccinator = visit, services, vaccinator
        self._lots = lots
        self._preselected = ""
        self._labels: dict[str, date] = {}
        """The expiry date on the box of each lot that was scanned here."""

    def compose(self) -> ComposeResult:
        """Lot, vaccinator, and the site last, where the cursor waits."""
        yield Say(self._heading, classes="section")
        yield LotField("lot", "injection_desk.lot")
        yield Say(id="about-lot")
        yield Field("vaccinator", "injection_desk.vaccinator", value=self._vaccinator)
        yield Pick("site", "injection_desk.site_label", [(s, f"injection_desk.site.{s.value}") for s in Site])

    def on_mount(self) -> None:
        """Only the site is left to say."""
        if self._lots is not None:
            self.offer(self._lots)

    def _heading(self, texts: Texts) -> str:
        presentation = self._visit.presentation
        route = texts(f"injection_desk.route.{presentation.route.value}")
        return texts("injection_desk.needle", volume=presentation.volume_ml, route=route)

    @property
    def is_drawn(self) -> bool:
        """Whether its fields are there: neither before they are made nor after another step came."""
        return bool(self.query("#about-lot")) and bool(self.query("LotField Input"))

    @property
    def _field(self) -> LotField:
        return self.query_one(LotField)

    def offer(self, lots: list[Lot]) -> None:
        """These are the lots now; the first to expire is put in, unless another was typed."""
        self._lots = lots
        if not self.is_drawn:
            return
        clinic, now = self._services.clinic, self._services.clock.now()
        first = next(iter(usable(lots, clinic, now)), None)
        if self._field.value == self._preselected:
            self._preselected = first.number if first else ""
            self._field.value = self._preselected
        self.explain()

    def take_scan(self) -> bool:
        """A scanned box becomes its lot; an end left open is settled by the lots that are there.

        Answers whether it was one.
        """
        clinic, now = self._services.clinic, self._services.clock.now()
        scanned = read_gs1(self._field.value, clinic.today(now))
        if scanned is None or scanned.lot is None:
            return False
        known = {lot.number for lot in self._lots or []}
        possible = (scanned.lot, *scanned.other_lots)
        self._field.value = next((lot for lot in possible if lot.upper() in known), scanned.lot)
        self._preselected = ""  # the box in hand stays, whichever lot comes in meanwhile
        if scanned.expires_on:
            self._labels[_number(self._field.value)] = scanned.expires_on
        return True

    def take_lot(self) -> bool:
        """Enter was pressed behind the lot. Answers whether nothing speaks against it."""
        self._field.clear_error()
        words = (self.take_scan() and (self.expired or self.differs)) or self._unknown
        if words:
            self._field.show_error(words)
        return not words

    @property
    def _label(self) -> date | None:
        """What the box of the lot in the field says, when it was scanned."""
        return self._labels.get(_number(self._field.value))

    @property
    def expired(self) -> Words:
        """That the box itself says it must not be used any more; empty when it does not."""
        label, clinic = self._label, self._services.clinic
        if label is None or label >= clinic.today(self._services.clock.now()):
            return ""
        return lambda t: t("injection_desk.label_expired", date=label)

    @property
    def differs(self) -> Words:
        """That box and record name different expiry dates; empty when they agree."""
        label, lot = self._label, self._lot(self._field.value)
        if label is None or lot is None or lot.expires_on == label:
            return ""
        return lambda t: t("injection_desk.label_differs", date=label, recorded=lot.expires_on)

    @property
    def _unknown(self) -> Words:
        """That it is no lot of this vaccine; empty when it is, or nobody knows yet."""
        error: ClinicError
        try:
            number = lot_on_label(self._field.value)
        except InputError as refusal:
            error = refusal
        else:
            if self._lots is None or self._lot(number):
                return ""
            error = LotUnknown(lot=number, vaccine=self._visit.presentation)
        return lambda t: t.error(error)

    def _lot(self, number: str) -> Lot | None:
        wanted = _number(number)
        return next((lot for lot in self._lots or [] if lot.number == wanted), None)

    def explain(self) -> None:
        """What is known of the lot in the field, and whether another should go first."""
        about = self.query_one("#about-lot", Say)
        clinic, now = self._services.clinic, self._services.clock.now()
        value = self._field.value.strip()
        lot, first = self._lot(value), next(iter(usable(self._lots or [], clinic, now)), None)
        about.remove_class("alarm", "hint")
        if self._lots is None:
            about.say("")
        elif first is None:
            about.add_class("alarm").say("injection_desk.no_lot")
        elif lot is None:
            about.say("")
        else:
            self._about(about, lot, first, state_of(lot, clinic, now))

    @staticmethod
    def _about(about: Say, lot: Lot, first: Lot, state: LotState) -> None:
        facts: dict[str, object] = {"date": figures(lot.expires_on), "doses": lot.remaining}
        if lot is first:
            alarm = state is LotState.SOON
            about.add_class("alarm" if alarm else "hint")
            about.say(lambda t: t(f"injection_desk.lot_first{'_soon' if alarm else ''}", **facts))
            return
        about.add_class("alarm")
        if state in (LotState.GOOD, LotState.SOON):
            facts |= {"lot": first.number, "until": figures(first.expires_on)}
            about.say(lambda t: t("injection_desk.lot_later", **facts))
        else:
            about.say(lambda t: f"! {t(f'desk.lot_state.{state.value}')} ({figures(lot.expires_on)})")


def _number(typed: str) -> str:
    return typed.upper().replace(" ", "")


class ResultStep(Step):
    """What was given, until when to observe, when the next dose is due, and what happened after."""

    def __init__(self, visit: Visit, services: Services) -> None:
        super().__init__()
        self._visit, self._services = visit, services

    def compose(self) -> ComposeResult:
        """The result, and back to the list."""
        yield Say("injection_desk.given", classes="section good")
        yield Facts(self._facts())
        yield Proceed("injection_desk.to_list")

    def count_down(self) -> None:
        """The minutes that are left are others now."""
        for facts in self.query(Facts):
            facts.show(self._facts())

    def _facts(self) -> list[Fact]:
        injection, clinic = self._visit.injection, self._services.clinic
        dose = injection.dose
        if dose is None:
            return []
        over = injection.observation_finished_at
        now = self._services.clock.now()

        def observed(texts: Texts) -> str:
            if over is not None:
                return texts("injection_desk.observed_at", time=hour(clinic.local(over)))
            until = hour(clinic.local(dose.observe_until))
            return texts("injection_desk.observe_until", time=until, minutes=minutes_left(injection, now))

        def due(texts: Texts) -> str:
            return texts.day(dose.next_due_on) if dose.next_due_on else texts("injection_desk.none_due")

        def given(texts: Texts) -> str:
            local = clinic.local(dose.given_at)
            return f"{texts.day(local.date())} {hour(local)}, {dose.vaccinator}"

        def how(texts: Texts) -> str:
            site = texts(f"injection_desk.site.{dose.site.value}")
            route = texts(f"injection_desk.route.{dose.route.value}")
            return f"{site}, {route}, {dose.volume_ml} mL"

        return [
            Fact("injection_desk.dose", self._number, "strong"),
            Fact("injection_desk.observation", observed, "" if over else "strong"),
            Fact("injection_desk.next_due", due, "strong"),
            Fact("injection_desk.lot_used", f"{dose.lot} ({figures(dose.expires_on)})"),
            Fact("injection_desk.where", how),
            Fact("injection_desk.given_at", given),
            *(_told(event) for event in injection.adverse_events),
        ]

    def _number(self, texts: Texts) -> str:
        dose = self._visit.injection.dose
        if dose is None:
            return ""
        return texts("injection_desk.dose_of", number=dose.dose_number, total=dose.dose_total)


def _told(event: AdverseEvent) -> Fact:
    def words(texts: Texts) -> str:
        return f"! {texts(f'injection_desk.severity.{event.severity.value}')}: {event.description}"

    return Fact("injection_desk.event", words, "alarm")


class EndStep(Step):
    """Nothing is left to do: put off, voided or withdrawn."""

    def __init__(self, visit: Visit, stage: Stage) -> None:
        super().__init__()
        self._visit, self._stage = visit, stage

    def compose(self) -> ComposeResult:
        """Why, and back to the list."""
        screening = self._visit.injection.screening if self._stage is Stage.DEFERRED else None
        stage = "contraindicated" if screening and screening.is_contraindicated else self._stage.name.lower()
        reasons = screening.concerns if screening else ()
        if self._stage is Stage.WITHDRAWN:
            stage = f"withdrawn-{self._visit.booking_status}"
        yield Say(lambda t: t(f"injection_desk.end.{stage}", reasons=reasons), classes="section alarm")
        if self._stage is not Stage.VOIDED:
            yield Say(f"injection_desk.after.{stage}")
        yield Proceed("injection_desk.to_list")
