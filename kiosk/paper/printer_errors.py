"""Why no paper came out of the printer, and what to do about it, in words.

Every text but those of `PrintUncertain` and `PrintUnconfirmed` promises that nothing comes out later: they
are raised only when nothing was sent, or when the printer confirmed the job's end.
"""

from __future__ import annotations

from domain.errors import PaperFailed


class PrinterOff(PaperFailed):
    """The printer, or the machine it hangs on, does not answer."""

    code = "printer-off"
    text = "The printer does not answer. It may be switched off. Nothing was printed. Please call the staff."


class PrintServiceDown(PaperFailed):
    """The print service between kiosk and printer does not answer."""

    code = "print-service-down"
    text = "The print service of this terminal does not run. Nothing was printed. Please call the staff."


class PrinterUnknown(PaperFailed):
    """There is no such queue, or what answers is no printer."""

    code = "printer-unknown"
    text = "There is no printer “{printer}”. Nothing was printed. Please call the staff."


class PaperOut(PaperFailed):
    """The tray is empty, or the paper that is wanted is not in it."""

    code = "printer-paper-out"
    text = "The printer has no paper. Nothing was printed. Please ask the staff to fill it, then try again."


class PaperJam(PaperFailed):
    """A sheet is stuck."""

    code = "printer-jam"
    text = "Paper is stuck in the printer. Please call the staff, then try again."


class CoverOpen(PaperFailed):
    """A cover or a door stands open."""

    code = "printer-cover-open"
    text = "The printer's cover is open. Please ask the staff to close it, then try again."


class InkOut(PaperFailed):
    """Ink or toner is used up."""

    code = "printer-ink-out"
    text = "The printer has no ink or toner left. Please call the staff, then try again."


class PrinterPaused(PaperFailed):
    """Somebody stopped the printer or its queue."""

    code = "printer-paused"
    text = "The printer has been stopped. Nothing was printed. Please ask the staff to start it again."


class PrinterRefused(PaperFailed):
    """The printer cannot, or may not, print this document."""

    code = "printer-refused"
    text = "The printer refused this page. Nothing was printed. Please call the staff."
    of_this_paper = True


class PrintCancelled(PaperFailed):
    """Somebody else ended the job: at the printer, or at the print service."""

    code = "print-cancelled"
    text = "Printing was cancelled at the printer. Please try again, or ask the staff."
    of_this_paper = True


class PrintTooLate(PaperFailed):
    """The deadline passed, for no reason that the printer gave."""

    code = "print-too-late"
    text = "The printer was not done within {seconds} seconds, so it was cancelled. Please call the staff."


class PrintUncertain(PaperFailed):
    """The deadline passed, and the job's end is not confirmed: nobody answers, or it is still stopping."""

    code = "print-uncertain"
    text = (
        "The printer has not confirmed that this was cancelled, so it may still come out."
        " Please call the staff. The terminal goes on cancelling it."
    )
    may_have_come_out = True


class PrintUnconfirmed(PaperFailed):
    """The job is over, and nothing is left that says how it ended."""

    code = "print-unconfirmed"
    text = "The printer does not say whether it printed this. Please look there, or call the staff."
    may_have_come_out = True


_BY_REASON: tuple[tuple[frozenset[str], type[PaperFailed]], ...] = (
    (frozenset({"connecting-to-device", "offline", "timed-out", "shutdown", "hibernate"}), PrinterOff),
    (frozenset({"media-jam"}), PaperJam),
    (frozenset({"cover-open", "door-open", "interlock-open", "input-tray-missing"}), CoverOpen),
    (frozenset({"media-empty", "media-needed"}), PaperOut),
    (frozenset({"marker-supply-empty", "toner-empty", "marker-waste-full", "developer-empty"}), InkOut),
    (frozenset({"paused", "moving-to-paused", "stopped-partly"}), PrinterPaused),
)
_SEVERITIES = ("-report", "-warning", "-error")


def in_the_way(reasons: frozenset[str]) -> type[PaperFailed] | None:
    """What the printer's own reasons amount to; the one to put right first comes first."""
    plain = set()
    for reason in reasons:
        severity = next((end for end in _SEVERITIES if reason.endswith(end)), "")
        plain.add(reason.removesuffix(severity))
    return next((error for names, error in _BY_REASON if names & plain), None)
