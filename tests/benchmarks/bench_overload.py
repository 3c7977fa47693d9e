"""`kiosk bench overload`, shorter: everybody at once, and more than can be served."""

from __future__ import annotations

from kiosk.cli import main as kiosk

SECONDS = "6"


def main() -> None:
    """Print its tables."""
    for flush in ("0", "2"):
        print(f"kiosk bench overload, every flush {flush} ms slower")
        kiosk(["bench", "overload", "--seconds", SECONDS, "--flush-ms", flush])


if __name__ == "__main__":
    main()
