"""Staff: who may work at which desk, let in by a PIN of their own."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from domain.actors import ADMINISTRATOR, BY_POLICY, STAFF_ROLES, Actor, Role
from domain.codes import Kind, new_code
from domain.errors import NotAChoice, NotFound
from domain.messages import Command, Query
from domain.ports import Context, UnitOfWork
from domain.recipient import parse_name

PIN_DIGITS = 6


@dataclass(frozen=True, slots=True)
class StaffMember:
    """Somebody who works here. ``pin_hash`` is a slow, salted hash (argon2)."""

    code: str
    name: str
    roles: frozenset[Role]
    pin_hash: str

    @property
    def actor(self) -> Actor:
        """The member as the one who acts."""
        return Actor(self.code, self.roles, self.name)


@dataclass(frozen=True)
class ListStaff(Query[list[StaffMember]]):
    """Everybody who works here."""

    allowed: ClassVar[frozenset[Role]] = ADMINISTRATOR | BY_POLICY


@dataclass(frozen=True)
class Unlock(Query[Actor]):
    """The member of staff with this PIN. Raises WrongPin or TooManyAttempts."""

    pin: str


@dataclass(frozen=True)
class NewPin:
    """Said once, and kept nowhere."""

    name: str
    pin: str


@dataclass(frozen=True)
class EnrolStaff(Command[NewPin]):
    """Somebody new works here; answers the PIN to hand over."""

    allowed: ClassVar[frozenset[Role]] = ADMINISTRATOR | BY_POLICY
    name: str
    roles: frozenset[Role]


@dataclass(frozen=True)
class ResetPin(Command[NewPin]):
    """A new PIN for somebody who lost theirs."""

    allowed: ClassVar[frozenset[Role]] = ADMINISTRATOR | BY_POLICY
    name: str


@dataclass(frozen=True)
class RecordStaff(Command[str]):
    """The member as the clinic keeps them; answers the ``attempt`` whose PIN it is.

    Sent again, it answers the first: the PIN of a later attempt is nobody's.
    """

    allowed: ClassVar[frozenset[Role]] = ADMINISTRATOR | BY_POLICY
    name: str
    roles: frozenset[Role]
    pin_hash: str
    attempt: str = ""


def record_staff(uow: UnitOfWork, command: RecordStaff, context: Context) -> str:
    """Adds a member, or gives the one of this name other roles and another PIN."""
    name = parse_name(command.name)
    if not command.roles or not command.roles <= STAFF_ROLES:
        raise NotAChoice("roles")
    known = next((member for member in uow.staff.all() if member.name == name), None)
    member = known or StaffMember(new_code(Kind.STAFF), name, command.roles, "")
    uow.staff.save(replace(member, roles=command.roles, pin_hash=command.pin_hash))
    return command.attempt


def member_named(members: list[StaffMember], name: str) -> StaffMember:
    """The member of this name. Raises NotFound."""
    for member in members:
        if member.name == name:
            return member
    raise NotFound(what=name)
