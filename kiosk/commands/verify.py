"""`kiosk verify`: judge a certificate at a door or in a script, offline.

Exit codes: 0 every credential in it is valid, 1 one is not, or there is none, 2 it could not be judged.
"""

from __future__ import annotations

import argparse
import json
import sys
from datetime import UTC, datetime, tzinfo
from pathlib import Path

from domain.errors import ClinicError
from domain.revocation import GetStanding, Standing
from kiosk.crash import describe
from kiosk.credential.checkpoint import content_of, judge, own_trust, with_records
from kiosk.credential.picture import FILE_LIMIT
from kiosk.credential.telling import as_json, plain, tell
from kiosk.credential.trust import Trust
from kiosk.credential.trust_files import trust_from
from kiosk.credential.verify import Verdict
from kiosk.i18n import LANGUAGES, Texts
from kiosk.settings import Settings

VALID, NOT_VALID, NOT_JUDGED = 0, 1, 2


def arguments(verify: argparse.ArgumentParser) -> None:
    """What is shown, and whom to believe."""
    verify.description = "Judge every credential in a PDF, a picture or a text, offline."
    verify.epilog = "exit codes: 0 valid, 1 not valid or no certificate, 2 it could not be judged"
    verify.add_argument("shown", metavar="FILE|TEXT|-", help="a file, what a scanner read, or - for stdin")
    verify.add_argument(
        "--trust",
        action="append",
        default=[],
        type=Path,
        metavar="FILE|FOLDER",
        help="believe these signers instead of this clinic's: certificates, a trust list, an export;"
        " may be given more than once",
    )
    verify.add_argument("--at", type=_instant, metavar="TIME", help="judge as of then, e.g. 2026-11-22T09:00")
    verify.add_argument("--json", action="store_true", help="one JSON object a credential, one a line")


def run(settings: Settings, asked: argparse.Namespace) -> int:
    """Verdicts on stdout, anything else on stderr."""
    at = asked.at or datetime.now(UTC)
    try:
        trust = _trust(settings, asked.trust)
        shown = sys.stdin.buffer.read(FILE_LIMIT + 1) if asked.shown == "-" else content_of(asked.shown)
    except (ClinicError, OSError) as problem:
        print(f"kiosk: {problem}", file=sys.stderr)
        return NOT_JUDGED
    try:
        verdicts = judge(shown, trust, at)
    except Exception as mistake:  # noqa: BLE001 - of ours: nothing is said of the certificate
        print(f"kiosk: it could not be judged ({describe(mistake)})", file=sys.stderr)
        return NOT_JUDGED
    if not asked.trust:
        verdicts = _with_records(settings, verdicts)
    for verdict in verdicts:
        if asked.json:
            print(json.dumps(as_json(verdict, at), ensure_ascii=False))
        else:
            print(in_words(verdict, (asked.lang,) if asked.lang else LANGUAGES, settings.clinic.zone))
    return VALID if all(verdict.ok for verdict in verdicts) else NOT_VALID


def in_words(verdict: Verdict, languages: tuple[str, ...], zone: tzinfo) -> str:
    """The verdict in these languages, one after the other, its times in this zone."""
    lines = []
    for language in languages:
        told = tell(verdict, Texts(language), zone)
        lines += [f"{told.symbol} {told.verdict}", f"  {told.why}"]
        lines += [f"  ! {caution}" for caution in told.cautions]
        lines += [f"  {told.heading}:"] if told.heading else []
        lines += [f"    {label}: {value}" for label, value in told.claims]
        lines.append("")
    if verdict.detail:
        lines.append(f"  ({plain(verdict.detail)})")
    return "\n".join(lines)


def _trust(settings: Settings, given: list[Path]) -> Trust:
    if not given:
        return own_trust(settings.key_folder)
    trust, *others = [trust_from(path) for path in given]
    for other in others:
        trust.join(other)
    return trust


def _with_records(settings: Settings, verdicts: list[Verdict]) -> list[Verdict]:
    """What the clinic's own records know of its certificates, where there are any at hand."""
    import asyncio

    if not any(verdict.signer and verdict.signer.clinic for verdict in verdicts):
        return verdicts
    from kiosk.upkeep import ask_records, has_records

    if not has_records(settings):
        return verdicts

    async def ask(number: str) -> Standing:
        [standing] = await ask_records(settings, GetStanding(number))
        assert isinstance(standing, Standing)
        return standing

    async def work() -> list[Verdict]:
        return [await with_records(verdict, ask) for verdict in verdicts]

    try:
        return asyncio.run(work())
    except Exception as problem:  # noqa: BLE001 - the verdict stands, and says what was not checked
        print(f"kiosk: the records were not asked ({plain(problem)})", file=sys.stderr)
        return verdicts


def _instant(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text).astimezone(UTC)  # without a zone it is the machine's
    except (ValueError, OverflowError):
        raise argparse.ArgumentTypeError(f"“{text}” is not a time like 2026-11-22T09:00") from None
