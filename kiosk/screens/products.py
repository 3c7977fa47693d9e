"""Product names: records state them in both languages, a screen says the one that is spoken."""

from __future__ import annotations

from domain.presentation import Presentation
from kiosk.i18n import Texts
from kiosk.services import Services


def product(presentation: Presentation, texts: Texts) -> str:
    """The name of a presentation in the language of the moment."""
    return texts.fact(presentation)


def product_name(services: Services, title: str, texts: Texts) -> str:
    """The same for a product known by its title; one that left the formulary keeps its title."""
    for presentation in services.formulary:
        if presentation.title == title:
            return product(presentation, texts)
    return title
