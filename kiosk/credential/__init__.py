"""Credentials that strangers can verify: keys, the signed forms, the verifier, the QR's matrix."""
