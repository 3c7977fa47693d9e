"""Rotation, withdrawal, a root that lives in a safe, and a clinic that opened with the first layout."""

from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from domain.revocation import Revoked
from domain.statement import Credential
from kiosk.credential import ceremony
from kiosk.credential.ceremony import RootPlace
from kiosk.credential.errors import KeysUnusable, TrustUnusable
from kiosk.credential.export import export
from kiosk.credential.keys import KeyFolder
from kiosk.credential.signer import FolderSigner
from kiosk.credential.trust import Caution
from kiosk.credential.trust_files import trust_from
from kiosk.credential.verify import Problem, verify
from tests.certificate_facts import NOW, facts, flu, new_keys

Patch = pytest.MonkeyPatch
LATER = NOW + timedelta(days=200)
FORMS = pytest.mark.parametrize("doses", [facts().doses, (flu(),)], ids=["hcert", "shc"])


@pytest.fixture
def keys(tmp_path: Path) -> KeyFolder:
    new_keys(tmp_path / "keys")
    return KeyFolder(tmp_path / "keys")


def first_layout(keys: KeyFolder) -> str:
    """Put the folder back into what the first version made; answers the signer's id."""
    signer = next((keys.clinic / "signers").iterdir())
    former = keys.folder / "current"
    former.mkdir(mode=0o700)
    for path in (*signer.iterdir(), *(keys.clinic / n for n in ("root.pem", "root.key", "passphrase"))):
        shutil.copy(path, former / path.name)
    shutil.rmtree(keys.clinic)
    return signer.name


def medium(tmp_path: Path) -> RootPlace:
    (tmp_path / "medium").mkdir(exist_ok=True)
    return RootPlace(tmp_path / "medium", b"correct horse battery")


def problem(text: str, folder: Path, at: object = LATER) -> Problem | None:
    """What somebody who has only this folder thinks of it."""
    return verify(text, trust_from(folder), at).problem  # type: ignore[arg-type]


@FORMS
def test_after_a_rotation_old_and_new_certificates_verify_from_the_exported_list(
    keys: KeyFolder, tmp_path: Path, doses: tuple[object, ...]
) -> None:
    signer = FolderSigner(keys.folder)
    old = signer.sign(facts(doses=doses))
    ceremony.rotate(keys, None, LATER)
    new = signer.sign(facts(doses=doses, issued_at=LATER))
    assert old.key_id != new.key_id, "without a restart"
    export(keys, tmp_path / "out", [], LATER)
    assert problem(old.text, tmp_path / "out") is None
    assert problem(new.text, tmp_path / "out") is None


@FORMS
def test_after_a_withdrawal_nothing_of_that_key_verifies_and_the_clinic_goes_on(
    keys: KeyFolder, tmp_path: Path, doses: tuple[object, ...]
) -> None:
    signer = FolderSigner(keys.folder)
    old = signer.sign(facts(doses=doses))
    export(keys, tmp_path / "before", [], LATER)
    assert ceremony.withdraw(keys, None, KeyFolder(keys.folder).active().kid.hex()[:8], "stolen", LATER)
    new = signer.sign(facts(doses=doses, issued_at=LATER))
    export(keys, tmp_path / "after", [], LATER)
    assert problem(old.text, tmp_path / "before") is None
    assert problem(old.text, tmp_path / "after") is Problem.KEY_WITHDRAWN
    assert problem(new.text, tmp_path / "after") is None


def test_withdrawing_an_older_signer_leaves_the_newer_one_signing(keys: KeyFolder) -> None:
    old = KeyFolder(keys.folder).active()
    ceremony.rotate(keys, None, LATER)
    newer = KeyFolder(keys.folder).active()
    assert not ceremony.withdraw(keys, None, old.kid.hex(), "", LATER)
    assert KeyFolder(keys.folder).active().kid == newer.kid
    assert not any(path.name == old.kid.hex() for path in keys.clinic.rglob("*")), "its key is gone"
    states = ceremony.states_of(keys, LATER)
    assert [(s.kid, s.active, bool(s.withdrawn)) for s in states] == [
        (newer.kid.hex(), True, False),
        (old.kid.hex(), False, True),
    ]


def test_rotation_is_due_after_half_a_year(keys: KeyFolder) -> None:
    [state] = ceremony.states_of(keys, NOW)
    assert timedelta(days=182) < state.rotate_from - NOW < timedelta(days=184)


