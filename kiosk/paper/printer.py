"""The printer as the place where finished paper goes: followed to the end, and never late.

A job is begun without its document, written down (`print_jobs`), and only then given the document. So
whatever happens between those steps, no job can print that nobody knows of.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field

from domain.errors import PaperFailed
from domain.ports import Place
from kiosk.paper.address import Address
from kiosk.paper.archive import in_words
from kiosk.paper.ipp import Attribute, Operation
from kiosk.paper.ipp_client import (
    PDF,
    IppClient,
    IppError,
    JobState,
    PrinterFacts,
    Refused,
)
from kiosk.paper.media import how_to_print
from kiosk.paper.print_jobs import PrintJobs, Slip, find_job
from kiosk.paper.printer_errors import (
    PrintCancelled,
    PrinterOff,
    PrinterPaused,
    PrinterRefused,
    PrinterUnknown,
    PrintServiceDown,
    PrintTooLate,
    PrintUncertain,
    PrintUnconfirmed,
    in_the_way,
)
from kiosk.paper.proof import page_mm

log = logging.getLogger("kiosk.printer")

POLL_SECONDS = 0.25
VERIFY_SECONDS = 5.0
"""How long people wait for the cancelled job to be confirmed as ended, after the deadline."""
_REACHED = "cups-waiting-for-job-completed"
"""CUPS says so once the printer itself has answered; while it is off, CUPS gives no reason at all."""


@dataclass
class _Watch:
    """What was seen of a job on its way, to say in the end what stood in its way."""

    reasons: frozenset[str] = frozenset()
    busy: bool = False
    silent: bool = False
    at_printer: bool = False
    ended: bool = False
    end: JobState | None = None
    """How it ended, once it has; None when it is gone."""


@dataclass
class PrinterArchive:
    """Prints paper on one printer or queue, one job at a time."""

    printer: Address
    jobs: PrintJobs
    deadline_seconds: float
    verify_seconds: float = VERIFY_SECONDS
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def keep(self, name: str, content: bytes) -> Place:
        """Print it before the deadline, or never. Raises PaperFailed, in words."""
        deadline = asyncio.get_running_loop().time() + self.deadline_seconds
        try:
            async with asyncio.timeout_at(deadline):
                await self._turn.acquire()
        except TimeoutError as late:
            raise PrintTooLate(seconds=self._seconds) from late
        try:
            return await self._print(content, deadline)
        finally:
            self._turn.release()

    @property
    def _seconds(self) -> str:
        return f"{self.deadline_seconds:g}"

    async def _print(self, content: bytes, deadline: float) -> Place:
        client, watch, slip = IppClient(self.printer), _Watch(), None
        try:
            async with asyncio.timeout_at(deadline):
                slip = await self._begin(client, content, watch)
                await client.send_document(slip.job, content, self.deadline_seconds)
                await self._follow(client, slip, watch)
        except TimeoutError as late:
            if slip is None:
                raise (self._obstacle(watch) if watch.busy else self._silence()) from late
        except IppError as error:
            if slip is None:
                raise self._before(error) from error
            log.warning("job %s: the document was not taken: %s", slip.job, str(error))
            refused = isinstance(error, Refused)
            raise await self._taken_back(slip, PrinterRefused() if refused else self._silence()) from error
        except BaseException:
            if slip is not None:
                self.jobs.withdraw(slip)
            raise
        if not watch.ended:
            return await self._too_late(slip, watch)
        slip.discard()
        return self._result(watch.end, watch)

    # -- before anything is sent ------------------------------------------------------------------

    async def _begin(self, client: IppClient, content: bytes, watch: _Watch) -> Slip:
        await self.jobs.settled()
        facts = await client.printer()
        self._check(facts)
        page = await asyncio.to_thread(page_mm, content)
        # Never the paper's own name: job names are logged and shown, and a ticket's opens my page.
        name = f"kiosk-{secrets.token_hex(8)}"
        job = await self._create(client, name, how_to_print(facts, page), watch)
        try:
            return await self.jobs.begin(self.printer, job, name)
        except OSError as error:
            await client.cancel(job)
            raise PaperFailed(reason=in_words(error)) from error

    async def _create(self, client: IppClient, name: str, how: Sequence[Attribute], watch: _Watch) -> int:
        while True:
            try:
                return await client.create_job(name, how)
            except Refused as refusal:
                if not refusal.is_busy:
                    raise
                watch.busy, watch.at_printer = True, True
                watch.reasons = (await client.printer()).reasons
            await asyncio.sleep(POLL_SECONDS)

    def _check(self, facts: PrinterFacts) -> None:
        # Other reasons do not count yet: CUPS remembers those of the last job, however old.
        if not facts.accepting or facts.is_paused:
            raise PrinterPaused
        needed = {Operation.CREATE_JOB, Operation.SEND_DOCUMENT}
        if PDF not in facts.formats or not needed <= facts.operations:
            log.warning("%s takes no PDF, or no job in two steps: give it a queue", self.printer.uri)
            raise PrinterRefused

    def _before(self, error: IppError) -> PaperFailed:
        log.warning("%s: %s", self.printer.uri, str(error))
        if isinstance(error, Refused):
            return PrinterUnknown(printer=self.printer.name) if error.is_unknown else PrinterRefused()
        return self._silence()

    def _silence(self) -> PaperFailed:
        return PrintServiceDown() if self.printer.is_queue else PrinterOff()

    # -- on its way -------------------------------------------------------------------------------

    async def _follow(self, client: IppClient, slip: Slip, watch: _Watch) -> None:
        """Until the job has ended, or until waiting is in vain."""
        while True:
            try:
                job, facts = await find_job(client, slip), await client.printer()
            except IppError as error:
                if not watch.silent:
                    log.warning("job %s: %s", slip.job, str(error))
                watch.silent = True
            else:
                watch.silent, watch.reasons = False, facts.reasons | (job.reasons if job else frozenset())
                watch.at_printer |= _REACHED in facts.reasons
                if job is None or job.has_ended:
                    watch.ended, watch.end = True, job.state if job else None
                    return
                if facts.is_paused:
                    return
            await asyncio.sleep(POLL_SECONDS)

    # -- afterwards -------------------------------------------------------------------------------

    async def _too_late(self, slip: Slip, watch: _Watch) -> Place:
        end = await self._withdrawn(slip)
        if end in {JobState.COMPLETED, None}:  # done while it was being cancelled, or nobody knows
            return self._result(end, watch)
        raise self._obstacle(watch)

    async def _taken_back(self, slip: Slip, why: PaperFailed) -> PaperFailed:
        end = await self._withdrawn(slip)
        return PrintUnconfirmed() if end in {JobState.COMPLETED, None} else why

    async def _withdrawn(self, slip: Slip) -> JobState | None:
        """How the job ended once cancelled. Raises PrintUncertain when nobody can say in time."""
        withdrawal = asyncio.shield(self.jobs.withdraw(slip))
        try:
            return await asyncio.wait_for(withdrawal, self.verify_seconds)
        except TimeoutError as unknown:
            raise PrintUncertain from unknown

    def _obstacle(self, watch: _Watch) -> PaperFailed:
        log.warning("%s: %s", self.printer.uri, ", ".join(sorted(watch.reasons)) or "no reason given")
        found = in_the_way(watch.reasons)
        if found:
            return found()
        if self.printer.is_queue and not watch.at_printer:
            return PrinterOff()
        return PrintTooLate(seconds=self._seconds)

    def _result(self, end: JobState | None, watch: _Watch) -> Place:
        if end is JobState.COMPLETED:
            return Place(self.printer.name, printed=True)
        if end is None:
            raise PrintUnconfirmed
        if end is JobState.CANCELED:
            raise PrintCancelled
        raise (in_the_way(watch.reasons) or PrinterRefused)()
