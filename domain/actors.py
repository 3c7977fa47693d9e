"""Who acts, and in which role. Actors come out of the gateway; nobody states an id of their own."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """The people of the clinic, as `language.md` names them, and the system itself."""

    PUBLIC = "public"
    RECIPIENT = "recipient"
    VACCINE_MANAGER = "vaccine-manager"
    VACCINATOR = "vaccinator"
    CERTIFICATE_OFFICER = "certificate-officer"
    ADMINISTRATOR = "administrator"
    SYSTEM = "system"


STAFF_ROLES = frozenset({Role.VACCINE_MANAGER, Role.VACCINATOR, Role.CERTIFICATE_OFFICER, Role.ADMINISTRATOR})


@dataclass(frozen=True)
class Actor:
    """Somebody the gateway has let in: a code to record, the roles, and a name to greet."""

    code: str
    roles: frozenset[Role]
    name: str = ""

    def has(self, roles: frozenset[Role]) -> bool:
        """Whether one of these roles is among the actor's."""
        return not self.roles.isdisjoint(roles)


PUBLIC = Actor("public", frozenset({Role.PUBLIC}))
SYSTEM = Actor("system", frozenset({Role.SYSTEM}))

ANYONE = frozenset(Role)
RECIPIENT = frozenset({Role.RECIPIENT})
VACCINE_MANAGER = frozenset({Role.VACCINE_MANAGER})
VACCINATOR = frozenset({Role.VACCINATOR})
CERTIFICATE_OFFICER = frozenset({Role.CERTIFICATE_OFFICER})
ADMINISTRATOR = frozenset({Role.ADMINISTRATOR})
BY_POLICY = frozenset({Role.SYSTEM})