def test_an_id_must_name_one_trusted_signer(keys: KeyFolder) -> None:
    for kid in ("", "zz", "0" * 16):
        with pytest.raises(KeysUnusable, match="0 signers"):
            ceremony.withdraw(keys, None, kid, "", LATER)


# -- the root in a safe -----------------------------------------------------------------------------


def test_a_root_on_a_medium_vouches_for_every_kiosk_and_lies_in_none(tmp_path: Path) -> None:
    one, two = KeyFolder(tmp_path / "one"), KeyFolder(tmp_path / "two")
    for kiosk in (one, two):
        assert ceremony.init(kiosk, medium(tmp_path), country="KR", clinic="Clinic", now=NOW)
        assert not kiosk.has_root_key
    assert one.root() == two.root()
    assert KeyFolder(one.folder).active().kid != KeyFolder(two.folder).active().kid
    assert len(one.trusted().signers) == 1, "it has not heard of the other yet"
    ceremony.take_over(one, medium(tmp_path))
    assert len(one.trusted().signers) == 2
    with pytest.raises(KeysUnusable, match="--root"):
        ceremony.rotate(one, None, LATER)
    ceremony.rotate(one, medium(tmp_path), LATER)
    assert len(one.trusted().signers) == 3


def test_a_lost_kiosk_is_withdrawn_from_another(tmp_path: Path) -> None:
    lost, other = KeyFolder(tmp_path / "lost"), KeyFolder(tmp_path / "other")
    for kiosk in (lost, other):
        ceremony.init(kiosk, medium(tmp_path), country="KR", clinic="Clinic", now=NOW)
    text = FolderSigner(lost.folder).sign(facts()).text
    kid = KeyFolder(lost.folder).active().kid.hex()
    assert not ceremony.withdraw(other, medium(tmp_path), kid, "lost", LATER)
    export(other, tmp_path / "out", [], LATER)
    assert problem(text, tmp_path / "out") is Problem.KEY_WITHDRAWN
    ceremony.take_over(lost, medium(tmp_path))
    with pytest.raises(KeysUnusable, match="rotate"):
        FolderSigner(lost.folder)
    ceremony.rotate(lost, medium(tmp_path), LATER)
    assert FolderSigner(lost.folder).sign(facts(issued_at=LATER))


def test_a_root_that_lived_in_the_kiosk_moves_out(keys: KeyFolder, tmp_path: Path) -> None:
    before = KeyFolder(keys.folder).active()
    assert ceremony.init(keys, medium(tmp_path), country="KR", clinic="Clinic", now=NOW)
    assert not list(keys.folder.rglob("root.key"))
    assert KeyFolder(keys.folder).active().kid == before.kid
    assert not ceremony.init(keys, medium(tmp_path), country="KR", clinic="Clinic", now=NOW)
    ceremony.rotate(keys, medium(tmp_path), LATER)
    assert (tmp_path / "medium").stat().st_mode & 0o777 == 0o755, "others may have a use for it"
    for path in (tmp_path / "medium").rglob("*"):
        assert path.stat().st_mode & 0o077 == 0, path


class Killed(BaseException):
    """Nothing runs after it."""


def killed(*_: object) -> None:
    raise Killed


def test_a_move_that_was_interrupted_is_finished(keys: KeyFolder, tmp_path: Path, monkeypatch: Patch) -> None:
    with monkeypatch.context() as at_the_end:
        at_the_end.setattr(KeyFolder, "forget_root_key", killed)
        with pytest.raises(Killed):
            ceremony.init(keys, medium(tmp_path), country="KR", clinic="Clinic", now=NOW)
    ceremony.rotate(keys, None, LATER)  # somebody goes on with the root that is still here
    rotated = KeyFolder(keys.folder).active().kid
    assert ceremony.init(keys, medium(tmp_path), country="KR", clinic="Clinic", now=LATER)
    assert not keys.has_root_key
    ceremony.rotate(keys, medium(tmp_path), LATER)
    assert rotated.hex() in {state.kid for state in ceremony.states_of(keys, LATER)}
    assert len(keys.trusted().signers) == 3


