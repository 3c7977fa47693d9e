"""Every refusal of the clinic is a type with a code and a text.

The text here is the English one; the kiosk holds the other languages under the same code.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import ClassVar


class ClinicError(Exception):
    """A refusal in words: ``code`` names it, ``text`` says it, ``facts`` fill the text in."""

    code: ClassVar[str] = "clinic-error"
    text: ClassVar[str] = "The clinic could not do this."
    variants: ClassVar[Mapping[str, str]] = MappingProxyType({})
    """Other texts, by the name of the `variant` of the facts that they fit."""

    def __init__(self, **facts: object) -> None:
        self.facts = facts
        super().__init__(self.code)

    @property
    def variant(self) -> str:
        """Which of the ``variants`` says it; empty where ``text`` does."""
        return ""

    def __str__(self) -> str:
        return self.variants.get(self.variant, self.text).format_map(self.facts)


class InputError(ClinicError):
    """What was typed into one field cannot be accepted; ``field`` says which."""

    code = "input-invalid"
    text = "This entry cannot be used."

    def __init__(self, field: str, **facts: object) -> None:
        self.field = field
        super().__init__(**facts)


class Missing(InputError):
    code = "input-missing"
    text = "Please fill this in."


class TooLong(InputError):
    code = "input-too-long"
    text = "At most {limit} characters."


class BadCharacters(InputError):
    code = "input-characters"
    text = "“{characters}” cannot be used here."


class NotInAName(BadCharacters):
    code = "input-not-in-a-name"
    text = "“{characters}” cannot be used here. Write the name in letters."


class Invisible(BadCharacters):
    """Nothing is to be seen of it, so it is not shown either."""

    code = "input-invisible"
    text = "There is a character here that cannot be seen. Please delete it and type this again."


class UnfinishedSyllable(InputError):
    """A Hangul letter that stands alone is no syllable, and no part of a name."""

    code = "input-unfinished-syllable"
    text = "“{letters}” is not a whole syllable. Please finish typing it."


class NotLatin(InputError):
    code = "input-not-latin"
    text = "Write it in Latin letters (A to Z), as in the passport."


class NotOnALabel(InputError):
    """Letters that no lot number and no English name has: the keyboard was left in Hangul mode, as a rule."""

    code = "input-not-on-a-label"
    text = "Write it in Latin letters and digits, as on the label."


class NotADate(InputError):
    code = "input-not-a-date"
    text = "Write the date as 8 digits: year, month, day. For example 19450815."


class DateInFuture(InputError):
    code = "input-date-future"
    text = "This date is in the future."


class DateTooOld(InputError):
    code = "input-date-old"
    text = "This date is more than {years} years ago."


class DateInPast(InputError):
    code = "input-date-past"
    text = "This date has already passed."


class NotAPhone(InputError):
    code = "input-not-a-phone"
    text = "Write the phone number in digits. Foreign numbers begin with +. For example 01012345678."


class PhoneNeedsPlus(NotAPhone):
    """Dialled from one country a foreign number begins with 00, from another with something else."""

    code = "input-phone-needs-plus"
    text = "Write + in place of the 00 in front. For example +82 10 1234 5678."


class NotANumber(InputError):
    code = "input-not-a-number"
    text = "Write a whole number from {least} to {most}."


class NotAChoice(InputError):
    code = "input-not-a-choice"
    text = "Please choose one of the list."


class NotACode(InputError):
    code = "input-not-a-code"
    text = "This is not a code of this clinic. Please check it once more."


class NotAllowed(ClinicError):
    code = "not-allowed"
    text = "This is not open to you. Please ask the staff."


class NotFound(ClinicError):
    code = "not-found"
    text = "Nothing is recorded under {what}."


class NotIdentified(ClinicError):
    code = "not-identified"
    text = "We find nobody with these details. Please check them, or ask the staff."


class WrongPin(ClinicError):
    code = "wrong-pin"
    text = "This PIN is not known."


class StaffKnown(ClinicError):
    code = "staff-known"
    text = (
        "{name} works here already. --again gives them these roles and a new PIN; "
        "`kiosk staff reset-pin` a new PIN alone."
    )


class PinSaidBefore(ClinicError):
    code = "pin-said-before"
    text = (
        "This request has made a PIN for {name} already. "
        "A PIN is said once and kept nowhere: please make a new one."
    )


class TooManyAttempts(ClinicError):
    code = "too-many-attempts"
    text = "Too many wrong attempts. Please wait {seconds} seconds."


class VaccineExists(ClinicError):
    code = "vaccine-exists"
    text = "{vaccine} is registered already."


class InsufficientStock(ClinicError):
    code = "insufficient-stock"
    text = "Only {remaining} doses are left of lot {lot}."
    variants = MappingProxyType(
        {"none": "Nothing is left of lot {lot}.", "one": "Only one dose is left of lot {lot}."}
    )

    @property
    def variant(self) -> str:
        """One dose is said in the singular, and none as nothing."""
        remaining = self.facts.get("remaining")
        return "none" if remaining == 0 else "one" if remaining == 1 else ""


class SoldOut(ClinicError):
    code = "sold-out"
    text = "No dose of {vaccine} is left. You can join the wait list."


class DoseKeepsUntil(ClinicError):
    """There are doses, and the day that was asked for is after they expire."""

    code = "dose-keeps-until"
    text = "The doses of {vaccine} that are left keep until {date}. Please choose a day up to then."


class SlotUnknown(ClinicError):
    code = "slot-unknown"
    text = "The clinic is not open at this time. Please choose another."


class SlotFull(ClinicError):
    code = "slot-full"
    text = "This time is full. Please choose another."


class AlreadyBooked(ClinicError):
    code = "already-booked"
    text = "You already have a booking for this vaccine."
    variants = MappingProxyType({"waiting": "You are already on the wait list for this vaccine."})

    @property
    def variant(self) -> str:
        """A place on the wait list is no booking."""
        return "waiting" if self.facts.get("status") == "waiting" else ""


class TooYoung(ClinicError):
    code = "too-young"
    text = "{vaccine} is given from the age of {years} and {months} months."
    variants = MappingProxyType(
        {
            "years": "{vaccine} is given from the age of {years}.",
            "months": "{vaccine} is given from {months} months of age.",
        }
    )

    @property
    def variant(self) -> str:
        """What is zero is not said."""
        if not self.facts.get("months"):
            return "years"
        return "" if self.facts.get("years") else "months"


class TooEarly(ClinicError):
    code = "too-early"
    text = "The next dose can be given from {date}."


class BookingClosed(ClinicError):
    code = "booking-closed"
    text = "This booking is closed already ({status})."


class SlotNotBegun(ClinicError):
    code = "slot-not-begun"
    text = "This booking is for {date}, {time}. Nobody can have missed it yet."


class AlreadyHere(ClinicError):
    code = "already-here"
    text = "This person is checked in. If they go without the dose, please cancel the booking."


class NotExpected(ClinicError):
    code = "injection-not-expected"
    text = "This visit cannot be changed any more ({status})."


class NotCheckedIn(ClinicError):
    code = "injection-not-checked-in"
    text = "Check the person in first."


class CheckedInBefore(NotCheckedIn):
    code = "injection-checked-in-before"
    text = "This person was checked in on {date}. Read the identity back and check them in again today."


class ScreeningMissing(ClinicError):
    code = "screening-missing"
    text = "Today's screening is missing. It is valid on the same day only."


class ScreeningDeferred(ClinicError):
    code = "screening-deferred"
    text = "The screening says not today: {reasons}."
    variants = MappingProxyType(
        {"never": "The screening says that this vaccine must not be given: {reasons}. Ask a doctor."}
    )

    def __init__(self, never: bool = False, **facts: object) -> None:
        self.never = never
        super().__init__(**facts)

    @property
    def variant(self) -> str:
        """A contraindication does not pass by tomorrow."""
        return "never" if self.never else ""


class ScreeningStands(ClinicError):
    code = "screening-stands"
    text = (
        "The screening of {date} found: {reasons}. Whoever found it cannot take it back: "
        "another member of staff has to come in with their own PIN, screen again and give the reason."
    )


class SevereReaction(ClinicError):
    code = "severe-reaction"
    text = (
        "A severe adverse event after an earlier dose was reported on {date}: this vaccine is not given. "
        "Whoever reported it cannot take it back: another member of staff has to come in with their own PIN, "
        "screen again and give the reason."
    )


class LotUnknown(ClinicError):
    code = "lot-unknown"
    text = "Lot {lot} is not a lot of {vaccine}."


class LotExpired(ClinicError):
    code = "lot-expired"
    text = "Lot {lot} expired on {date}."


class LotInQuarantine(ClinicError):
    code = "lot-quarantined"
    text = "Lot {lot} is in quarantine and must not be used."


class LotMismatch(ClinicError):
    code = "lot-mismatch"
    text = "Lot {lot} is recorded with the expiry date {date}."


class DoseToday(ClinicError):
    code = "dose-today"
    text = "A dose against this disease was already given today."


class ObservationOpen(ClinicError):
    code = "observation-open"
    text = "The observation lasts until {time}."


class KnownAlready(ClinicError):
    code = "known-already"
    text = "Somebody else with this name, birth date and phone is known already. Nothing was changed."


class NothingChanged(ClinicError):
    code = "nothing-changed"
    text = "Nothing here differs from what is recorded."


class NotCompleted(ClinicError):
    code = "injection-not-completed"
    text = "This vaccination is not completed, so there is nothing to certify yet."


class AlreadyApplied(ClinicError):
    code = "already-applied"
    text = "A certificate was already applied for. Its application is {application}."


class ApplicationClosed(ClinicError):
    code = "application-closed"
    text = "This application is closed already ({status})."


class CertificateClosed(ClinicError):
    code = "certificate-closed"
    text = "This certificate cannot be issued or printed ({status})."


class CertificateOutdated(ClinicError):
    code = "certificate-outdated"
    text = "The record changed meanwhile. Please try once more."


class TaskClosed(ClinicError):
    code = "task-closed"
    text = "This task was not put aside ({status})."


class CommandReused(ClinicError):
    code = "command-reused"
    text = "This request was already used for something else."


class StorageUnavailable(ClinicError):
    code = "storage-unavailable"
    text = "The record could not be saved ({reason}). Nothing was changed. Please call the staff."


class RecordsUnread(StorageUnavailable):
    code = "records-unread"
    text = "The records could not be read ({reason}). Nothing is lost. Please try again, or call the staff."


class CannotSign(ClinicError):
    """The clinic can sign nothing just now; it does not lie in what was to be signed."""

    code = "cannot-sign"
    text = "Nothing can be signed just now. Please call the administrator."


class EventIllegible(ClinicError):
    """A row of the records is damaged: no policy can be run on it, however often it is tried."""

    code = "event-illegible"
    text = "An event of the records cannot be read. `kiosk check` names the row."


class RecordIllegible(ClinicError):
    """A row that was needed is damaged. The others are well, and trying again does not mend it."""

    code = "record-illegible"
    text = "A record that is needed here is damaged ({reason}). Nothing was changed. Please call the staff."


class RecordsRefused(ClinicError):
    """What was to be written breaks a rule of the tables. It never succeeds, and the records are well."""

    code = "records-refused"
    text = "This contradicts the records and was not saved. Nothing was changed. Please call the staff."


class OutcomeUnknown(ClinicError):
    code = "outcome-unknown"
    text = "It is not certain that this was saved. Please look it up before trying again."


class PaperFailed(ClinicError):
    code = "paper-failed"
    text = "The paper could not be made ({reason}). The record itself is safe."
    may_have_come_out: ClassVar[bool] = False
    """Whether a copy may be in somebody's hands nevertheless."""
    of_this_paper: ClassVar[bool] = False
    """Whether another paper might come out nevertheless, so that it need not wait for this one."""


