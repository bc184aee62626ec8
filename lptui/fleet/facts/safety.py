"""What keeps a host safe: who may log in how, what waits to be updated, what is encrypted."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SshLogins:
    """How sshd lets users in, by its own word; Match blocks of its file may say otherwise.

    Attributes:
        root: PermitRootLogin: yes, no, prohibit-password, forced-commands-only.
        password: somebody may log in with a password alone, asked for by sshd or by PAM.
        empty: PermitEmptyPasswords.
        ports: that it listens on.
        as_root: root had to ask.
    """

    root: str
    password: bool
    empty: bool = False
    ports: tuple[int, ...] = ()
    as_root: bool = False

    @property
    def root_by_password(self) -> bool:
        return self.root == "yes" and self.password


@dataclass(frozen=True, slots=True)
class PendingUpdates:
    """Packages that wait to be updated, by the lists that the host has.

    Attributes:
        packages: all of them.
        security: those from a security archive, or of a security advisory; None where that is not
            told.
        source: what counted them.
        lists_at: when the lists were last renewed, seconds since 1970; None when not known.
    """

    packages: int
    security: int | None
    source: str
    lists_at: float | None = None


@dataclass(frozen=True, slots=True)
class Volume:
    """What a mount point lies on.

    `encrypted`: every device below it is dm-crypt's, or lies on one; None where that is not told,
    as of network file systems and ZFS. A disk that encrypts itself, or a hypervisor's, is not seen.
    """

    path: str
    encrypted: bool | None


@dataclass(frozen=True, slots=True)
class CorePackage:
    """A package that everything uses, so that a newer one is in use only after a reboot.

    `installed_at` is by the host's clock, seconds since 1970.
    """

    name: str
    installed_at: float


@dataclass(frozen=True, slots=True)
class HostSafety:
    """What an hourly look at a host gave. Of what is None, `..._problem` says why.

    Attributes:
        fqdn: the host's whole name as it knows it itself; "" when it has none.
        core: of hosts with RPM; others tell by themselves that a reboot is due.
    """

    fqdn: str = ""
    logins: SshLogins | None = None
    logins_problem: str = ""
    updates: PendingUpdates | None = None
    updates_problem: str = ""
    volumes: tuple[Volume, ...] = ()
    core: tuple[CorePackage, ...] = ()
