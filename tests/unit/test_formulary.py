"""The clinical rules are data; those shipped are sound, and a slip in a clinic's own is named."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from domain.errors import SettingsInvalid
from domain.presentation import Disease, Presentation, Route
from kiosk.formulary import load_formulary

ENTRY: dict[str, Any] = {
    "key": "our-own", "name_ko": "우리 백신", "name_en": "Our own", "manufacturer": "Maker",
    "disease": "covid-19", "min_age_months": 144, "primary_doses": 2, "interval_days": 21,
    "booster_interval_days": 90, "route": "IM",
    "volume_ml": 0.3, "vaccine_code": "1119349007", "product_code": "EU/1/20/1528",
    "holder_code": "ORG-100030215", "cvx": "208", "source": "the label",
}  # fmt: skip


def toml(*entries: dict[str, Any], version: str = 'version = "ours-1"') -> str:
    lines = [version]
    for entry in entries:
        lines += ["[[presentation]]", "effective_from = 2026-01-01"]
        lines += [f"{name} = {value!r}".replace("True", "true") for name, value in entry.items()]
    return "\n".join(lines)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "ours.toml"


def problem_with(file: Path, text: str) -> str:
    file.write_text(text, encoding="utf-8")
    with pytest.raises(SettingsInvalid) as refusal:
        load_formulary(file)
    assert refusal.value.facts["where"] == file
    return str(refusal.value.facts["problem"])


def shipped(key: str) -> Presentation:
    return {p.key: p for p in load_formulary()}[key]


def test_the_rules_that_come_with_the_kiosk_are_sound() -> None:
    formulary = load_formulary()
    assert len(formulary) == 9
    assert {p.disease for p in formulary} == {Disease.COVID_19, Disease.INFLUENZA}
    assert {p.version for p in formulary} == {"2026-11-22"}
    assert all("onfirm" in p.source or "label" in p.source.lower() or "EU" in p.source for p in formulary)


@pytest.mark.parametrize(
    ("key", "years", "doses", "days", "volume"),
    [
        ("comirnaty-purple-2021", 12, 2, 21, 0.3),
        ("spikevax-vial-2021", 18, 2, 28, 0.5),
        ("vaxzevria-2021", 18, 2, 28, 0.5),
        ("jcovden-2021", 18, 1, 0, 0.5),
        ("nuvaxovid-vial", 12, 2, 21, 0.5),
    ],
)
def test_the_figures_are_those_of_the_clinical_rules(
    key: str, years: int, doses: int, days: int, volume: float
) -> None:
    rule = shipped(key)
    assert (rule.min_age_months, rule.primary_doses, rule.interval_days) == (12 * years, doses, days)
    assert (rule.volume_ml, rule.observation_minutes, rule.route) == (volume, 15, Route.INTRAMUSCULAR)


def test_two_forms_of_one_brand_are_two_presentations_with_their_own_figures() -> None:
    vial, syringe = shipped("comirnaty-purple-2021"), shipped("comirnaty-lp81-syringe-2025")
    assert vial.product_code == syringe.product_code
    assert (vial.primary_doses, syringe.primary_doses) == (2, 1)
    assert vial.cvx != syringe.cvx


def test_influenza_is_counted_by_season_and_has_no_code_of_an_eu_certificate() -> None:
    flu = shipped("influenza-trivalent-syringe-2025")
    assert flu.seasonal
    assert (flu.product_code, flu.holder_code) == ("", "")


def test_a_clinics_own_file_takes_the_place_of_the_shipped_one(file: Path) -> None:
    file.write_text(toml(ENTRY), encoding="utf-8")
    (only,) = load_formulary(file)
    assert (only.key, only.version, only.min_age_months) == ("our-own", "ours-1", 144)


def test_a_file_that_is_not_there_or_no_toml_is_named(file: Path, tmp_path: Path) -> None:
    with pytest.raises(SettingsInvalid) as refusal:
        load_formulary(file)
    assert str(refusal.value) == f"{file}: there is no such file"
    assert problem_with(file, "[[presentation")
    with pytest.raises(SettingsInvalid):
        load_formulary(tmp_path)


def test_a_file_without_a_version_or_without_entries_is_refused(file: Path) -> None:
    assert problem_with(file, toml(ENTRY, version="")).startswith("version:")
    assert problem_with(file, toml()).startswith("presentation:")
    assert problem_with(file, 'version = "1"\npresentation = [1]').startswith("presentation 1:")


def test_a_key_that_is_there_twice_is_named(file: Path) -> None:
    assert problem_with(file, toml(ENTRY, ENTRY)) == "our-own, key: it is there twice"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("min_age_months", -1), ("min_age_months", 1201), ("min_age_months", "12"), ("min_age_months", 1.5),
        ("primary_doses", 0), ("primary_doses", 10),
        ("interval_days", -1), ("interval_days", 0),
        ("booster_interval_days", -1), ("booster_interval_days", 0), ("booster_interval_days", 9999),
        ("volume_ml", 0), ("volume_ml", 50), ("volume_ml", "0.3"),
        ("observation_minutes", 0), ("observation_minutes", 14), ("observation_minutes", 1000),
        ("route", "oral"), ("disease", "measles"), ("seasonal", "yes"),
        ("vaccine_code", "mRNA"), ("vaccine_code", ""), ("product_code", "EU/1528"), ("product_code", ""),
        ("holder_code", "ORG-1"), ("holder_code", ""), ("cvx", "2"), ("cvx", "abc"),
        ("name_ko", ""), ("name_en", "[/red]"), ("manufacturer", "가" * 10_000), ("source", ""),
        ("minimum_age", 12),
    ],
)  # fmt: skip
def test_a_slip_is_named_by_entry_and_field(file: Path, field: str, value: Any) -> None:
    assert problem_with(file, toml({**ENTRY, field: value})).startswith(f"our-own, {field}: ")


@pytest.mark.parametrize(
    "entry",
    [
        {"primary_doses": 1}, {"primary_doses": 1, "disease": "influenza"},
        {"primary_doses": 1, "disease": "other", "seasonal": True}, {"primary_doses": 3, "disease": "other"},
    ],
)  # fmt: skip
def test_what_is_given_again_says_how_many_days_after(file: Path, entry: dict[str, Any]) -> None:
    without = {name: value for name, value in {**ENTRY, **entry}.items() if name != "booster_interval_days"}
    assert problem_with(file, toml(without)).startswith("our-own, booster_interval_days: ")


def test_what_is_given_once_and_never_again_needs_no_interval(file: Path) -> None:
    once = {**ENTRY, "primary_doses": 1, "disease": "other", "interval_days": 0, "booster_interval_days": 0}
    file.write_text(toml(once), encoding="utf-8")
    assert load_formulary(file)[0].booster_interval_days == 0


@pytest.mark.parametrize("key", ["", "Our Own", "our_own", "-", "a" * 81])
def test_a_key_is_in_small_letters_digits_and_hyphens(file: Path, key: str) -> None:
    assert ", key: " in problem_with(file, toml({**ENTRY, "key": key}))


@pytest.mark.parametrize("field", ["key", "name_ko", "name_en", "manufacturer", "disease"])
def test_a_field_that_every_entry_needs_is_named_when_it_is_missing(file: Path, field: str) -> None:
    without = {name: value for name, value in ENTRY.items() if name != field}
    assert field in problem_with(file, toml(without))


def test_a_volume_that_is_no_number_is_refused(file: Path) -> None:
    text = toml(ENTRY).replace("volume_ml = 0.3", "volume_ml = nan")
    assert problem_with(file, text).startswith("our-own, volume_ml: ")


def test_a_product_against_another_disease_needs_no_code_of_an_eu_certificate(file: Path) -> None:
    entry = {
        **ENTRY,
        "disease": "other",
        "vaccine_code": "",
        "product_code": "",
        "holder_code": "",
        "cvx": "",
    }
    file.write_text(toml(entry), encoding="utf-8")
    assert load_formulary(file)[0].disease is Disease.OTHER