def test_a_root_does_not_move_to_where_another_one_lives(keys: KeyFolder, tmp_path: Path) -> None:
    ceremony.init(KeyFolder(tmp_path / "other"), medium(tmp_path), country="KR", clinic="Other", now=NOW)
    with pytest.raises(KeysUnusable, match="another root"):
        ceremony.init(keys, medium(tmp_path), country="KR", clinic="Clinic", now=NOW)
    assert keys.has_root_key


@pytest.mark.parametrize("step", ["keep_list", "drop_signer"])
def test_a_withdrawal_that_was_interrupted_is_finished(
    keys: KeyFolder, tmp_path: Path, monkeypatch: Patch, step: str
) -> None:
    ceremony.init(keys, medium(tmp_path), country="KR", clinic="Clinic", now=NOW)
    stolen = KeyFolder(keys.folder).active().kid.hex()
    with monkeypatch.context() as there:
        there.setattr(KeyFolder, step, killed)
        with pytest.raises(Killed):
            ceremony.withdraw(keys, medium(tmp_path), stolen, "stolen", LATER)
    ceremony.withdraw(keys, medium(tmp_path), stolen, "stolen", LATER)
    states = ceremony.states_of(keys, LATER)
    assert [(s.kid == stolen, s.here, bool(s.withdrawn)) for s in states] == [
        (False, True, False), (True, False, True)
    ]  # fmt: skip
    with pytest.raises(KeysUnusable, match="0 signers"):
        ceremony.withdraw(keys, medium(tmp_path), stolen, "stolen", LATER)


def test_any_ceremony_ends_the_use_of_what_was_withdrawn_elsewhere(keys: KeyFolder, tmp_path: Path) -> None:
    ceremony.init(keys, medium(tmp_path), country="KR", clinic="Clinic", now=NOW)
    other = KeyFolder(tmp_path / "other")
    ceremony.init(other, medium(tmp_path), country="KR", clinic="Clinic", now=NOW)
    ceremony.withdraw(other, medium(tmp_path), KeyFolder(keys.folder).active().kid.hex(), "stolen", LATER)
    with pytest.raises(KeysUnusable, match="0 signers"):
        ceremony.withdraw(keys, medium(tmp_path), "0" * 16, "", LATER)
    with pytest.raises(KeysUnusable, match="no trusted signer"):
        KeyFolder(keys.folder).active()  # whatever the ceremony was to be, the list beside the root is heard


def test_the_passphrase_of_the_medium_is_needed(keys: KeyFolder, tmp_path: Path) -> None:
    ceremony.init(keys, medium(tmp_path), country="KR", clinic="Clinic", now=NOW)
    with pytest.raises(KeysUnusable, match="passphrase"):
        ceremony.rotate(keys, RootPlace(tmp_path / "medium", b"another one"), LATER)


def test_another_clinics_root_changes_nothing_here(keys: KeyFolder, tmp_path: Path) -> None:
    stranger = KeyFolder(tmp_path / "stranger")
    ceremony.init(stranger, medium(tmp_path), country="KR", clinic="Other", now=NOW)
    with pytest.raises(KeysUnusable, match="not the clinic's"):
        ceremony.rotate(keys, medium(tmp_path), LATER)
    with pytest.raises(KeysUnusable):
        ceremony.take_over(keys, medium(tmp_path))
    assert len(keys.trusted().signers) == 1


def test_ceremonies_at_the_same_time_forget_no_signer(tmp_path: Path) -> None:
    kiosks = [KeyFolder(tmp_path / str(n)) for n in range(4)]
    for kiosk in kiosks:
        ceremony.init(kiosk, medium(tmp_path), country="KR", clinic="Clinic", now=NOW)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda kiosk: ceremony.rotate(kiosk, medium(tmp_path), LATER), kiosks))
    ceremony.take_over(kiosks[0], medium(tmp_path))
    assert len(kiosks[0].trusted().signers) == 8


def drafted(folder: Path) -> tuple[KeyFolder, str]:
    """Of a kiosk that began a clinic, and was killed before it knew whose root that has."""
    keys = KeyFolder(folder)
    return keys, keys.offer(country="KR", clinic="Clinic", now=NOW)


