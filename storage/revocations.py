"""What the records say of certificates that somebody shows, or that are published as revoked."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

from sqlalchemy import Select, Text, false, or_, select, type_coerce

from domain import revocation as r
from domain.actors import Actor
from domain.errors import NotFound
from domain.messages import Query
from domain.statement import CertificateStatus
from storage import tables as t


class Revocations:
    """Answers the queries of `domain.revocation`; ``rows`` runs a statement."""

    def __init__(self, rows: Callable[[Select[Any]], Awaitable[list[Any]]]) -> None:
        self._rows = rows
        self.answers: dict[type[Query[Any]], Callable[..., Awaitable[Any]]] = {
            r.GetStanding: self._standing,
            r.ListRevoked: self._revoked,
            r.ListSignedWith: self._signed_with,
        }

    async def _standing(self, query: r.GetStanding, _a: Actor, _n: datetime) -> r.Standing:
        c = t.certificate.c
        statement = select(c.code, c.status, c.reason, c.application).where(c.code == query.certificate)
        rows = await self._rows(statement)
        if not rows:
            raise NotFound(what=query.certificate)
        code, status, reason, application = rows[0]
        if status is not CertificateStatus.REVOKED:
            return r.Standing(code, status, reason)
        live = select(c.code).where(c.application == application, c.status == CertificateStatus.ISSUED)
        newer = await self._rows(live)
        return r.Standing(code, status, reason, newer[0][0] if newer else "")

    async def _revoked(self, _q: r.ListRevoked, _a: Actor, _n: datetime) -> list[r.Revoked]:
        c = t.certificate.c
        statement = (
            select(c.code, c.credential)
            .where(c.status == CertificateStatus.REVOKED, c.credential.is_not(None))
            .order_by(c.seq)
        )
        return [r.Revoked(*row) for row in await self._rows(statement)]

    async def _signed_with(self, query: r.ListSignedWith, _a: Actor, _n: datetime) -> list[r.Standing]:
        c = t.certificate.c
        # A quote inside a value is written \\", so this text stands in it as a member only. It finds a
        # second form too, and is the same on every database.
        credential = type_coerce(c.credential, Text)
        members = [credential.contains(f'"key_id":"{key_id}"', autoescape=True) for key_id in query.key_ids]
        statement = select(c.code, c.status, c.reason).where(or_(false(), *members)).order_by(c.seq)
        return [r.Standing(*row) for row in await self._rows(statement)]
