"""Fine-line ornament: two bands and a rosette, drawn as a few smooth curves.

They give the paper its face and make a bad copy look bad. The curves never change, so they are worked
out once.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from math import cos, pi, sin

from reportlab.lib.units import mm
from reportlab.pdfgen.pathobject import PDFPathObject

Curve = Callable[[float], tuple[float, float]]


@cache
def band(width: float, height: float, waves: int, strands: int) -> PDFPathObject:
    """Interlaced waves that swell and narrow along a band; its origin is its left end, half-way up."""
    code: list[str] = []
    for strand in range(strands):
        shift = 2 * pi * strand / strands

        def wave(t: float, shift: float = shift) -> tuple[float, float]:
            swell = 0.62 + 0.38 * cos(2 * pi * waves / 4 * t)
            return width * mm * t, height / 2 * mm * swell * sin(2 * pi * waves * t + shift)

        _trace(code, wave, 0.0, 1.0, waves * 6)
    return PDFPathObject(["n", *code])


@cache
def rosette(radius: float, lobes: int, strands: int) -> PDFPathObject:
    """A flower of rings whose radius swings around a circle, each turned a little from the last."""
    code: list[str] = []
    for strand in range(strands):
        turn = 2 * pi * strand / strands / lobes
        depth = 0.05 + 0.11 * strand / strands

        def ring(t: float, turn: float = turn, depth: float = depth) -> tuple[float, float]:
            angle = 2 * pi * t
            r = radius * mm * (1 - depth * (1 + sin(lobes * (angle + turn))))
            return r * cos(angle), r * sin(angle)

        _trace(code, ring, 0.0, 1.0, lobes * 4)
    return PDFPathObject(["n", *code])


def _trace(code: list[str], curve: Curve, start: float, end: float, pieces: int) -> None:
    """A smooth curve through points of another: each piece is a Bézier with the curve's own slopes."""
    step = (end - start) / pieces
    x, y = curve(start)
    code.append(f"{x:.1f} {y:.1f} m")
    for n in range(pieces):
        t0, t1 = start + n * step, start + (n + 1) * step
        (x0, y0), (x3, y3) = curve(t0), curve(t1)
        (u0, v0), (u1, v1) = _slope(curve, t0, step), _slope(curve, t1, step)
        a, b, c, d = x0 + u0 / 3, y0 + v0 / 3, x3 - u1 / 3, y3 - v1 / 3
        code.append(f"{a:.1f} {b:.1f} {c:.1f} {d:.1f} {x3:.1f} {y3:.1f} c")


def _slope(curve: Curve, t: float, step: float) -> tuple[float, float]:
    nudge = 1e-5
    (x0, y0), (x1, y1) = curve(t - nudge), curve(t + nudge)
    return (x1 - x0) / (2 * nudge) * step, (y1 - y0) / (2 * nudge) * step
