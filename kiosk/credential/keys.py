"""This kiosk's keys: the clinic's root certificate, the trust list, and the signers made here.

    clinic/root.pem  trust-list.json  passphrase  signers/<key id>/signer.pem, signer.key
    clinic/root.key                               unless the root lives on a medium of its own
    .draft/clinic/                                the same, until it is known whether they are the clinic's

The folder is made on first use and renamed into place when every file in it is on the disk: there is a
whole set of keys or none. A draft is hidden, so that no backup takes it. Private keys are encrypted; the
passphrase lies in a file of its own, so that it can be kept elsewhere. Signing does not need the root's
key.
"""

from __future__ import annotations

import secrets
import shutil
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from kiosk.credential.certificates import key_id
from kiosk.credential.errors import KeysUnusable, in_words
from kiosk.credential.files import new_folder, private_folder, replace_file, sync
from kiosk.credential.lists import TrustList, as_text, new_trust_list, read_trust_list, vouched_for
from kiosk.credential.pem import certificate_pem, encrypted_pem, read_certificate, read_private_key
from kiosk.credential.root import ROOT_KEY, ROOT_PEM, TRUST_LIST, Root, alone, new_root

PASSPHRASE, SIGNERS, SIGNER_PEM, SIGNER_KEY = "passphrase", "signers", "signer.pem", "signer.key"
_FORMER = "current"
"""The folder of the first layout: one root and one signer, no list."""
_DRAFT, _DROPPED = ".draft", ".dropped"


@dataclass(frozen=True)
class ClinicKeys:
    """What signing needs, and what others verify with."""

    root: x509.Certificate
    signer: x509.Certificate
    private_key: ec.EllipticCurvePrivateKey

    @property
    def kid(self) -> bytes:
        """The signer's short name in a credential."""
        return key_id(self.signer)

    @property
    def kid_text(self) -> str:
        """The same, as trust lists write it."""
        return b64encode(self.kid).decode()


