"""What the clinic holds to be true of a presentation: shown before it is registered, and read back."""

from __future__ import annotations

from domain.presentation import Presentation
from kiosk.i18n import Texts, put_in_words
from kiosk.screens.desk.words import age_of_use
from kiosk.widgets.facts import Fact


def doses_and_interval(p: Presentation, texts: Texts) -> str:
    """How many doses, how far apart."""
    if p.primary_doses == 1:
        return texts("vaccine_admin.one_dose")
    return texts("vaccine_admin.several_doses", doses=p.primary_doses, days=p.interval_days)


def presentation_facts(p: Presentation) -> list[Fact]:
    """What the clinic holds to be true of a presentation, and where that is from."""
    route = f"vaccine_admin.route.{p.route.value}"
    return [
        Fact("vaccine_admin.name_ko", p.name_ko, "strong"),
        Fact("vaccine_admin.name_en", p.name_en, "strong"),
        Fact("vaccine_admin.manufacturer", p.manufacturer),
        Fact("vaccine_admin.disease", f"vaccine_admin.of.{p.disease.value}"),
        Fact("vaccine_admin.min_age", lambda t: age_of_use(p.min_age_months, t)),
        Fact("vaccine_admin.doses_and_interval", lambda t: doses_and_interval(p, t)),
        Fact(
            "vaccine_admin.booster",
            lambda t: t("desk.days", days=p.booster_interval_days) if p.booster_interval_days else "",
        ),
        Fact("vaccine_admin.dose", lambda t: t("vaccine_admin.volume", volume=p.volume_ml, route=t(route))),
        Fact("vaccine_admin.observation", lambda t: t("desk.minutes", minutes=p.observation_minutes)),
        Fact("vaccine_admin.effective_from", lambda t: t.day(p.effective_from) if p.effective_from else ""),
        Fact("vaccine_admin.version", p.version),
        Fact("vaccine_admin.source", p.source),
    ]


def read_back(p: Presentation, texts: Texts) -> str:
    """The names and the figures, as short as a question has room for."""
    said = [(put_in_words(f.label, texts), put_in_words(f.words, texts)) for f in presentation_facts(p)[:9]]
    return "; ".join(f"{label}: {words}" for label, words in said if words)
