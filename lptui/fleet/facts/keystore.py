"""What is known of the key files on a host: who may read them, never what is in them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from lptui.fleet.units import Address


@dataclass(frozen=True, slots=True)
class Keystore:
    """A folder of keys (or the one file that a node was given).

    Attributes:
        path: as the node was told, or where it puts its keys by itself.
        seen: whether the login may look into it; what it may not look into is closed to others.
        owner: of the folder, or the one file.
        mode: permission bits of the folder; None where one file was named: how open the folder
            around it is was not asked.
        modes: permission bits of each key file.
    """

    path: str
    seen: bool
    owner: str = ""
    mode: int | None = None
    modes: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class HostKeystores:
    """The keystores of a host's livepeer processes, as far as their places are known."""

    keystores: tuple[Keystore, ...]


@dataclass(frozen=True, slots=True)
class TriedKey:
    """A key file, and whether the empty passphrase opens it.

    `changed_at` is in seconds since 1970, `size` in bytes. `blank` None: it was not tried, `why`
    says why not.
    """

    name: str
    changed_at: float
    size: int
    blank: bool | None = None
    why: str = ""

    @property
    def is_tried(self) -> bool:
        """Whether another try would tell nothing new."""
        return self.blank is not None or bool(self.why)

    @property
    def file(self) -> tuple[str, float, int]:
        """What changes with the file."""
        return self.name, self.changed_at, self.size


@dataclass(frozen=True, slots=True)
class NodeKeystore:
    """The key files of a node, as the empty passphrase was tried on them. `as_root`: root read
    them."""

    path: str
    keys: tuple[TriedKey, ...]
    as_root: bool = False


@dataclass(frozen=True, slots=True)
class KeyFile:
    """A file where a node would look for its key; of it only its folder's words were read.

    Attributes:
        account: whose key it is by its name (`UTC--TIME--ADDRESS`); None where that does not tell.
        readable: by the user that its unit starts it as; None where permission bits do not tell.
    """

    name: str
    account: Address | None = None
    readable: bool | None = None


class Use(StrEnum):
    """What a unit names a file for."""

    VARIABLES = "environment file"
    CONFIGURATION = "configuration file"
    PASSPHRASE = "passphrase"  # noqa: S105 (no passphrase)


@dataclass(frozen=True, slots=True)
class NamedFile:
    """A file that a unit names.

    Attributes:
        there: None where that is not known; `why` says why not.
        readable: by the unit's user; None where that does not matter, or bits do not tell.
        closed: the login itself may not look at it.
    """

    path: str
    use: Use
    there: bool | None
    why: str = ""
    readable: bool | None = None
    closed: bool = False


@dataclass(frozen=True, slots=True)
class KeyAtStart:
    """What a node would find of its key if its unit started it now: names and permissions alone.

    Attributes:
        user: whom the unit starts it as; "" where that is not told.
        path: the folder of its keys, or the one file; "" where nothing tells it.
        there: whether that path is there; None where that, and so `keys`, is not known.
        unknown: why `path` or `there` is not known.
        enterable: the user may look into it; None where permission bits do not tell.
        closed: the login itself may not look into it.
        account: the one that it is told to act with (`-ethAcctAddr`); None where it is not told.
        files: what else the unit names, and how that is.
    """

    user: str = ""
    path: str = ""
    there: bool | None = None
    unknown: str = ""
    keys: tuple[KeyFile, ...] = ()
    enterable: bool | None = None
    closed: bool = False
    account: Address | None = None
    files: tuple[NamedFile, ...] = ()