def test_no_root_is_made_where_one_is_a_draft(tmp_path: Path) -> None:
    keys, root = drafted(tmp_path / "keys")
    assert ceremony.init(keys, None, country="KR", clinic="Clinic", now=NOW)
    assert (keys.fingerprint(), keys.draft.folder.exists()) == (root, False)
    assert not ceremony.init(keys, None, country="KR", clinic="Clinic", now=NOW)


def test_a_draft_whose_root_moved_out_elsewhere_keeps_no_key_of_it(tmp_path: Path) -> None:
    keys, root = drafted(tmp_path / "keys")
    shutil.copytree(keys.folder, tmp_path / "copy")
    for kiosk in (KeyFolder(tmp_path / "copy"), keys):
        assert ceremony.init(kiosk, medium(tmp_path), country="KR", clinic="Clinic", now=NOW)
        assert not list(kiosk.folder.rglob("root.key"))
        assert kiosk.fingerprint() == root


def test_a_draft_is_neither_taken_nor_lost_where_the_medium_holds_another_root(tmp_path: Path) -> None:
    other = KeyFolder(tmp_path / "other")
    ceremony.init(other, medium(tmp_path), country="KR", clinic="Clinic", now=NOW)
    keys, root = drafted(tmp_path / "keys")
    assert ceremony.init(keys, medium(tmp_path), country="KR", clinic="Clinic", now=NOW)
    assert keys.root() == other.root()
    assert keys.draft.fingerprint() == root


# -- the first layout -------------------------------------------------------------------------------


def test_a_clinic_that_opened_with_the_first_layout_still_opens(keys: KeyFolder, tmp_path: Path) -> None:
    text = FolderSigner(keys.folder).sign(facts()).text
    kid = first_layout(keys)
    assert new_keys(keys.folder).kid.hex() == kid
    assert not (keys.folder / "current").exists()
    assert KeyFolder(keys.folder).active().kid.hex() == kid
    ceremony.rotate(keys, None, LATER)
    export(keys, tmp_path / "out", [], LATER)
    assert problem(text, tmp_path / "out") is None
    assert len(keys.trusted().signers) == 2


def test_the_first_layout_can_be_exported_without_a_rotation(keys: KeyFolder, tmp_path: Path) -> None:
    text = FolderSigner(keys.folder).sign(facts()).text
    first_layout(keys)
    export(keys, tmp_path / "out", [], LATER)
    assert problem(text, tmp_path / "out") is None


def test_the_first_layout_without_its_roots_key_signs_but_cannot_export(
    keys: KeyFolder, tmp_path: Path
) -> None:
    kid = first_layout(keys)
    (keys.folder / "current" / "root.key").unlink()
    assert KeyFolder(keys.folder).active().kid.hex() == kid
    with pytest.raises(KeysUnusable, match="--root"):
        export(keys, tmp_path / "out", [], LATER)


# -- the exported folder ----------------------------------------------------------------------------


def revoked(credential: Credential) -> list[Revoked]:
    return [Revoked(facts().number, credential)]


@FORMS
def test_a_revoked_certificate_is_found_on_the_exported_list(
    keys: KeyFolder, tmp_path: Path, doses: tuple[object, ...]
) -> None:
    credential = FolderSigner(keys.folder).sign(facts(doses=doses))
    export(keys, tmp_path / "out", [], LATER)
    assert problem(credential.text, tmp_path / "out") is None
    export(keys, tmp_path / "out", revoked(credential), LATER)
    assert problem(credential.text, tmp_path / "out") is Problem.REVOKED


def test_both_forms_of_one_certificate_are_revoked(keys: KeyFolder, tmp_path: Path) -> None:
    credential = FolderSigner(keys.folder, also_card=True).sign(facts())
    export(keys, tmp_path / "out", revoked(credential), LATER)
    for form in credential.all:
        assert problem(form.text, tmp_path / "out") is Problem.REVOKED
    [crl] = (tmp_path / "out" / ".well-known" / "crl").iterdir()
    assert credential.second
    assert msgspec.json.decode(crl.read_bytes()) == {
        "kid": credential.second.key_id, "method": "rid", "ctr": 1, "rids": [facts().number],
    }  # fmt: skip
    assert crl.stem == credential.second.key_id


