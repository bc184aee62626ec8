"""Key files: which can be tried, and whether the empty passphrase opens one, told by its MAC alone.

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
_MOST_LENGTH: Final = 64


def fits_empty(text: str) -> tuple[bool | None, str]:
    """Whether it fits; None, and why, for a file that cannot be tried."""
    document = read(text)
    try:
        crypto = _crypto(document or {})
        ciphertext, mac = _bytes(crypto, "ciphertext"), _bytes(crypto, "mac")
        derived = _derived(str(crypto["kdf"]), crypto["kdfparams"])
    except (ValueError, TypeError, KeyError, AttributeError):
        return None, "no key file of version 3, or one that would take too much to try"
    return hmac.compare_digest(keccak256(derived[16:32] + ciphertext), mac), ""


def read(text: str) -> dict[str, Any] | None:
    """A key file that can be tried; None for anything else.

    What a file asks for in memory and time is its own word: absurd ones are not tried.
    """
    try:
        if len(text) > MOST_TEXT or text.count("{") + text.count("[") > MOST_DEPTH:
            return None
        document = json.loads(text)
        crypto = _crypto(document)
        bearable = _is_bearable(crypto["kdf"], crypto["kdfparams"])
    except (ValueError, TypeError, KeyError, AttributeError):
        return None
    return document if bearable and isinstance(document, dict) else None


def _is_bearable(kdf: object, parameters: Mapping[str, Any]) -> bool:
    if not 0 < _number(parameters, "dklen") <= _MOST_LENGTH:
        return False
    if kdf == "pbkdf2":
        return _number(parameters, "c") <= _MOST_ROUNDS
    if kdf != "scrypt":
        return False
    n, r, p = (_number(parameters, name) for name in ("n", "r", "p"))
    return n * r * p <= MOST_WORK * _GETH_SCRYPT and 128 * n * r <= MOST_MEMORY


def _crypto(document: dict[str, Any]) -> Mapping[str, Any]:
    """Names of keys were once written with capitals."""
    lowered = {str(key).lower(): value for key, value in document.items()}
    if lowered["version"] != 3:
        raise ValueError
    return {str(key).lower(): value for key, value in lowered["crypto"].items()}


def _derived(kdf: str, parameters: Mapping[str, Any]) -> bytes:
    """The derived key of the empty passphrase; raises ValueError where none can be."""
    salt = _bytes(parameters, "salt")
    if parameters["dklen"] != _LENGTH:
        raise ValueError
    if kdf == "scrypt":
        n, r, p = (_number(parameters, name) for name in ("n", "r", "p"))
        return hashlib.scrypt(
            b"", salt=salt, n=n, r=r, p=p, maxmem=MOST_MEMORY + 2**22, dklen=_LENGTH
        )
    if kdf == "pbkdf2" and parameters["prf"] == "hmac-sha256":
        rounds = _number(parameters, "c")
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
