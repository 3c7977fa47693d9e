"""Which certificates are not to be accepted any more, asked by those who check and who publish it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from domain.actors import ADMINISTRATOR, BY_POLICY, STAFF_ROLES, Role
from domain.messages import Query
from domain.statement import CertificateStatus, Credential


@dataclass(frozen=True)
class Standing:
    """What has become of a certificate, without a word about whose it is."""

    certificate: str
    status: CertificateStatus
    reason: str = ""
    replaced_by: str = ""


@dataclass(frozen=True)
class GetStanding(Query[Standing]):
    """Whether a certificate that somebody shows is still the live one. Raises NotFound."""

    allowed: ClassVar[frozenset[Role]] = STAFF_ROLES | BY_POLICY
    certificate: str


@dataclass(frozen=True)
class Revoked:
    """A certificate that was revoked or replaced, as a revocation list names it."""

    number: str
    credential: Credential


@dataclass(frozen=True)
class ListRevoked(Query[list[Revoked]]):
    """Every certificate that was signed and is not to be accepted any more, oldest first."""

    allowed: ClassVar[frozenset[Role]] = ADMINISTRATOR | BY_POLICY


@dataclass(frozen=True)
class ListSignedWith(Query[list[Standing]]):
    """Every certificate that was signed by the signer of these key ids, oldest first."""

    allowed: ClassVar[frozenset[Role]] = ADMINISTRATOR | BY_POLICY
    key_ids: tuple[str, ...]