def test_lists_that_are_old_or_missing_are_said_beside_the_verdict(keys: KeyFolder, tmp_path: Path) -> None:
    text = FolderSigner(keys.folder).sign(facts()).text
    export(keys, tmp_path / "out", [], NOW)
    trust = trust_from(tmp_path / "out")
    assert verify(text, trust, NOW).cautions == ()
    assert verify(text, trust, NOW + timedelta(days=40)).cautions == (Caution.OLD_REVOCATION_LIST,)
    old = (Caution.OLD_TRUST_LIST, Caution.OLD_REVOCATION_LIST)
    assert verify(text, trust, NOW + timedelta(days=500)).cautions == old
    (tmp_path / "out" / "revocation-list.json").unlink()
    assert verify(text, trust_from(tmp_path / "out"), NOW).cautions == (Caution.NO_REVOCATION_LIST,)


def flipped(path: Path, member: str) -> None:
    """Change one letter in a member of a signed list."""
    document = msgspec.json.decode(path.read_bytes())
    text = document[member]
    document[member] = text[:50] + ("A" if text[50] != "A" else "B") + text[51:]
    path.write_bytes(msgspec.json.encode(document))


@pytest.mark.parametrize("member", ["payload", "signature"])
@pytest.mark.parametrize("name", ["trust-list.json", "revocation-list.json"])
def test_a_changed_list_is_refused(keys: KeyFolder, tmp_path: Path, name: str, member: str) -> None:
    export(keys, tmp_path / "out", [], NOW)
    flipped(tmp_path / "out" / name, member)
    with pytest.raises(TrustUnusable):
        trust_from(tmp_path / "out")


@pytest.mark.parametrize("name", ["trust-list.json", "revocation-list.json", "root.pem"])
def test_a_list_of_another_clinic_is_refused(keys: KeyFolder, tmp_path: Path, name: str) -> None:
    new_keys(tmp_path / "theirs")
    export(keys, tmp_path / "out", [], NOW)
    export(KeyFolder(tmp_path / "theirs"), tmp_path / "other", [], NOW)
    shutil.copy(tmp_path / "other" / name, tmp_path / "out" / name)
    with pytest.raises(TrustUnusable):
        trust_from(tmp_path / "out")


def test_a_withdrawn_key_cannot_sign_the_revocation_list(keys: KeyFolder, tmp_path: Path) -> None:
    export(keys, tmp_path / "before", [], NOW)
    ceremony.withdraw(keys, None, KeyFolder(keys.folder).active().kid.hex(), "stolen", LATER)
    export(keys, tmp_path / "after", [], LATER)
    shutil.copy(tmp_path / "before" / "revocation-list.json", tmp_path / "after" / "revocation-list.json")
    with pytest.raises(TrustUnusable, match="not signed by a trusted signer"):
        trust_from(tmp_path / "after")


def test_an_export_replaces_an_earlier_one_and_nothing_else(keys: KeyFolder, tmp_path: Path) -> None:
    export(keys, tmp_path / "out", [], NOW)
    ceremony.rotate(keys, None, LATER)
    export(keys, tmp_path / "out", [], LATER)
    assert len(trust_from(tmp_path / "out")) == 2
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "1.jpg").write_bytes(b"")
    with pytest.raises(KeysUnusable, match="something else"):
        export(keys, tmp_path / "photos", [], NOW)
    assert [path.name for path in (tmp_path / "photos").iterdir()] == ["1.jpg"]


def test_kiosks_that_bring_the_first_layout_over_together_all_open(keys: KeyFolder) -> None:
    kid = first_layout(keys)
    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(lambda _: new_keys(keys.folder).kid.hex(), range(8))) == {kid}


@pytest.mark.parametrize("name", ["root.pem", "signer.pem", "signer.key", "passphrase"])
def test_a_first_layout_that_is_incomplete_is_said_in_words(keys: KeyFolder, name: str) -> None:
    first_layout(keys)
    (keys.folder / "current" / name).unlink()
    with pytest.raises(KeysUnusable, match=name):
        new_keys(keys.folder)
    assert (keys.folder / "current").exists(), "nothing is lost"


def test_neither_the_root_nor_the_signers_are_replaced_by_an_export(tmp_path: Path, keys: KeyFolder) -> None:
    with pytest.raises(KeysUnusable, match="holds something else"):
        export(keys, keys.clinic, [], LATER)
    assert list(keys.clinic.rglob("*.key"))
    export(keys, tmp_path / "out", [], LATER)
    export(keys, tmp_path / "out", [], LATER)
