"""What is named on the command line."""

from __future__ import annotations

import argparse

from domain.parts import Part


def part_named(name: str) -> Part:
    """The part of this name, for argparse; it refuses others in words."""
    try:
        return Part(name)
    except ValueError:
        raise argparse.ArgumentTypeError(f"there is no part “{name}”; there are {', '.join(Part)}") from None
