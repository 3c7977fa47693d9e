"""A batch of 1,000 certificates, every one of somebody else, against as many bare reportlab pages.

Run with ``python -m tests.benchmarks.bench_batch [COUNT]``. The bare page is that of `bench_certificate`:
the same text and a QR of the same kind, nothing else. All three are made in turns, certificate by
certificate, so that they meet the same machine.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from time import perf_counter

from domain.statement import CertificateFacts, Credential
from kiosk.paper.certificate import certificate_page
from kiosk.paper.fonts import load_fonts
from kiosk.paper.press import ReportlabPress
from tests.benchmarks.bench_certificate import FACTS, bare_face, bare_page, lines
from tests.certificate_facts import signed

COUNT = 1_000
BAR = 30
_SURNAMES, _SYLLABLES = "김이박최정강조윤장임", "가나다라마바사아자차카타파하늘빛솔별"


def people(count: int) -> list[tuple[CertificateFacts, Credential]]:
    """So many people, each with a name and a credential of their own."""
    batch = []
    for number in range(count):
        given = _SYLLABLES[number % 18] + _SYLLABLES[number // 18 % 18]
        code = f"C{number:08d}"
        name, identifier = _SURNAMES[number % 10] + given, f"URN:UVCI:01:KR:X/{code}#0"
        about = replace(FACTS, name=name, number=code, uvci=identifier)
        batch.append((about, signed(about)))
    return batch


def show(done: int, count: int, seconds: float) -> None:
    """The progress bar, on stderr."""
    filled = BAR * done // count
    bar = "█" * filled + "·" * (BAR - filled)
    left = seconds / done * (count - done)
    sys.stderr.write(f"\r{bar} {done} of {count} certificates, {left:.0f} s left ")
    sys.stderr.flush()


def main(count: int = COUNT) -> None:
    """Print one line: certificates per second, and the ratios."""
    text = lines()
    bare_face("".join(text))
    press, fonts = ReportlabPress(), load_fonts()
    batch = people(count)
    taken = [0.0, 0.0, 0.0]
    begin = perf_counter()
    for number, (about, credential) in enumerate(batch, start=1):
        makers = (
            lambda credential=credential: bare_page(text, credential),
            lambda about=about, credential=credential: certificate_page(about, credential, fonts),
            lambda about=about, credential=credential: press.print_certificate(about, credential),
        )
        for index, make in enumerate(makers):
            start = perf_counter()
            make()
            taken[index] += perf_counter() - start
        if number % 10 == 0 or number == count:
            show(number, count, perf_counter() - begin)
    sys.stderr.write("\n")
    bare, drawn, proven = (count / seconds for seconds in taken)
    sys.stdout.write(
        f"batch of {count} certificates / bare pages: {bare / drawn:.2f}x without the proof,"
        f" {bare / proven:.2f}x with it (bare {bare:.0f}, drawn {drawn:.0f}, proven {proven:.0f} a second)\n"
    )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else COUNT)
