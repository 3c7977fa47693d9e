"""Booking: vaccine, day, time and person, one question a page; read back; booked once."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime

from textual import on
from textual.message import Message

from domain.booking import Book, BookingReceipt, Day, ListDays, ListSlots, SlotLevel
from domain.errors import (
    AlreadyBooked,
    ClinicError,
    DoseKeepsUntil,
    InputError,
    NotFound,
    SlotFull,
    SlotUnknown,
    SoldOut,
    TooEarly,
    TooYoung,
)
from domain.messages import new_command_id
from domain.recipient import (
    PersonDetails,
    Sex,
    parse_birth_date,
    parse_name,
    parse_passport_name,
    parse_phone,
)
from domain.vaccine import ListVaccines, VaccineLevel
from kiosk.i18n import Texts, Words
from kiosk.screens.base import Refused
from kiosk.screens.booking_words import (
    CONFIRM,
    clock_words,
    day_words,
    hour_words,
    left_words,
    lines_to_review,
    product_words,
    room_words,
)
from kiosk.screens.question import QuestionScreen, Step
from kiosk.services import Services
from kiosk.surnames import passport_surname
from kiosk.widgets.choice_list import Choice

_BACK_TO = {
    SlotFull: "hour",
    SlotUnknown: "hour",
    TooEarly: "day",
    DoseKeepsUntil: "day",
    TooYoung: "vaccine",
    NotFound: "vaccine",
}
"""Which question a refusal asks again."""
_HALVES = {"day", "hour", "passport_surname"}
"""Answers that are none without the next one."""


class GivenNameEmpty(InputError):
    """Asked back once: most passports have a given name."""

    code = "given-name-empty"
    text = "Press Enter again if the passport has no given name."


class BookingScreen(QuestionScreen):
    """Everything that a booking needs, in the order in which people think of it."""

    TEXTS = "booking"
    HELP = "booking.help"

    @dataclass
    class Vaccines(Message):
        """The vaccines with what is left of each."""

        levels: list[VaccineLevel]

    @dataclass
    class Days(Message):
        """The days with the room left on each."""

        days: list[Day]

    @dataclass
    class Slots(Message):
        """The times of the chosen day with the room left in each."""

        slots: list[SlotLevel]

    @dataclass
    class Done(Message):
        """Booked, or on the wait list."""

        receipt: BookingReceipt

    def __init__(self, services: Services) -> None:
        super().__init__(services)
        self.steps = [
            Step("vaccine"),
            Step("day"),
            Step("hour"),
            Step("slot"),
            Step("name", parse_name),
            Step("birth_date", lambda text: parse_birth_date(text, self.today)),
            Step("phone", parse_phone),
            Step("passport_surname", lambda text: parse_passport_name(text, "passport_surname")),
            Step("passport_given", self._parse_given),
            Step("sex"),
            Step("review"),
        ]
        self._levels: dict[str, VaccineLevel] = {}
        self._slots: list[SlotLevel] = []
        self._reviewing = False
        """One line is being changed: its answer leads back to the review."""
        self._empty_given_seen = False
        self._joins_wait_list = False
        self._wish = ""

    # -- asking -------------------------------------------------------------------------------------

    def asked(self, step: Step) -> None:
        """Fetch what the step offers."""
        match step.name:
            case "vaccine":
                self.run_query(ListVaccines(), self.Vaccines)
            case "day":
                self.run_query(ListDays(), self.Days)
            case "hour" | "slot":
                self.run_query(ListSlots(self._day), self.Slots)
            case "sex":
                self.offer([Choice(sex, f"sex.{sex}") for sex in Sex])
            case "review":
                self._review()

    def clinic_changed(self) -> None:
        """What is left changed while somebody looks at it."""
        if self.is_current and self.step.name in {"vaccine", "day", "hour", "slot"}:
            self.asked(self.step)

    @on(Vaccines)
    def _offer_vaccines(self, event: Vaccines) -> None:
        self._levels = {level.vaccine.code: level for level in event.levels}
        if self.step.name == "vaccine":
            choices = [
                Choice(code, product_words(level.vaccine.presentation), left_words(level))
                for code, level in self._levels.items()
            ]
            self.offer(choices, none="booking.vaccine.none")

    @on(Days)
    def _offer_days(self, event: Days) -> None:
        if self.step.name == "day":
            days = [day for day in event.days if day.free > 0 or self._is_sold_out]
            self.offer([Choice(day.date, day_words(day.date)) for day in days], none="booking.day.none")

    @on(Slots)
    def _offer_slots(self, event: Slots) -> None:
        self._slots = [level for level in event.slots if level.free > 0 or self._is_sold_out]
        if self.step.name == "hour":
            free: Counter[datetime] = Counter()
            for level in self._slots:
                free[self._hour(level)] += max(level.free, 0)
            choices = [Choice(hour, hour_words(hour), room_words(people)) for hour, people in free.items()]
        elif self.step.name == "slot":
            choices = [
                Choice(level.slot, clock_words(self._local(level.slot)), room_words(level.free))
                for level in self._slots
                if self._hour(level) == self.answers["hour"]
            ]
        else:
            return
        self.offer(choices, none="booking.hour.none")

    def _hour(self, level: SlotLevel) -> datetime:
        return self._local(level.slot).replace(minute=0)

    # -- answering ------------------------------------------------------------------------------------

    def answered(self, step: Step) -> None:
        """On to the next question; from a changed line back to the review."""
        if step.name == "vaccine":
            self._joins_wait_list = False
        if step.name == "review":
            self._reviewed(str(self.answers["review"]))
        elif step.name in _HALVES:
            self.next_step()
        elif self._reviewing:
            self._return_to_review()
        else:
            self.next_step()

    def action_back(self) -> None:
        """From a line that was to be changed, back to the review."""
        if self._reviewing and self.step.name == "passport_surname" and self._is_of_another_name:
            self.go_to("name")
        elif self._reviewing and self.step.name not in {"review", "hour", "slot", "passport_given"}:
            self._return_to_review()
        else:
            self._reviewing = self._reviewing and self.step.name != "review"
            super().action_back()

    def _return_to_review(self) -> None:
        self.go_to("passport_surname" if self._is_of_another_name else "review")

    @property
    def _is_of_another_name(self) -> bool:
        """Whether the passport's surname was suggested by a name that was put right since."""
        accepted = self.accepted.get("passport_surname", "")
        return accepted not in {"", passport_surname(str(self.answers["name"]))}

    def suggestion(self, step: Step) -> str:
        """The usual passport spelling of the surname; only Enter makes it an answer."""
        if step.name == "passport_surname" and not self.typed.get(step.name):
            return passport_surname(str(self.answers.get("name", "")))
        return ""

    def hint(self, step: Step, texts: Texts) -> str:
        """On the wait list the day and time are wishes."""
        if step.name in {"day", "hour", "slot", "review"} and self._is_sold_out:
            return texts(f"booking.{step.name}.hint_waiting")
        return super().hint(step, texts)

    def _parse_given(self, text: str) -> str:
        """Some passports have no given name; an empty line is meant only when it comes twice."""
        if not text.strip() and not self._empty_given_seen:
            self._empty_given_seen = True
            raise GivenNameEmpty("passport_given")
        return parse_passport_name(text, "passport_given", required=False)

    # -- reading back and booking ---------------------------------------------------------------------

    def _review(self) -> None:
        self._reviewing = True
        self._wish = new_command_id()
        self.choices.offer(
            lines_to_review(self.answers, self._product, self._local, waiting=self._is_sold_out)
        )

    def _reviewed(self, line: str) -> None:
        if line != CONFIRM:
            self.go_to(line)
        elif self.was_read:
            self._book()

    def _book(self) -> None:
        self.announce("shell.working")
        book = Book(self._person(), self._code, self._slot, join_wait_list=self._is_sold_out)
        self.run_command(book, self.Done, self._wish)

    def _person(self) -> PersonDetails:
        answers = self.answers
        birth_date, sex = answers["birth_date"], answers["sex"]
        assert isinstance(birth_date, date)
        assert isinstance(sex, Sex)
        return PersonDetails(
            name=str(answers["name"]),
            birth_date=birth_date,
            phone=str(answers["phone"]),
            passport_surname=str(answers["passport_surname"]),
            passport_given=str(answers["passport_given"]),
            sex=sex,
        )

    @on(Done)
    def _done(self, event: Done) -> None:
        from kiosk.screens.booking_done import BookingDoneScreen

        self.give_way_to(BookingDoneScreen(self.services, event.receipt))

    def refused(self, event: Refused) -> None:
        """Each refusal asks the question again that it is about; the other answers stay."""
        error = event.error
        self.announce("")
        if event.again:
            super().refused(event)
        elif isinstance(error, SoldOut):
            self._offer_wait_list(error)
        elif isinstance(error, AlreadyBooked):
            self.show_message("shell.refused", lambda t: f"{t.error(error)}\n\n{t('booking.see_my_page')}")
        elif isinstance(error, TooEarly) and self._is_beyond(error):
            self.show_message("booking.too_early", lambda t: f"{t.error(error)}\n\n{t('booking.come_again')}")
        elif isinstance(event.request, Book) and type(error) in _BACK_TO:
            self.go_to(_BACK_TO[type(error)], error)
        elif isinstance(event.request, Book) or isinstance(error, InputError):
            self.show_error(error)
        else:
            self.complain(error)

    def _is_beyond(self, error: TooEarly) -> bool:
        """Whether no day that can be booked now is late enough."""
        earliest = error.facts["date"]
        assert isinstance(earliest, date)
        return earliest > max(self.services.clinic.bookable_days(self.services.clock.now()), default=date.min)

    def _offer_wait_list(self, error: ClinicError) -> None:
        """The last dose went while this person was typing."""

        def join() -> None:
            self._joins_wait_list = True
            self._wish = new_command_id()
            self._book()

        self.confirm(
            "booking.sold_out.title", lambda t: f"{t.error(error)}\n\n{t('booking.sold_out.body')}",
            yes="booking.sold_out.join", then=join,
        )  # fmt: skip

    # -- what the answers are -------------------------------------------------------------------------

    @property
    def _code(self) -> str:
        return str(self.answers.get("vaccine", ""))

    @property
    def _product(self) -> Words:
        level = self._levels.get(self._code)
        return product_words(level.vaccine.presentation) if level else ""

    @property
    def _day(self) -> date:
        day = self.answers["day"]
        assert isinstance(day, date)
        return day

    @property
    def _slot(self) -> datetime:
        slot = self.answers["slot"]
        assert isinstance(slot, datetime)
        return slot

    @property
    def _is_sold_out(self) -> bool:
        """Whether this booking is one for the wait list, as far as anybody knows."""
        level = self._levels.get(self._code)
        return self._joins_wait_list or (level is not None and level.vaccine.available <= 0)

    def _local(self, instant: datetime) -> datetime:
        return self.services.clinic.local(instant)
