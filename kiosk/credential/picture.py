"""The codes in a picture or a PDF. Run as a program of its own, with its memory and its time bounded:
what strangers hand over may be made to break the libraries that read it.

    python -m kiosk.credential.picture < certificate.pdf    prints a JSON list of texts
"""

from __future__ import annotations

import io
import json
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

FILE_LIMIT = 20 * 1024 * 1024
SECONDS = 10
MEMORY = 256 * 1024 * 1024
"""What one file may take beyond what the libraries themselves do: a coloured A4 page at 600 dpi."""
_PAGES = 4
_LONG_SIDE = 2400
"""Pixels: an A4 page at about 200 dpi, whatever size the page says it has."""
_PIXELS, _PNG_PIXELS, _JPEG_PIXELS = 12_000_000, 36_000_000, 60_000_000
"""Looked at as they are; read at all, where the whole picture has to be, and where a smaller one will do."""
_DAMAGED, _TOO_LARGE = 1, 2


class UnreadablePicture(Exception):
    """No code could be read, and why."""


class _TooLarge(Exception):
    """More pixels than are read."""


def is_picture(content: bytes) -> bool:
    """Whether this is a file of a kind that can hold a code."""
    return content.startswith((b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff")) or b"%PDF-" in content[:1024]


def codes_in(content: bytes) -> list[str]:
    """The texts of every QR code in the file, read beside this process. Raises UnreadablePicture."""
    if len(content) > FILE_LIMIT:
        raise UnreadablePicture("larger than 20 MiB")
    try:
        run = subprocess.run(
            [sys.executable, "-m", __name__],
            input=content,
            capture_output=True,
            timeout=SECONDS + 2,
            check=False,
            cwd=Path(__file__).resolve().parents[2],
        )
    except subprocess.TimeoutExpired as error:
        raise UnreadablePicture("it takes too long to read") from error
    except OSError as error:
        raise UnreadablePicture("the reader could not be started") from error
    if run.returncode == _TOO_LARGE:
        raise UnreadablePicture("the picture is too large; scan it anew at 300 dpi")
    if run.returncode != 0:
        raise UnreadablePicture("it is damaged, or made to break its reader")
    texts: list[str] = json.loads(run.stdout)
    return texts


def read_codes(content: bytes) -> list[str]:
    """The same, in this process and without bounds."""
    found: list[str] = []
    pictures = _pages(content) if b"%PDF-" in content[:1024] else _images(content)
    for picture in pictures:
        for text in _codes(picture):
            if text not in found:
                found.append(text)
    return found


def _pages(content: bytes) -> Iterator[Any]:
    import pypdfium2

    document = pypdfium2.PdfDocument(content)
    for number in range(min(len(document), _PAGES)):
        page = document[number]
        scale = _LONG_SIDE / max(*page.get_size(), 1.0)
        yield page.render(scale=min(scale, 200 / 72), grayscale=True, may_draw_forms=False).to_pil()


def _images(content: bytes) -> Iterator[Any]:
    from PIL import Image

    try:
        opened = Image.open(io.BytesIO(content), formats=("PNG", "JPEG"))
    except Image.DecompressionBombError as error:
        raise _TooLarge from error
    with opened as picture:
        is_jpeg = picture.format == "JPEG"
        if picture.width * picture.height > (_JPEG_PIXELS if is_jpeg else _PNG_PIXELS):
            raise _TooLarge
        if is_jpeg:
            picture.draft("L", (_LONG_SIDE, _LONG_SIDE))
        yield _on_white(picture)


def _on_white(picture: Any) -> Any:
    """In shades of grey; what is transparent shows the paper it would be printed on."""
    from PIL import Image

    if picture.mode in {"1", "P"}:
        picture = picture.convert("RGBA" if picture.has_transparency_data else "L")
    if picture.width * picture.height > _PIXELS:
        picture = picture.reduce(2)
    if picture.has_transparency_data:
        paper = Image.new("RGBA", picture.size, "white")
        paper.alpha_composite(picture.convert("RGBA"))
        picture = paper
    return picture.convert("L")


def _codes(picture: Any) -> list[str]:
    import zxingcpp

    found = zxingcpp.read_barcodes(
        picture,
        formats=zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode),
        text_mode=zxingcpp.TextMode.Plain,
    )
    return [code.text for code in found]


def _bound() -> None:
    """From here on a little memory and a little time are left to this process."""
    import resource

    for name in ("pypdfium2", "zxingcpp", "PIL.PngImagePlugin", "PIL.JpegImagePlugin"):
        import_module(name)  # what they take themselves does not count
    status = Path("/proc/self/status").read_text(encoding="ascii")
    taken = int(status.partition("VmData:")[2].split()[0]) * 1024
    resource.setrlimit(resource.RLIMIT_DATA, (taken + MEMORY, taken + MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def main() -> int:
    """Read a file from stdin; every fault of the libraries is one answer: it cannot be read."""
    content = sys.stdin.buffer.read(FILE_LIMIT + 1)
    try:
        _bound()
        print(json.dumps(read_codes(content)))
    except (_TooLarge, MemoryError):
        return _TOO_LARGE
    except Exception:  # noqa: BLE001
        return _DAMAGED
    return 0


if __name__ == "__main__":
    sys.exit(main())
