"""The clinic's keys: made once, whole or not at all, and refused in words when they do not fit."""

from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from kiosk.credential.certificates import VACCINATION_USAGE
from kiosk.credential.errors import KeysUnusable
from kiosk.credential.keys import KeyFolder, open_keys
from tests.certificate_facts import NOW, new_keys


def file(folder: Path, name: str) -> Path:
    """The one file of this name in a key folder."""
    (found,) = folder.rglob(name)
    return found


def test_the_first_use_makes_keys_that_only_their_owner_can_read(tmp_path: Path) -> None:
    made = new_keys(tmp_path / "keys")
    paths = [tmp_path / "keys", *(tmp_path / "keys").rglob("*")]
    signer = f"clinic/signers/{made.kid.hex()}"
    assert {str(path.relative_to(tmp_path / "keys")) for path in paths if path.is_file()} == {
        "clinic/root.pem", "clinic/root.key", "clinic/passphrase", "clinic/trust-list.json",
        f"{signer}/signer.pem", f"{signer}/signer.key",
    }  # fmt: skip
    for path in paths:
        assert path.stat().st_mode & 0o777 == (0o700 if path.is_dir() else 0o600), path


def test_the_next_use_finds_the_same_keys(tmp_path: Path) -> None:
    first = new_keys(tmp_path)
    assert new_keys(tmp_path, NOW + timedelta(days=30)).signer == first.signer


def test_kiosks_that_start_together_end_up_with_one_set_of_keys(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        kids = set(pool.map(lambda _: new_keys(tmp_path).kid, range(8)))
    assert len(kids) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["clinic"]


def test_private_keys_lie_encrypted(tmp_path: Path) -> None:
    new_keys(tmp_path)
    for name in ("root.key", "signer.key"):
        pem = file(tmp_path, name).read_bytes()
        with pytest.raises(TypeError):
            serialization.load_pem_private_key(pem, password=None)


def test_the_root_vouches_for_a_signer_that_may_state_vaccinations_for_two_years(tmp_path: Path) -> None:
    keys = new_keys(tmp_path)
    keys.signer.verify_directly_issued_by(keys.root)
    usage = keys.signer.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(usage) == [VACCINATION_USAGE]
    assert keys.signer.not_valid_before_utc <= NOW
    assert keys.signer.not_valid_after_utc - keys.signer.not_valid_before_utc == timedelta(days=730)
    assert keys.root.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    assert not keys.signer.extensions.get_extension_for_class(x509.BasicConstraints).value.ca


def test_signing_works_with_the_roots_key_taken_away(tmp_path: Path) -> None:
    keys = new_keys(tmp_path)
    file(tmp_path, "root.key").unlink()
    assert KeyFolder(tmp_path).active().kid == keys.kid


@pytest.mark.parametrize("name", ["root.pem", "signer.pem", "signer.key", "passphrase"])
def test_a_missing_file_is_named(tmp_path: Path, name: str) -> None:
    new_keys(tmp_path)
    file(tmp_path, name).unlink()
    with pytest.raises(KeysUnusable, match=name):
        open_keys(tmp_path, country="KR", clinic="Clinic", now=NOW)


@pytest.mark.parametrize("name", ["root.pem", "signer.pem", "signer.key", "passphrase"])
def test_a_damaged_file_is_refused(tmp_path: Path, name: str) -> None:
    new_keys(tmp_path)
    file(tmp_path, name).write_bytes(b"not what it was")
    with pytest.raises(KeysUnusable):
        KeyFolder(tmp_path).active()


@pytest.mark.parametrize("names", [("root.pem",), ("signer.key", "passphrase")])
def test_files_of_another_clinic_are_refused(tmp_path: Path, names: tuple[str, ...]) -> None:
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    new_keys(ours)
    new_keys(theirs)
    for name in names:
        shutil.copy(file(theirs, name), file(ours, name))
    with pytest.raises(KeysUnusable):
        KeyFolder(ours).active()


def test_a_key_of_another_kind_is_refused(tmp_path: Path) -> None:
    new_keys(tmp_path)
    passphrase = file(tmp_path, "passphrase").read_bytes().strip()
    pem = ec.generate_private_key(ec.SECP384R1()).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(passphrase),
    )
    file(tmp_path, "signer.key").write_bytes(pem)
    with pytest.raises(KeysUnusable, match="P-256"):
        KeyFolder(tmp_path).active()


def test_a_folder_that_cannot_be_made_is_said_in_words(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(KeysUnusable, match="Not a directory"):
        new_keys(tmp_path / "file" / "keys")


def test_a_long_clinic_name_still_gets_keys(tmp_path: Path) -> None:
    keys = open_keys(tmp_path, country="KR", clinic="우리동네 예방접종센터 " * 10, now=NOW)
    assert keys.signer.subject


def test_a_folder_that_cannot_be_looked_into_is_told_in_words(tmp_path: Path) -> None:
    with pytest.raises(KeysUnusable, match="File name too long"):
        _ = KeyFolder(tmp_path / ("x" * 300)).is_made
