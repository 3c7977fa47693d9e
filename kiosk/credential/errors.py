"""What can be wrong with keys and credentials, in words."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType

from domain.errors import CannotSign, ClinicError


class KeysUnusable(CannotSign):
    """The key folder cannot be read, is incomplete, or does not fit together."""

    code = "keys-unusable"
    text = "The clinic's signing keys cannot be used ({reason}). Please call the administrator."


class KeysMissing(KeysUnusable):
    """There is a clinic, and its keys are not here: others would disown every paper that was issued."""

    code = "keys-missing"
    text = (
        "This clinic's signing keys are not in {where}. Please call the administrator: bring the folder "
        "back, or restore a backup. A further kiosk gets its own by `kiosk keys init --root`. "
        "Only if all of these are lost: `kiosk keys init --new-root` makes a new root, with which what was "
        "issued so far is not verified any more."
    )
    variants = MappingProxyType(
        {
            "elsewhere": (
                "This clinic's signing keys are not in {where}: they were made in {maker}. Please call "
                "the administrator: copy that folder here, or give this kiosk its own by "
                "`kiosk keys init --root` with the same medium, first there and then here. "
                "Other keys must not be in the way."
            ),
            "foreign": (
                "The signing keys in {where} are of the root {here}, and this clinic's root is {root}, as "
                "{maker} has named it: nobody could verify what they sign. Please call the administrator: "
                "move that folder away, then bring the clinic's own keys, by a copy, a backup, or "
                "`kiosk keys init --root` with the medium that holds its root."
            ),
        }
    )

    @property
    def variant(self) -> str:
        """Others may be in their place, or it is known in which other place they are."""
        if "here" in self.facts:
            return "foreign"
        return "elsewhere" if self.facts.get("maker") else ""


class SignerNotValid(CannotSign):
    """The document signer's certificate does not cover the day of issue."""

    code = "signer-not-valid"
    text = "The signing key is valid from {since} to {until} only. Please call the administrator."


class FactsNotSignable(ClinicError):
    """These facts do not fit the form of credential."""

    code = "facts-not-signable"
    text = "This certificate cannot be signed ({reason})."


class TrustUnusable(ClinicError):
    """What was given as others' keys cannot be read."""

    code = "trust-unusable"
    text = "{where} holds no keys to trust ({reason})."


@contextmanager
def in_words() -> Iterator[None]:
    """What goes wrong with the files of the keys, said as KeysUnusable."""
    try:
        yield
    except FileNotFoundError as error:
        raise KeysUnusable(reason=f"{Path(str(error.filename)).name} is missing") from error
    except OSError as error:
        raise KeysUnusable(reason=os.strerror(error.errno or errno.EIO)) from error
    except (ValueError, TypeError) as error:
        raise KeysUnusable(reason="a file is damaged, or the passphrase is another one") from error
