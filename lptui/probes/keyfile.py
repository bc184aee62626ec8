"""Whether the empty passphrase opens a key file, told by its MAC alone.

The format is version 3 of the Web3 Secret Storage Definition: a key derived from the passphrase
(scrypt or PBKDF2), of which one half decrypts and the other one makes the MAC.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Any, Final

from lptui.config.keccak import keccak256

MOST_MEMORY: Final = 512 * 1024 * 1024
"""geth's own files take 256 MiB (scrypt with n 262144, r 8)."""

MOST_WORK: Final = 4
"""Times what geth's own files take."""

MOST_TEXT: Final = 16 * 1024
MOST_DEPTH: Final = 32
"""A key file has four objects. Python's own limit is no guard: libraries raise it (py_ecc)."""

_GETH_SCRYPT: Final = 262_144 * 8
_MOST_ROUNDS: Final = 4_000_000
_LENGTH: Final = 32


def fits_empty(text: str) -> tuple[bool | None, str]:
    """Whether it fits; None, and why, for a file that cannot be tried."""
    try:
        if len(text) > MOST_TEXT or text.count("{") + text.count("[") > MOST_DEPTH:
            raise ValueError
        crypto = _crypto(json.loads(text))
        ciphertext, mac = _bytes(crypto, "ciphertext"), _bytes(crypto, "mac")
        derived = _derived(str(crypto["kdf"]), crypto["kdfparams"])
    except (ValueError, TypeError, KeyError, AttributeError):
        return None, "no key file of version 3, or one that would take too much to try"
    return hmac.compare_digest(keccak256(derived[16:32] + ciphertext), mac), ""


def _crypto(document: dict[str, Any]) -> Mapping[str, Any]:
    """Names of keys were once written with capitals."""
    lowered = {str(key).lower(): value for key, value in document.items()}
    if lowered["version"] != 3:
        raise ValueError
    return {str(key).lower(): value for key, value in lowered["crypto"].items()}


def _derived(kdf: str, parameters: Mapping[str, Any]) -> bytes:
    """The derived key of the empty passphrase; raises ValueError for what would take too much."""
    salt = _bytes(parameters, "salt")
    if parameters["dklen"] != _LENGTH:
        raise ValueError
    if kdf == "scrypt":
        n, r, p = (_number(parameters, name) for name in ("n", "r", "p"))
        if n * r * p > MOST_WORK * _GETH_SCRYPT or 128 * n * r > MOST_MEMORY:
            raise ValueError
        return hashlib.scrypt(
            b"", salt=salt, n=n, r=r, p=p, maxmem=MOST_MEMORY + 2**22, dklen=_LENGTH
        )
    if kdf == "pbkdf2" and parameters["prf"] == "hmac-sha256":
        rounds = _number(parameters, "c")
        if rounds > _MOST_ROUNDS:
            raise ValueError
        return hashlib.pbkdf2_hmac("sha256", b"", salt, rounds, _LENGTH)
    raise ValueError


def _number(parameters: Mapping[str, Any], name: str) -> int:
    value = parameters[name]
    if type(value) is not int or not 0 < value < 2**31:
        raise ValueError
    return value


def _bytes(parameters: Mapping[str, Any], name: str) -> bytes:
    text = parameters[name]
    if type(text) is not str or len(text) > 1024:
        raise ValueError
    return bytes.fromhex(text.removeprefix("0x"))
