"""Each way in which an SSH login or channel fails, as a typed error with its remedy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import asyncssh
from asyncssh.packet import PacketDecodeError

from lptui.errors import DeadlineError, ProblemKind, TransportError
from lptui.text import clean
from lptui.transport import known_hosts
from lptui.transport.direct import NOBODY_LISTENS, refused

if TYPE_CHECKING:
    from lptui.transport.ssh import Owner
    from lptui.transport.ssh_config import Resolved


def explain(
    what: str,
    error: BaseException,
    resolved: Resolved,
    owner: Owner,
    expected: asyncssh.SSHKnownHosts,
) -> TransportError:
    """The typed error of a failed login, with its remedy."""
    where = f"{resolved.host}:{resolved.port}"
    if isinstance(error, DeadlineError):
        return error
    if isinstance(error, TransportError):
        why = error.why if error.what == resolved.host else f"{where}: {error.why}"
        return TransportError(what, why, _reach_remedy(error), kind=error.kind)
    if isinstance(error, TimeoutError):
        return DeadlineError(what, f"{where} does not answer", "is the host up and reachable?")
    if isinstance(error, asyncssh.HostKeyNotVerifiable):
        return _host_key(what, error, resolved, owner, expected)
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


def _host_key(
    what: str,
    error: Exception,
    resolved: Resolved,
    owner: Owner,
    expected: asyncssh.SSHKnownHosts,
) -> TransportError:
    if owner.offered is not None:
        key, address = owner.offered
        return known_hosts.untrusted(
            what, key, expected, resolved.known_hosts, resolved.key_name, address, resolved.port
        )
    if "revoked" in str(error):
        return TransportError(
            what,
            f"its host key is marked as revoked in {resolved.known_hosts[0]}",
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
        files += f"; there is no {', no '.join(resolved.missing)}"
    tried = f"{files}; {owner.agent_keys} from the agent" if resolved.agent else files
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
            f"verify the host's keys and update {resolved.known_hosts[0]}",
            kind=ProblemKind.HOST_KEY_CHANGED,
        )
    return TransportError(
        what, clean(text), "the host's sshd is too old or too strict", kind=ProblemKind.SSH_PROTOCOL
    )


def _hung_up(what: str, owner: Owner, where: str) -> TransportError:
    if owner.spoke_ssh:
        return TransportError(
            what,
            f"{where} closed the connection during the login",
            "look at sshd's log there (MaxStartups, AllowUsers, fail2ban?)",
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
    return TransportError(what, f"{where}: {reason.lower() or 'could not be opened'}")
