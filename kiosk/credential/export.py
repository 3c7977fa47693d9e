"""The folder with which anybody can judge the clinic's certificates offline."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.asymmetric import ec

from domain.revocation import Revoked
from kiosk.credential.ceremony import sign_list
from kiosk.credential.errors import KeysUnusable, in_words
from kiosk.credential.files import replace_folder
from kiosk.credential.jwk import card_key, thumbprint
from kiosk.credential.keys import KeyFolder
from kiosk.credential.lists import RevocationList, TrustList, revocation_list, signed_revocation_list
from kiosk.credential.pem import certificate_pem
from kiosk.credential.root import ROOT_PEM, TRUST_LIST
from kiosk.credential.trust_files import REVOCATIONS

SIGNERS_PEM, KEY_SET, CARD_LISTS = "trust-list.pem", ".well-known/jwks.json", ".well-known/crl"


@dataclass(frozen=True)
class Exported:
    """What went into the folder."""

    trusted: TrustList
    revoked: RevocationList


def export(keys: KeyFolder, folder: Path, revoked: Iterable[Revoked], now: datetime) -> Exported:
    """Make the folder, or replace an earlier one in one step. Raises KeysUnusable."""
    signed = sign_list(keys, now)
    trusted = keys.trusted()
    listed = revocation_list(trusted, revoked, now)
    active = keys.active()
    pems = [certificate_pem(certificate) for certificate in trusted.certificates]
    files = {
        ROOT_PEM: certificate_pem(keys.root()),
        SIGNERS_PEM: b"".join(pems),
        TRUST_LIST: signed,
        REVOCATIONS: signed_revocation_list(listed, active.signer, active.private_key),
        **_for_cards(trusted, listed),
    }
    with in_words():
        if folder.exists() and any(folder.iterdir()) and not _is_export(folder):
            raise KeysUnusable(reason=f"{folder} holds something else")
        replace_folder(folder.resolve(), files)
    return Exported(trusted, listed)


def _is_export(folder: Path) -> bool:
    """The trust list alone lies beside the root and beside the signers too, and those are not replaced."""
    return (folder / KEY_SET).exists() and not any(folder.rglob("*.key"))


def _for_cards(trusted: TrustList, listed: RevocationList) -> dict[str, bytes]:
    """What a SMART Health Card's verifier asks the issuer's address for."""
    keys, files = [], {}
    for certificate in trusted.certificates:
        key = certificate.public_key()
        assert isinstance(key, ec.EllipticCurvePublicKey)
        name, rids = thumbprint(key), listed.cards.get(thumbprint(key), ())
        published: dict[str, object] = dict(card_key(key))
        if rids:
            # The version only has to grow, and what is revoked stays revoked.
            published["crlVersion"] = len(rids)
            crl = {"kid": name, "method": "rid", "ctr": len(rids), "rids": rids}
            files[f"{CARD_LISTS}/{name}.json"] = msgspec.json.encode(crl)
        keys.append(published)
    files[KEY_SET] = msgspec.json.encode({"keys": keys})
    return files
