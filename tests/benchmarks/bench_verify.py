"""Verifying a certificate, without the picture it was scanned from.

Run with ``python -m tests.benchmarks.bench_verify``. A trust list of two thousand signers, as large as
those that countries publish, and a revocation list of a hundred thousand hashes lie in memory.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable
from statistics import median
from time import perf_counter

from cryptography.hazmat.primitives.asymmetric import ec

from kiosk.credential.trust import Trust, TrustedKey
from kiosk.credential.verify import verify
from tests.certificate_facts import NOW, dose, facts, flu, signed, trust

RUNS = 2000
SIGNERS, REVOKED = 2000, 100_000
MILLISECONDS = 1.0
"""What it may take."""


def large_trust() -> Trust:
    """The clinic's signer among many others."""
    believed = trust()
    for number in range(SIGNERS):
        key = ec.derive_private_key(number + 1, ec.SECP256R1()).public_key()
        believed.add(TrustedKey(key, hashlib.sha256(number.to_bytes(4, "big")).digest()[:8]))
    believed.hashes.update(hashlib.sha256(bytes([n % 256, n >> 8 & 255, n >> 16])).hexdigest()[:32]
                           for n in range(REVOKED))  # fmt: skip
    return believed


def measure(work: Callable[[], object]) -> float:
    """The median time in milliseconds."""
    taken = []
    for _ in range(RUNS):
        start = perf_counter()
        work()
        taken.append((perf_counter() - start) * 1000)
    return median(taken)


def main() -> None:
    """Print one line: both forms, against what they may take."""
    believed = large_trust()
    about = facts(doses=(dose(1), dose(2), dose(3, 3)))
    texts = [signed(about).text, signed(facts(doses=(flu(),))).text]
    for text in texts:
        assert verify(text, believed, NOW).ok
    hcert, card = (measure(lambda text=text: verify(text, believed, NOW)) for text in texts)  # type: ignore[misc]
    sys.stdout.write(
        f"verify / {MILLISECONDS:.0f} ms: {max(hcert, card) / MILLISECONDS:.2f}x"
        f" (HCERT {hcert:.2f} ms, card {card:.2f} ms; median of {RUNS}, {SIGNERS} signers trusted)\n"
    )


if __name__ == "__main__":
    main()
