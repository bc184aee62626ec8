"""Private keys and the agent: what a host is offered, in which order."""

from __future__ import annotations

import base64
import binascii
import copy
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import asyncssh

    from lptui.transport.ssh_config import Resolved

_MAGIC: Final = b"openssh-key-v1\0"


class Identities:
    """Key files, each read once. An encrypted one is used through the agent, or not at all."""

    def __init__(self) -> None:
        self._keys: dict[str, tuple[float, asyncssh.SSHKey | None]] = {}

    def load(self, path: str) -> asyncssh.SSHKey | None:
        """The private key in a file (blocking); None when it is encrypted or no key at all."""
        import asyncssh

        try:
            changed = Path(path).stat().st_mtime
        except OSError:
            return None
        cached = self._keys.get(path)
        if cached is not None and cached[0] == changed:
            return cached[1]
        try:
            key: asyncssh.SSHKey | None = asyncssh.read_private_key(path)
        except (ValueError, OSError):
            # Encrypted, damaged or unreadable: OpenSSH goes on to the next one as well.
            key = None
        self._keys[path] = (changed, key)
        return key


def public_part(path: str) -> bytes | None:
    """The public key that belongs to a private key file, without its passphrase.

    The file may be a public key itself: its other half is in an agent.
    """
    import asyncssh

    for name in (f"{path}.pub", path):
        try:
            return asyncssh.read_public_key(name).public_data
        except (ValueError, OSError):
            continue
    try:
        text = Path(path).read_bytes()
        body = text.split(b"-----BEGIN OPENSSH PRIVATE KEY-----", 1)[1].split(b"-----", 1)[0]
        blob = base64.b64decode(b"".join(body.split()))
        if not blob.startswith(_MAGIC):
            return None
        rest = blob[len(_MAGIC) :]
        for _ in range(3):  # cipher, key derivation, its options
            rest = rest[4 + struct.unpack(">I", rest[:4])[0] :]
        rest = rest[4:]  # number of keys
        return rest[4 : 4 + struct.unpack(">I", rest[:4])[0]]
    except (OSError, IndexError, binascii.Error, struct.error):
        return None


@dataclass(frozen=True, slots=True)
class Offer:
    """What a host is offered.

    Attributes:
        pairs: the keys of files, in the order of trying.
        locked: the public parts of named keys that only an agent can use.
        certificates: of any of these keys.
    """

    pairs: Sequence[asyncssh.SSHKeyPair]
    locked: frozenset[bytes]
    certificates: Sequence[asyncssh.SSHCertificate]


def offered_files(resolved: Resolved, identities: Identities) -> Offer:
    """The keys that are named, or the usual ones (blocking)."""
    import asyncssh

    pairs: list[asyncssh.SSHKeyPair] = []
    locked: set[bytes] = set()
    certificates = []
    for name in (
        *resolved.certificates,
        *(f"{path.removesuffix('.pub')}-cert.pub" for path in resolved.identities),
    ):
        try:
            certificates.append(asyncssh.read_certificate(name))
        except (ValueError, OSError):
            continue
    for path in resolved.identities:
        key = identities.load(path)
        if key is not None:
            # With its certificate first, then bare, as OpenSSH does.
            pairs.extend(asyncssh.load_keypairs([key], certlist=certificates))
        else:
            public = public_part(path)
            if public is not None:
                locked.add(public)
    return Offer(pairs, frozenset(locked), certificates)


def agent_order(
    keys: Sequence[asyncssh.SSHKeyPair],
    locked: frozenset[bytes],
    tried: frozenset[bytes],
    only_locked: bool,
    certificates: Sequence[asyncssh.SSHCertificate] = (),
) -> list[asyncssh.SSHKeyPair]:
    """The agent's keys in the order of trying: those of named files, then the others.

    sshd counts every offer against MaxAuthTries, so nothing is offered twice.
    """
    named = [key for key in keys if key.public_data in locked]
    certified = [
        _certified(key, certificate)
        for key in named
        for certificate in certificates
        if certificate.key.public_data == key.public_data
    ]
    if only_locked:
        return certified + named
    others = [key for key in keys if key.public_data not in locked and key.public_data not in tried]
    return certified + named + others


def _certified(
    key: asyncssh.SSHKeyPair, certificate: asyncssh.SSHCertificate
) -> asyncssh.SSHKeyPair:
    pair = copy.copy(key)
    pair.set_certificate(certificate)
    return pair
