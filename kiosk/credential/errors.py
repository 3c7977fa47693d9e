"""What can be wrong with keys and credentials, in words."""

from __future__ import annotations

from domain.errors import ClinicError


class KeysUnusable(ClinicError):
    """The key folder cannot be read, is incomplete, or does not fit together."""

    code = "keys-unusable"
    text = "The clinic's signing keys cannot be used ({reason}). Please call the administrator."


class SignerNotValid(ClinicError):
    """The document signer's certificate does not cover the day of issue."""

    code = "signer-not-valid"
    text = "The signing key is valid from {since} to {until} only. Please call the administrator."


class FactsNotSignable(ClinicError):
    """These facts do not fit the form of credential."""

    code = "facts-not-signable"
    text = "This certificate cannot be signed ({reason})."