class ClinicBusy(ClinicError):
    """Turned away before the queue: waiting would take longer than people have patience for."""

    code = "clinic-busy"
    text = (
        "So many people are being served at this moment. Nothing was changed. "
        "Please try again in about {seconds} seconds."
    )


class Resting(ClinicError):
    """A part of the clinic failed several times and is left alone for a while; ``seconds`` says how long.

    ``over_limit``: it was tried, and took longer than it may.
    """

    code = "resting"
    text = "This does not work just now. Please come back in about {seconds} seconds."

    def __init__(self, over_limit: bool = False, **facts: object) -> None:
        self.over_limit = over_limit
        super().__init__(**facts)


class RecordsResting(Resting):
    code = "records-resting"
    text = (
        "The clinic's records cannot be reached. Nothing was changed. "
        "Please come back in about {seconds} seconds, or ask the staff."
    )


class MyPageResting(Resting):
    code = "my-page-resting"
    text = (
        "My page cannot be shown just now. Everything you booked and applied for is kept. "
        "Please come back in about {seconds} seconds."
    )


class IssuingResting(Resting):
    code = "issuing-resting"
    text = (
        "Certificates cannot be made just now. The application is kept. "
        "Please try again in about {seconds} seconds."
    )


class PrinterResting(Resting):
    code = "printer-resting"
    text = (
        "The printer does not answer. The record itself is safe. "
        "Please try again in about {seconds} seconds, or call the staff."
    )


