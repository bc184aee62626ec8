"""What `safety_commands` print, as facts. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from lptui.errors import BadAnswerError
from lptui.fleet.facts.safety import CorePackage, PendingUpdates, SshLogins, Volume
from lptui.probes.numbers import count, decimal
from lptui.text import clean

_OCTAL: Final = re.compile(r"\\([01][0-7]{2})")
_NAME: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?", re.ASCII)
_DEPTH: Final = 16
_NO_CIPHER: Final = ("CRYPT-VERITY-", "CRYPT-INTEGRITY-")
"""Those of cryptsetup's kinds that keep data whole, and hide nothing."""

_UPDATES: Final = re.compile(
    r"(\d{1,6}) (?:updates?|packages?) can be (?:applied|updated|installed)"
)
_SECURITY: Final = re.compile(
    r"(\d{1,6}) (?:of these updates|updates?) (?:is an?|are) (?:standard )?security update"
)
_PLURAL_KEYS: Final = ("port",)
_MOST_CORE: Final = 32


@dataclass(frozen=True, slots=True)
class Look:
    """What the shell function told."""

    volumes: tuple[Volume, ...] = ()
    notified: PendingUpdates | None = None
    lists_at: float | None = None


@dataclass(slots=True)
class _Devices:
    """Block devices: what they lie on, and which of them encrypt."""

    below: dict[str, tuple[str, ...]] = field(default_factory=dict)
    ciphers: set[str] = field(default_factory=set)
    by_number: dict[str, str] = field(default_factory=dict)
    by_mapper: dict[str, str] = field(default_factory=dict)
    btrfs: dict[str, list[str]] = field(default_factory=dict)
    told: dict[str, bool | None] = field(default_factory=dict)

    def take(self, words: Sequence[str]) -> None:
        """`NAME MAJOR:MINOR MAPPER UUID BELOW…`"""
        name, number, mapper, uuid = words[:4]
        self.below[name] = tuple(words[4:])
        self.by_number[number] = name
        self.by_mapper[mapper] = name
        if uuid.startswith("CRYPT-") and not uuid.startswith(_NO_CIPHER):
            self.ciphers.add(name)

    def is_encrypted(self, name: str, depth: int = 0) -> bool | None:
        """Whether all that a device lies on is; None for a device that is not told of."""
        if name in self.ciphers:
            return True
        if name not in self.told and name in self.below and depth < _DEPTH:
            # One that lies on itself is not known.
            self.told[name] = None
            below = [self.is_encrypted(one, depth + 1) for one in self.below[name]]
            is_sure = bool(below) and None not in below
            self.told[name] = False if not below or False in below else is_sure or None
        return self.told.get(name)

    def under(self, mount: _Mount) -> Sequence[str]:
        """The devices that a file system is on; () where that is not told."""
        if mount.number in self.by_number:
            return (self.by_number[mount.number],)
        if mount.fs_type != "btrfs":
            return ()
        mapper = mount.source.removeprefix("/dev/mapper/")
        name = self.by_mapper.get(mapper) or mount.source.removeprefix("/dev/")
        return next((names for names in self.btrfs.values() if name in names), ())


@dataclass(frozen=True, slots=True)
class _Mount:
    number: str
    fs_type: str
    source: str


def parse_look(text: str, wanted: Sequence[str]) -> Look:
    """What was told, with the wanted mount points; raises BadAnswerError where no mount is told."""
    devices = _Devices()
    mounts: dict[str, _Mount] = {}
    notes: list[str] = []
    times: dict[str, list[float]] = {}
    for line in text.split("\n"):
        kind, _, rest = line.partition(" ")
        words = rest.split()
        if kind == "mount":
            # Of two on one path, the last is on top.
            mounts |= {_plain(words[3]): _Mount(*words[:3])} if len(words) == 4 else {}
        elif kind == "block" and len(words) >= 4:
            devices.take(words)
        elif kind == "btrfs" and len(words) == 2:
            devices.btrfs.setdefault(words[0], []).append(words[1])
        elif kind == "update":
            notes.append(rest)
        elif kind in ("lists", "notified") and (at := decimal(rest)) is not None:
            times.setdefault(kind, []).append(at)
    if not mounts:
        raise BadAnswerError("mounts and devices", f"no mounts in {clean(text, 80)!r}")
    volumes = tuple(Volume(clean(path, 200), _verdict(path, mounts, devices)) for path in wanted)
    counted_at = max(times.get("notified", ()), default=None)
    return Look(volumes, _notified(notes, counted_at), max(times.get("lists", ()), default=None))


def _plain(path: str) -> str:
    """A path as mountinfo writes it, with `\\040` for a space."""
    return _OCTAL.sub(lambda code: chr(int(code[1], 8)), path)


def _verdict(path: str, mounts: Mapping[str, _Mount], devices: _Devices) -> bool | None:
    mount = mounts.get(path.rstrip("/") or "/")
    told = [devices.is_encrypted(one) for one in devices.under(mount)] if mount else []
    if False in told:
        return False
    return True if told and None not in told else None


def _notified(notes: Sequence[str], at: float | None) -> PendingUpdates | None:
    """Ubuntu's own count (update-notifier-common); None where it has none."""
    text = "\n".join(notes)
    found = _UPDATES.search(text)
    if found is None:
        return None
    security = _SECURITY.search(text)
    # Where there is none, nothing is said of them.
    return PendingUpdates(int(found[1]), int(security[1]) if security else 0, "update-notifier", at)


def parse_fqdn(text: str) -> str:
    """The host's whole name; "" for what is none."""
    word = text.strip()
    return word if _NAME.fullmatch(word) else ""


def parse_sshd(text: str) -> SshLogins:
    """From the settings that sshd prints; raises BadAnswerError where they are not there.

    A password may be asked for by sshd (PasswordAuthentication) or, with keyboard-interactive
    authentication, by PAM; not alone where every list of AuthenticationMethods has a key in it.
    """
    settings: dict[str, str] = {}
    ports: list[int] = []
    as_root = False
    for line in text.split("\n"):
        name, _, value = line.strip().partition(" ")
        as_root = as_root or line == "root"
        port = count(value) if name in _PLURAL_KEYS else None
        if port is not None and 0 < port < 65536 and len(ports) < 32:
            ports.append(port)
        settings.setdefault(name, value.strip().lower())
    root, by_word = settings.get("permitrootlogin", ""), settings.get("passwordauthentication")
    if not root or by_word not in ("yes", "no"):
        raise BadAnswerError("sshd", f"no settings in {clean(text, 80)!r}")
    by_pam = settings.get("kbdinteractiveauthentication") == "yes"
    by_pam = by_pam and settings.get("usepam") == "yes"
    methods = settings.get("authenticationmethods", "any")
    needs_key = methods != "any" and all("publickey" in one for one in methods.split())
    root = "prohibit-password" if root == "without-password" else clean(root, 40)
    return SshLogins(
        root,
        (by_word == "yes" or by_pam) and not needs_key,
        settings.get("permitemptypasswords") == "yes",
        tuple(ports),
        as_root,
    )


def parse_core(text: str) -> tuple[CorePackage, ...]:
    """When rpm's core packages were installed; of others' hosts nothing."""
    found = []
    for line in text.split("\n"):
        at, _, name = line.strip().partition(" ")
        if _NAME.fullmatch(name) and (installed_at := decimal(at)):
            found.append(CorePackage(name, installed_at))
    return tuple(found[:_MOST_CORE])
