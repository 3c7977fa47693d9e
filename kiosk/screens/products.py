"""Product names: records state them in both languages, a screen says the one that is spoken."""

from __future__ import annotations

from collections.abc import Iterable

from domain.presentation import Presentation, names_in
from kiosk.i18n import Texts


def product(presentation: Presentation, texts: Texts) -> str:
    """The name of a presentation in the language of the moment."""
    return texts.fact(presentation)


def product_name(formulary: Iterable[Presentation], title: str, texts: Texts) -> str:
    """The same for a product known by its title; older titles do not say where one of the names ends."""
    for presentation in formulary:
        if presentation.title.split() == title.split():
            return product(presentation, texts)
    name_ko, name_en = names_in(title)
    return name_ko if texts.language == "ko" else name_en
