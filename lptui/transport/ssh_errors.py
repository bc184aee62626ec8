"""Each way in which an SSH login or channel fails, as a typed error with its remedy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import asyncssh
from asyncssh.packet import PacketDecodeError

from lptui.errors import DeadlineError, ProblemKind, TransportError
from lptui.text import clean
from lptui.transport import known_hosts
from lptui.transport.direct import NOBODY_LISTENS, refused

if TYPE_CHECKING:
    from lptui.transport.ssh import Owner
    from lptui.transport.ssh_config import Resolved

_NO_ALGORITHMS: Final = ("kex-strict-", "ext-info-")
"""Flags that travel among the names of key exchanges."""


def explain(
    what: str,
    error: BaseException,
    resolved: Resolved,
    owner: Owner,
    expected: asyncssh.SSHKnownHosts,
    behind_jump: bool = False,
) -> TransportError:
    """The typed error of a failed login, with its remedy."""
    where = f"{resolved.host}:{resolved.port}"
    if isinstance(error, DeadlineError):
        return error
    if isinstance(error, TransportError):
        if error.what == resolved.host:  # the name, not the host
            return TransportError(what, error.why, error.remedy, kind=error.kind)
        return TransportError(what, f"{where}: {error.why}", _reach_remedy(error), kind=error.kind)
    if isinstance(error, TimeoutError):
        return _late(what, owner, where)
    if isinstance(error, asyncssh.HostKeyNotVerifiable):
        return _host_key(what, error, resolved, owner, expected, behind_jump)
    if isinstance(error, asyncssh.PermissionDenied) or "Too many authentication" in str(error):
        return _authentication(what, error, resolved, owner)
    if isinstance(error, asyncssh.KeyExchangeFailed):
        return _no_common_algorithm(what, error, resolved)
    if isinstance(error, asyncssh.ChannelOpenError):
        failed = channel_refused(what, error, where)
        if failed.kind is ProblemKind.REFUSED:
            failed.remedy = _reach_remedy(failed)
        return failed
    if isinstance(error, asyncssh.ConnectionLost | ConnectionResetError | BrokenPipeError):
        return _hung_up(what, owner, where)
    if isinstance(error, asyncssh.Error | PacketDecodeError):
        return TransportError(
            what,
            f"{where} does not speak SSH properly ({clean(str(error), 160)})",
            "does sshd listen on this port?",
            kind=ProblemKind.SSH_PROTOCOL,
        )
    if isinstance(error, OSError):
        failed = refused(where, error)
        return TransportError(
            what, f"{where}: {failed.why}", _reach_remedy(failed), kind=failed.kind
        )
    return TransportError(
        what,
        clean(str(error) or type(error).__name__),
        "check the SSH configuration and the key files",
        kind=ProblemKind.SSH_CONFIG,
    )


def _reach_remedy(failed: TransportError) -> str:
    if failed.kind is ProblemKind.REFUSED:
        return "is sshd running there, and is the port right?"
    return "is the host up and reachable?"


def _late(what: str, owner: Owner, where: str) -> DeadlineError:
    if not owner.reached:
        return DeadlineError(what, f"{where} does not answer", "is the host up and reachable?")
    if owner.proxy is not None:
        return DeadlineError(
            what,
            f"{where} does not answer through ProxyCommand{_said(owner)}",
            "is the host up, and does `ssh` reach it this way?",
        )
    return DeadlineError(
        what,
        f"{where} accepts connections but does not finish the login",
        "is the host overloaded, or does an agent wait for a touch or a confirmation?",
    )


def _said(owner: Owner) -> str:
    words = owner.proxy.words if owner.proxy is not None else ""
    return f" ({words})" if words else ""


def _host_key(
    what: str,
    error: Exception,
    resolved: Resolved,
    owner: Owner,
    expected: asyncssh.SSHKnownHosts,
    behind_jump: bool,
) -> TransportError:
    if owner.offered is not None:
        place = known_hosts.Place(resolved.host, resolved.key_name, resolved.port, behind_jump)
        return known_hosts.untrusted(what, owner.offered, expected, resolved.known_hosts, place)
    if "revoked" in str(error):
        return TransportError(
            what,
            f"its host key is marked as revoked in {known_hosts.first(resolved.known_hosts)}",
            "do not connect; find out who revoked the key and why",
            kind=ProblemKind.HOST_KEY_CHANGED,
        )
    return TransportError(
        what,
        clean(str(error)),
        "check the host's certificate and the @cert-authority line in known_hosts",
        kind=ProblemKind.HOST_KEY_UNKNOWN,
    )


def _authentication(
    what: str, error: BaseException, resolved: Resolved, owner: Owner
) -> TransportError:
    files = ", ".join(resolved.identities) or "no key files"
    if resolved.missing:
        files += f"; there is no file {' nor '.join(resolved.missing)}"
    tried = f"{files}; {owner.agent_keys} from the agent" if resolved.agent else files
    if owner.other_ways and not owner.keys_used_up:
        return TransportError(
            what,
            f"a key alone gives no login for user {clean(resolved.user, 64)}: it wants"
            f" {' or '.join(dict.fromkeys(owner.other_ways))}",
            "let the account log in with a key alone: AuthenticationMethods and"
            " PubkeyAuthentication in sshd_config",
            kind=ProblemKind.AUTHENTICATION,
        )
    if "Too many" in str(error):
        return TransportError(
            what,
            f"the host refused after too many keys ({clean(tried)})",
            "name the right key (identity), and set IdentitiesOnly yes in ~/.ssh/config",
            kind=ProblemKind.AUTHENTICATION,
        )
    return TransportError(
        what,
        f"no key was accepted for user {clean(resolved.user, 64)} (tried: {clean(tried)})",
        f"check the user name, and that the public key is in {clean(resolved.user, 64)}'s"
        " authorized_keys; an encrypted key must be in the agent (ssh-add)",
        kind=ProblemKind.AUTHENTICATION,
    )


def _no_common_algorithm(what: str, error: Exception, resolved: Resolved) -> TransportError:
    text = str(error)
    if "host key" in text:
        return TransportError(
            what,
            "it offers no host key of a kind that known_hosts expects",
            f"verify the host's keys and update {known_hosts.first(resolved.known_hosts)}",
            kind=ProblemKind.HOST_KEY_CHANGED,
        )
    subject, _, offered = text.removeprefix("No matching ").partition(" algorithm found")
    names = offered.rpartition(" and received ")[2].split(",")
    offered = ",".join(name for name in names if not name.startswith(_NO_ALGORITHMS))
    return TransportError(
        what,
        f"no {clean(subject, 40)} algorithm in common; it offers only {clean(offered, 200)}",
        "update sshd there, or allow one for this Host in ~/.ssh/config"
        " (KexAlgorithms, Ciphers, MACs with a + before it)",
        kind=ProblemKind.SSH_PROTOCOL,
    )


def _hung_up(what: str, owner: Owner, where: str) -> TransportError:
    if owner.proxy is not None and not owner.spoke_ssh:
        return TransportError(
            what,
            f"ProxyCommand ended without reaching {where}{_said(owner)}",
            "correct ProxyCommand in ~/.ssh/config; does `ssh` reach the host this way?",
        )
    if owner.spoke_ssh:
        return TransportError(
            what,
            f"{where} closed the connection during the login",
            "look at sshd's log there (MaxStartups, fail2ban, no algorithm in common?)",
            kind=ProblemKind.DISCONNECTED,
        )
    return TransportError(
        what,
        f"{where} accepts connections but closed before an SSH greeting",
        "does sshd listen on this port? busy or blocking sshd do this too (MaxStartups)",
        kind=ProblemKind.SSH_PROTOCOL,
    )


def channel_refused(what: str, error: asyncssh.ChannelOpenError, where: str) -> TransportError:
    """The typed error of a channel that sshd did not open (OpenSSH's codes and words)."""
    reason = clean(error.reason)
    if "SSH connection closed" in reason:
        return TransportError(
            what, "the SSH connection was lost", "it is tried again", kind=ProblemKind.DISCONNECTED
        )
    if error.code == asyncssh.OPEN_ADMINISTRATIVELY_PROHIBITED:
        return TransportError(
            what,
            f"sshd does not allow a connection to {where}",
            "allow it there: AllowTcpForwarding, PermitOpen, or the key's options",
            kind=ProblemKind.FORBIDDEN,
        )
    if "refused" in reason:
        return TransportError(
            what, f"{where}: connection refused", NOBODY_LISTENS, kind=ProblemKind.REFUSED
        )
    if "timed out" in reason:
        return DeadlineError(what, f"{where}: {reason.lower()}", "is it up, and not firewalled?")
    if where.startswith("/"):
        return TransportError(
            what,
            f"{where} could not be opened from the host (missing, no permission, or forbidden)",
            "check the socket's path and rights, and AllowStreamLocalForwarding in sshd",
            kind=ProblemKind.REFUSED,
        )
    return TransportError(
        what,
        f"{where}: {reason.lower() or 'could not be opened'}",
        "is it up, and reachable from there by this name?",
    )
