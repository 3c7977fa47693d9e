"""What the screens work with once the clinic is open."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from domain.clinic import Clinic
from domain.gateway import Gateway
from domain.parts import LoopState, Part
from domain.ports import Clock
from domain.presentation import Presentation

if TYPE_CHECKING:
    from kiosk.credential.verify import Verdict


class Loop(Protocol):
    """A part in this process, and how it is getting on; see `storage.relay.Loop`."""

    part: Part
    state: LoopState
    problem: str


class Parts(Protocol):
    """The parts that work in this process; see `storage.relay.Relay`."""

    @property
    def loops(self) -> Sequence[Loop]: ...
    async def settle(self) -> None: ...


@dataclass(frozen=True)
class Services:
    """The open clinic, as `bootstrap.open_clinic` put it together."""

    gateway: Gateway
    clinic: Clinic
    clock: Clock
    formulary: tuple[Presentation, ...]
    """The presentations of the clinical rules, for vaccine admin to choose from."""
    on_change: Callable[[Callable[[], None]], None]
    """Register what to call, on the event loop, after anybody's commit."""
    parts: Parts
    queued: Callable[[], int]
    """How many commands wait for this process's writer."""
    close: Callable[[], Awaitable[None]]
    """Finish what was begun, then let the databases go."""
    check_certificate: Callable[[str], Awaitable[list[Verdict]]]
    """Verdicts on what was scanned, pasted, or named as a file; one at least."""
    rotation_due: Callable[[], datetime | None]
    """Since when the key that signs here should have been followed by another; None while it is not due."""
    first_pin: str | None = None
    """The staff PIN, on the very first start only; to be shown once."""

    async def settle(self) -> None:
        """Wait until every part has caught up with what is committed; for tests and command lines."""
        await self.parts.settle()