class RecordsNewer(ClinicError):
    code = "records-newer"
    text = "A newer version brought the records to layout {found}. This one knows {known}: please upgrade it."


class IdentityKeyMissing(ClinicError):
    """With another key nobody who is known would be found, and everybody could be registered once more."""

    code = "identity-key-missing"
    text = (
        "The key by which people are found is not in these records, or is damaged. Nothing was changed. "
        "Please call the administrator: a backup from before has to be restored."
    )


class NoRecords(ClinicError):
    code = "no-records"
    text = "There are no records of a clinic in {where}."


class BackupFailed(ClinicError):
    code = "backup-failed"
    text = "No backup was made: {reason}. Earlier backups are as they were."


class BackupDamaged(ClinicError):
    code = "backup-damaged"
    text = "{file} is no backup that can be trusted: {reason}."


class BackupUntested(ClinicError):
    code = "backup-untested"
    text = "{file} could not be tested: {reason}. That says nothing about the backup."


class RestoreRefused(ClinicError):
    code = "restore-refused"
    text = "Nothing was restored: {reason}. The records are as they were."


class RecordsInTheWay(RestoreRefused):
    code = "records-in-the-way"
    text = (
        "Nothing was restored: there are records in {where}. "
        "With --replace they are put aside, and the backup takes their place."
    )


class RecordsInUse(RestoreRefused):
    code = "records-in-use"
    text = "Nothing was restored: {who} has the records open. Close every kiosk and worker, then try again."


class BackupBreaksRules(RestoreRefused):
    code = "backup-breaks-rules"
    text = (
        "Nothing was restored: the records in this backup break {count} rules of the clinic "
        "(--verify shows them). With --anyway they are restored as they are."
    )


class BackupNewer(RestoreRefused):
    """What the newer version added has no place on a server that this one lays out."""

    code = "backup-newer"
    text = (
        "Nothing was restored: a newer version made this backup, with layout {found}; "
        "this one knows {known}. Please upgrade it first."
    )


class RestoreUnfinished(ClinicError):
    code = "restore-unfinished"
    text = (
        "The records are restored, but not the signing keys yet ({reason}). "
        "Opening the kiosk, or the next restore, installs them."
    )


class SettingsInvalid(ClinicError):
    code = "settings-invalid"
    text = "{where}: {problem}"
