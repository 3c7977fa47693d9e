"""Run by the other library's own interpreter: COSE messages and signers in, one answer each out."""

import json
import sys

import cwt
from cwt import COSEKey

answers = []
for case in json.load(sys.stdin):
    try:
        keys = [COSEKey.from_pem(pem, kid=bytes.fromhex(kid)) for kid, pem in case["signers"]]
        claims = cwt.decode(bytes.fromhex(case["cose"]), keys=keys)
        answers.append("accepted " + claims[-260][1]["nam"]["fnt"])
    except Exception as error:  # noqa: BLE001
        answers.append(f"refused {type(error).__name__}: {error}")
print(json.dumps(answers))
