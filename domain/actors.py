"""Who acts, and in which role. Actors come out of the gateway; nobody states an id of their own."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from domain.errors import NotAllowed


class Role(StrEnum):
    """The people of the clinic, and the system itself."""

    PUBLIC = "public"
    RECIPIENT = "recipient"
    VACCINE_MANAGER = "vaccine-manager"
    VACCINATOR = "vaccinator"
    CERTIFICATE_OFFICER = "certificate-officer"
    ADMINISTRATOR = "administrator"
    SYSTEM = "system"


STAFF = (Role.VACCINE_MANAGER, Role.VACCINATOR, Role.CERTIFICATE_OFFICER, Role.ADMINISTRATOR)
"""What somebody who works here may be; what opens most comes last."""
STAFF_ROLES = frozenset(STAFF)


@dataclass(frozen=True)
class Actor:
    """Somebody the gateway has let in: a code to record, the roles, and a name to greet."""

    code: str
    roles: frozenset[Role]
    name: str = ""

    def has(self, roles: frozenset[Role]) -> bool:
        """Whether one of these roles is among the actor's."""
        return not self.roles.isdisjoint(roles)

    def must_own(self, recipient: str, unless: frozenset[Role]) -> None:
        """Raises NotAllowed for what is another person's, unless these roles see everybody's."""
        if self.code != recipient and not self.has(unless):
            raise NotAllowed


PUBLIC = Actor("public", frozenset({Role.PUBLIC}))
SYSTEM = Actor("system", frozenset({Role.SYSTEM}))

ANYONE = frozenset(Role)
RECIPIENT = frozenset({Role.RECIPIENT})
VACCINE_MANAGER = frozenset({Role.VACCINE_MANAGER})
VACCINATOR = frozenset({Role.VACCINATOR})
CERTIFICATE_OFFICER = frozenset({Role.CERTIFICATE_OFFICER})
ADMINISTRATOR = frozenset({Role.ADMINISTRATOR})
BY_POLICY = frozenset({Role.SYSTEM})