class KeyFolder:
    """The folder of one kiosk's keys."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clinic = folder / "clinic"

    # -- reading ------------------------------------------------------------------------------------

    @property
    def is_made(self) -> bool:
        """Whether there are keys, in this layout or the first one. Raises KeysUnusable if nobody can tell."""
        with in_words():
            return self.clinic.exists() or (self.folder / _FORMER).exists()

    @property
    def draft(self) -> KeyFolder:
        """Keys for a clinic that another kiosk may have begun meanwhile; see `offer`."""
        return KeyFolder(self.folder / _DRAFT)

    def fingerprint(self) -> str:
        """Of the root certificate. Raises KeysUnusable."""
        return fingerprint_of(self.root())

    @property
    def has_root_key(self) -> bool:
        """Whether the root lives here."""
        return (self.clinic / ROOT_KEY).exists()

    def passphrase(self) -> bytes:
        """What the private keys here are encrypted with. Raises KeysUnusable."""
        with in_words():
            return (self.clinic / PASSPHRASE).read_bytes().strip()

    def root(self) -> x509.Certificate:
        """The clinic's root certificate. Raises KeysUnusable."""
        self.upgrade()
        with in_words():
            return read_certificate(self.clinic / ROOT_PEM)

    def trusted(self) -> TrustList:
        """The newest trust list that this kiosk knows. Raises KeysUnusable."""
        root = self.root()
        with in_words():
            if (self.clinic / TRUST_LIST).exists():
                return read_trust_list((self.clinic / TRUST_LIST).read_bytes(), root)
            return self._implied(root)

    def signed_list(self) -> bytes | None:
        """The trust list as the root signed it; None when it never did."""
        path = self.clinic / TRUST_LIST
        return path.read_bytes() if path.exists() else None

    def stamp(self) -> tuple[int, ...]:
        """Changes whenever the trust list does, and with it the signer in use."""
        try:
            stat = (self.clinic / TRUST_LIST).stat()
        except OSError:
            return ()
        return (stat.st_mtime_ns, stat.st_ino, stat.st_size)

    def holds(self, signer: x509.Certificate) -> bool:
        """Whether this signer was made here."""
        return self._place(signer).exists()

    def active(self) -> ClinicKeys:
        """The newest signer made here that is still trusted, with its key. Raises KeysUnusable."""
        root, trusted = self.root(), self.trusted()
        here = [signer for signer in trusted.certificates if self.holds(signer)]
        if not here:
            raise KeysUnusable(reason="this kiosk has no trusted signer; make one with `kiosk keys rotate`")
        signer, place = here[-1], self._place(here[-1])
        with in_words():
            if read_certificate(place / SIGNER_PEM) != signer:
                raise KeysUnusable(reason="signer.pem is another one than in the trust list")
            key = read_private_key(place / SIGNER_KEY, self.passphrase())
        if key.public_key() != signer.public_key():
            raise KeysUnusable(reason="signer.key does not belong to signer.pem")
        return ClinicKeys(root, signer, key)

    # -- writing ------------------------------------------------------------------------------------

    def found(self, root: Root, now: datetime, *, with_root: bool) -> bool:
        """Make the folder with a first signer; answers False when another kiosk was first."""
        passphrase = secrets.token_urlsafe(32).encode()
        key = ec.generate_private_key(ec.SECP256R1())
        signer = root.new_signer(key.public_key(), now)
        files = root.files(passphrase, now) if with_root else {
            ROOT_PEM: certificate_pem(root.certificate), TRUST_LIST: root.keep(now),
        }  # fmt: skip
        files[PASSPHRASE] = passphrase + b"\n"
        for name, content in _signer_files(signer, key, passphrase).items():
            files[f"{SIGNERS}/{key_id(signer).hex()}/{name}"] = content
        with in_words():
            private_folder(self.folder)
            return new_folder(self.clinic, files)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Nobody else makes keys here, or does anything with a draft. Raises KeysUnusable."""
        with in_words():
            private_folder(self.folder)
        with alone(self.folder):
            yield

    def offer(self, *, country: str, clinic: str, now: datetime) -> str:
        """The fingerprint of a root for a new clinic: of the one here, or of a draft where there are no keys.

        Two terminals of one kiosk offer the same. Raises KeysUnusable.
        """
        with self.alone():
            if self.is_made:
                return self.fingerprint()
            open_keys(self.draft.folder, country=country, clinic=clinic, now=now)
            return self.draft.fingerprint()

    def settle(self, fingerprint: str) -> bool:
        """Whether the keys here are of the clinic's root, which has this fingerprint; no draft is left.

        Where the clinic names no root, any keys are. Killed anywhere, it can be begun again.
        Raises KeysUnusable, also when other keys are where the draft of that root belongs.
        """
        with self.alone(), in_words():
            if self.draft.is_made and self.draft.fingerprint() == fingerprint:
                self.adopt()
                if self.fingerprint() != fingerprint:
                    raise KeysUnusable(
                        reason=f"they are a draft, and others are in their place: move {self.clinic} away"
                    )
            self._drop_draft()
            return self.is_made and fingerprint in ("", self.fingerprint())

    def adopt(self) -> bool:
        """Make a draft the keys where there are none; answers whether it did. To be done `alone`."""
        if self.is_made or not self.draft.is_made:
            return False
        with in_words():
            self.draft.clinic.rename(self.clinic)
            sync(self.folder)
        self._drop_draft()
        return True

    def add_signer(self, root: Root, now: datetime) -> x509.Certificate:
        """A further signer; it signs from the moment the new trust list is kept here."""
        key = ec.generate_private_key(ec.SECP256R1())
        signer = root.new_signer(key.public_key(), now)
        with in_words():
            private_folder(self.clinic / SIGNERS)
            new_folder(self._place(signer), _signer_files(signer, key, self.passphrase()))
        return signer

    def drop_signer(self, signer: x509.Certificate) -> None:
        """A withdrawn signer signs nothing more, not even by mistake."""
        shutil.rmtree(self._place(signer), ignore_errors=True)

    def keep_list(self, content: bytes) -> None:
        """The list that the root has signed, from now on."""
        with in_words():
            replace_file(self.clinic / TRUST_LIST, content)

    def forget_root_key(self) -> None:
        """The root has moved out."""
        with in_words():
            (self.clinic / ROOT_KEY).unlink()

    def upgrade(self) -> None:
        """Bring the first layout into this one, whole or not at all. Raises KeysUnusable."""
        former = self.folder / _FORMER
        if not former.exists():
            return
        if not self.clinic.exists():
            try:
                new_folder(self.clinic, self._of_first_layout(former))
            except (OSError, ValueError):
                if not self.clinic.exists():  # else another kiosk has just done it
                    with in_words():
                        raise
        shutil.rmtree(former, ignore_errors=True)

    # -- within -------------------------------------------------------------------------------------

    def _drop_draft(self) -> None:
        """In one step: what a kiosk that is killed on the way leaves of it is no draft any more."""
        dropped = self.folder / _DROPPED
        shutil.rmtree(dropped, ignore_errors=True)
        if self.draft.folder.exists():
            with in_words():
                self.draft.folder.rename(dropped)
                sync(self.folder)
            shutil.rmtree(dropped, ignore_errors=True)

    def _place(self, signer: x509.Certificate) -> Path:
        return self.clinic / SIGNERS / key_id(signer).hex()

    @staticmethod
    def _of_first_layout(former: Path) -> dict[str, bytes]:
        names = [ROOT_PEM, PASSPHRASE, *([ROOT_KEY] if (former / ROOT_KEY).exists() else [])]
        files = {name: (former / name).read_bytes() for name in names}
        place = f"{SIGNERS}/{key_id(read_certificate(former / SIGNER_PEM)).hex()}"
        return files | {f"{place}/{name}": (former / name).read_bytes() for name in (SIGNER_PEM, SIGNER_KEY)}

    def _implied(self, root: x509.Certificate) -> TrustList:
        """Before the root signed any list: the signers that lie here and that it vouches for."""
        signers = [read_certificate(path) for path in sorted((self.clinic / SIGNERS).glob(f"*/{SIGNER_PEM}"))]
        if not all(vouched_for(signer, root) for signer in signers):
            raise KeysUnusable(reason="the root did not sign the signer")
        return new_trust_list(root, root.not_valid_before_utc, tuple(as_text(signer) for signer in signers))


def fingerprint_of(root: x509.Certificate) -> str:
    """What the clinic's records name a root by."""
    return root.fingerprint(hashes.SHA256()).hex()


def open_keys(folder: Path, *, country: str, clinic: str, now: datetime) -> ClinicKeys:
    """The keys in this folder; made there first if there are none. Raises KeysUnusable."""
    keys = KeyFolder(folder)
    if not keys.is_made:
        keys.found(new_root(keys.clinic, country=country, clinic=clinic, now=now), now, with_root=True)
    return keys.active()


def _signer_files(
    signer: x509.Certificate, key: ec.EllipticCurvePrivateKey, passphrase: bytes
) -> dict[str, bytes]:
    return {SIGNER_PEM: certificate_pem(signer), SIGNER_KEY: encrypted_pem(key, passphrase)}
