"""Python's collector of cycles, which stops everybody in the process while it looks."""

from __future__ import annotations

import gc

SELDOM = 50_000
"""New objects until it looks; at Python's own 700 it looks after every seventh booking, all of whose objects
go by themselves. What is in cycles stays for a while: some ten megabytes at the most."""


def look_seldom() -> None:
    """What was imported and opened stays, and is not looked at again; what comes is looked at seldom."""
    gc.freeze()
    gc.set_threshold(SELDOM)
