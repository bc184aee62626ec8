"""What is known of the key files on a host: who may read them, never what is in them."""

from __future__ import annotations

from dataclasses import dataclass


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
