"""What must hold of a host; nothing of this is asked or judged where it is left out."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from lptui.config.addresses import HostAddress, Port
from lptui.config.parts import MANY, Part, words
from lptui.fleet.safety import NO_SAFETY, Safety


class SafetySpec(Part):
    """What must hold of a host. What is left out is not judged."""

    allowed_ports: Annotated[list[Port], MANY] | None = Field(
        None,
        max_length=256,
        description="TCP ports that may listen beyond loopback, besides those of SSH and of the "
        "host's own nodes and balancers; [] for no other",
    )
    closed_ports: Annotated[list[Port], MANY] | None = Field(
        None,
        max_length=16,
        description="TCP ports that must not answer here: each is tried from this machine, once "
        "a minute",
    )
    public_address: HostAddress | None = Field(
        None, description="where `closed_ports` are tried; else the host's `address`"
    )
    logins: Annotated[str, *words("kind of login", ("keys",))] | None = Field(
        None,
        description="keys: nobody may log in by SSH with a password; sshd is asked, as root where "
        "it must be (sshd -T)",
    )
    encrypted: bool = Field(
        False, description="true: `mounts`, else the root, must be on devices encrypted by dm-crypt"
    )
    security_updates: Annotated[int, Field(ge=1, le=10_000)] | None = Field(
        None,
        description="security updates that wait: warning from so many on; apt, dnf or yum is "
        "asked once an hour, from its present lists; those of a week ago are not believed",
    )


def stated(written: SafetySpec | None, address: str | None) -> Safety:
    """The same as the fleet has it, for a host at `address`."""
    if written is None:
        return NO_SAFETY
    allowed = written.allowed_ports
    return Safety(
        None if allowed is None else tuple(dict.fromkeys(allowed)),
        tuple(dict.fromkeys(written.closed_ports or ())),
        written.public_address or address or "",
        keys_only=written.logins is not None,
        encrypted=written.encrypted,
        security_updates=written.security_updates,
    )
