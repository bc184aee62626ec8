"""What an operator has said must hold of a host, for those who come at it from outside."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Safety:
    """Nothing is expected of what is left out.

    Attributes:
        allowed_ports: TCP ports that may be reached from elsewhere, besides those of SSH and of
            the host's own nodes and balancers; None where any may.
        closed_ports: TCP ports that must not answer the operator's machine.
        public_address: where `closed_ports` are tried.
        keys_only: nobody may log in by SSH with a password.
        encrypted: the configured mounts (else `/`) lie on encrypted devices.
        security_updates: from how many that wait on it is a warning; None: they are not counted.
    """

    allowed_ports: tuple[int, ...] | None = None
    closed_ports: tuple[int, ...] = ()
    public_address: str = ""
    keys_only: bool = False
    encrypted: bool = False
    security_updates: int | None = None


NO_SAFETY = Safety()
