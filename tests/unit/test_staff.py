"""Who works here, in which roles."""

from __future__ import annotations

import pytest

from domain import errors
from domain.actors import SYSTEM, Role
from domain.staff import RecordStaff, member_named

from .memory import only
from .small_clinic import ADMINISTRATOR, MANAGER, SmallClinic

DESK = frozenset({Role.VACCINATOR})
OFFICE = frozenset({Role.CERTIFICATE_OFFICER, Role.VACCINE_MANAGER})


def test_somebody_new_works_here_and_acts_in_their_roles(clinic: SmallClinic) -> None:
    clinic.send(RecordStaff(" 이수진 ", DESK, "hash"), ADMINISTRATOR)
    member = only(clinic.records.staff.values())
    assert (member.name, member.roles, member.pin_hash) == ("이수진", DESK, "hash")
    assert (member.actor.code, member.actor.roles, member.actor.name) == (member.code, DESK, "이수진")


def test_the_same_name_gets_other_roles_and_another_pin_and_keeps_the_code(clinic: SmallClinic) -> None:
    clinic.send(RecordStaff("이수진", DESK, "old"), ADMINISTRATOR)
    before = only(clinic.records.staff.values())
    clinic.send(RecordStaff("이수진", OFFICE, "new"), ADMINISTRATOR)
    after = only(clinic.records.staff.values())
    assert (after.code, after.roles, after.pin_hash) == (before.code, OFFICE, "new")


@pytest.mark.parametrize(
    "roles", [frozenset(), {Role.PUBLIC}, {Role.RECIPIENT}, {Role.SYSTEM}, {Role.VACCINATOR, Role.SYSTEM}]
)
def test_nobody_is_made_the_public_a_recipient_or_the_system(
    clinic: SmallClinic, roles: frozenset[Role]
) -> None:
    with pytest.raises(errors.NotAChoice) as refusal:
        clinic.send(RecordStaff("이수진", frozenset(roles), "hash"), ADMINISTRATOR)
    assert refusal.value.field == "roles"
    assert clinic.records.staff == {}


@pytest.mark.parametrize("name", ["", "[/red]", "가" * 10_000, "007"])
def test_the_name_of_a_member_is_checked(clinic: SmallClinic, name: str) -> None:
    with pytest.raises(errors.InputError) as refusal:
        clinic.send(RecordStaff(name, DESK, "hash"), ADMINISTRATOR)
    assert refusal.value.field == "name"


def test_the_first_member_is_enrolled_by_the_system_and_never_by_a_colleague(clinic: SmallClinic) -> None:
    with pytest.raises(errors.NotAllowed):
        clinic.send(RecordStaff("이수진", DESK, "hash"), MANAGER)
    clinic.send(RecordStaff("이수진", DESK, "hash"), SYSTEM)
    assert len(clinic.records.staff) == 1


def test_a_member_is_found_by_name(clinic: SmallClinic) -> None:
    clinic.send(RecordStaff("이수진", DESK, "hash"), SYSTEM)
    members = list(clinic.records.staff.values())
    assert member_named(members, "이수진") is members[0]
    with pytest.raises(errors.NotFound):
        member_named(members, "박민수")
