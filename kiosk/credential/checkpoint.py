"""Where certificates are judged: whatever is shown goes in, a verdict on every credential in it comes out."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from domain.codes import Kind, parse_code
from domain.errors import InputError, NotACode, NotFound
from domain.ports import Clock
from domain.revocation import Standing
from domain.statement import CertificateStatus
from kiosk.credential.keys import KeyFolder
from kiosk.credential.picture import FILE_LIMIT, UnreadablePicture, codes_in, is_picture
from kiosk.credential.telling import plain
from kiosk.credential.trust import Caution, Trust
from kiosk.credential.verify import Problem, Verdict, looks_like_one, tidy, verify

Ask = Callable[[str], Awaitable[Standing]]
_FILE_NAME = re.compile(r"(~|\.{0,2}/).*|[^:]+\.[a-z]{2,4}", re.IGNORECASE | re.DOTALL)
"""What a file is called: from some folder on, or with an ending. No credential and no address is."""


class NoSuchFile(InputError):
    """A name that was mistyped says nothing about anybody's certificate."""

    code = "no-such-file"
    text = "There is no file {file}. No certificate was judged: check the name, or scan the QR code."


def own_trust(folder: Path) -> Trust:
    """This clinic's signers, and those that it has withdrawn. Raises KeysUnusable."""
    trust = Trust()
    trust.add_clinic(KeyFolder(folder).trusted())
    return trust


def texts_in(shown: str | bytes) -> list[str] | Verdict:
    """The credentials in what is shown: a file's content, or a text; a verdict when there is none."""
    if isinstance(shown, bytes) and is_picture(shown):
        try:
            found = codes_in(shown)
        except UnreadablePicture as problem:
            return Verdict(Problem.UNREADABLE, str(problem))
        if not found:
            return Verdict(Problem.UNREADABLE, "no-code")
        return [text for text in found if looks_like_one(text)] or found[:1]
    if isinstance(shown, bytes):
        shown = shown[: 1 << 16].decode("utf-8", "replace")
    return [shown]


def content_of(text: str) -> str | bytes:
    """The content of the file of this name, or the text itself if it is none. Raises NoSuchFile, OSError."""
    name = tidy(text)
    if looks_like_one(name) or not name or len(name) > 4096 or "\0" in name:
        return text
    path = Path(name)
    try:
        path = path.expanduser()
        is_file, is_folder = path.is_file(), path.is_dir()
    except (OSError, RuntimeError, ValueError):
        is_file = is_folder = False
    if is_file:
        with path.open("rb") as stream:
            return stream.read(FILE_LIMIT + 1)
    if is_folder or _FILE_NAME.fullmatch(name):
        raise NoSuchFile("shown", file=plain(name))
    return text


def judge(shown: str | bytes, trust: Trust, at: datetime) -> list[Verdict]:
    """A verdict on every credential in it, by signatures and lists alone; one at least."""
    texts = texts_in(shown)
    return [texts] if isinstance(texts, Verdict) else [verify(text, trust, at) for text in texts]


class Checkpoint:
    """Judges by this clinic's keys, and asks its records about its own certificates."""

    def __init__(self, key_folder: Path, clock: Clock, ask: Ask) -> None:
        self._folder, self._clock, self._ask = key_folder, clock, ask

    async def check(self, text: str) -> list[Verdict]:
        """Verdicts on a text, or on the file of this name. Raises KeysUnusable, NoSuchFile."""
        verdicts = await asyncio.to_thread(self._judge, text)
        return [await with_records(verdict, self._ask) for verdict in verdicts]

    def _judge(self, text: str) -> list[Verdict]:
        try:
            shown = content_of(text)
        except OSError as error:
            return [Verdict(Problem.UNREADABLE, error.strerror or "")]
        return judge(shown, own_trust(self._folder), self._clock.now())


async def with_records(verdict: Verdict, ask: Ask) -> Verdict:
    """The same verdict, unless the clinic's own records know better of its own certificate."""
    signed_here = verdict.proven and verdict.signer is not None and verdict.signer.clinic
    if not signed_here or verdict.problem not in {None, Problem.EXPIRED}:
        return verdict
    cautions = tuple(c for c in verdict.cautions if c is not Caution.NO_REVOCATION_LIST)
    try:
        standing = await ask(_number(verdict))
    except (NotFound, NotACode):
        return replace(verdict, cautions=(*cautions, Caution.NOT_IN_RECORDS))
    if standing.status is CertificateStatus.REVOKED:
        return replace(verdict, problem=Problem.REVOKED, detail=standing.replaced_by, cautions=cautions)
    if standing.status is not CertificateStatus.ISSUED:
        # The key is real and the paper is not: somebody signed what the clinic did not hand out.
        return replace(verdict, problem=Problem.NOT_ISSUED, detail=standing.status, cautions=cautions)
    return replace(verdict, cautions=cautions)


def _number(verdict: Verdict) -> str:
    """The certificate's number in a UVCI or a card. Raises NotACode."""
    identifier = verdict.claims.identifier if verdict.claims else ""
    return parse_code(identifier.partition("#")[0].rpartition("/")[2], Kind.CERTIFICATE)
