"""The one tree of errors: what failed, why, and what to do next.

Every error that reaches an operator is a `LptuiError`. A probe's error becomes a `Problem`
(a value) on its reading; an error of the command line becomes a message and an exit code.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class ProblemKind(StrEnum):
    """The ways in which a reading can fail; scripts may rely on these words."""

    NOT_READ = "not-read"
    STANDBY = "standby"
    """It is silent because it is stopped, as it should be while another node works."""
    TIMEOUT = "timeout"
    RUN_DEADLINE = "run-deadline"
    REFUSED = "refused"
    UNREACHABLE = "unreachable"
    DISCONNECTED = "disconnected"
    HOST_KEY_UNKNOWN = "host-key-unknown"
    HOST_KEY_CHANGED = "host-key-changed"
    AUTHENTICATION = "authentication"
    JUMP_HOST = "jump-host"
    SSH_CONFIG = "ssh-config"
    SSH_PROTOCOL = "ssh-protocol"
    FORBIDDEN = "forbidden"
    NO_SHELL = "no-shell"
    COMMAND_NOT_FOUND = "command-not-found"
    COMMAND_FAILED = "command-failed"
    OUTPUT_TOO_LARGE = "output-too-large"
    HTTP_STATUS = "http-status"
    HTTP_PROTOCOL = "http-protocol"
    TLS = "tls"
    RPC_ERROR = "rpc-error"
    RATE_LIMITED = "rate-limited"
    REVERTED = "reverted"
    WRONG_CHAIN = "wrong-chain"
    BAD_ANSWER = "bad-answer"
    NOT_CONFIGURED = "not-configured"
    SECRET = "secret"  # noqa: S105 (a word, not a secret)
    INTERNAL = "internal"


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a reading has no value. All texts are plain and already safe to show.

    Attributes:
        kind: a word that programs can rely on.
        what: what failed ("SSH to edge-1").
        why: the cause as far as it is known ("host key is not in known_hosts").
        remedy: one line on what to do next; may be empty.
    """

    kind: ProblemKind
    what: str
    why: str
    remedy: str = ""

    def __str__(self) -> str:
        return f"{self.what}: {self.why}" if self.why else self.what


class LptuiError(Exception):
    """Base of all errors that lptui raises on purpose."""

    kind: ProblemKind = ProblemKind.INTERNAL

    def __init__(
        self, what: str, why: str = "", remedy: str = "", *, kind: ProblemKind | None = None
    ) -> None:
        super().__init__(what, why)
        self.what = what
        self.why = why
        self.remedy = remedy
        if kind is not None:
            self.kind = kind

    def __str__(self) -> str:
        # Whoever passes it on may say more exactly what failed.
        return str(self.problem())

    def problem(self) -> Problem:
        """This error as a value for a reading."""
        return Problem(self.kind, self.what, self.why, self.remedy)


class ConfigError(LptuiError):
    """The configuration cannot be used; `mistakes` of config/ says where."""

    kind = ProblemKind.NOT_CONFIGURED


class TransportError(LptuiError):
    """A host or an endpoint could not be asked."""

    kind = ProblemKind.UNREACHABLE


class DeadlineError(TransportError):
    """No answer within the deadline; what was asked may still happen."""

    kind = ProblemKind.TIMEOUT


class HostKeyError(TransportError):
    """The host key is unknown or is not the expected one; nothing was sent."""

    kind = ProblemKind.HOST_KEY_UNKNOWN


class CommandError(TransportError):
    """A command on a host could not be run, or ended badly."""

    kind = ProblemKind.COMMAND_FAILED


class HttpError(TransportError):
    """An HTTP endpoint answered with something other than success.

    `retry_after_s`: for how long it wants no request, where it says so.
    """

    kind = ProblemKind.HTTP_STATUS

    def __init__(
        self,
        what: str,
        why: str = "",
        remedy: str = "",
        *,
        kind: ProblemKind | None = None,
        status: int | None = None,
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(what, why, remedy, kind=kind)
        self.status = status
        self.retry_after_s = retry_after_s


class RpcError(TransportError):
    """A JSON-RPC endpoint answered with an error object.

    `code` and `data` are the error object's; a revert has code 3 and its data.
    """

    kind = ProblemKind.RPC_ERROR

    def __init__(
        self,
        what: str,
        why: str = "",
        remedy: str = "",
        *,
        kind: ProblemKind | None = None,
        code: int | None = None,
        data: str | None = None,
    ) -> None:
        super().__init__(what, why, remedy, kind=kind)
        self.code = code
        self.data = data


class BadAnswerError(LptuiError):
    """An answer came, but it is not what the interface promises."""

    kind = ProblemKind.BAD_ANSWER

    def __init__(
        self,
        what: str,
        why: str = "",
        remedy: str = "see what answers there, and which version it is",
        *,
        kind: ProblemKind | None = None,
    ) -> None:
        super().__init__(what, why, remedy, kind=kind)


class RefusedError(LptuiError):
    """An action was refused by a precondition or a guard; nothing was changed."""

    kind = ProblemKind.REFUSED


class OutputError(LptuiError):
    """A file was not written; what stood in its place before still does."""


class UnusableError(OSError):
    """A file of the state folder is no use as it is; `remedy` is what to do about it.

    No LptuiError: who keeps that folder reckons with every OSError alike.
    """

    def __init__(self, words: str, remedy: str) -> None:
        super().__init__(words)
        self.remedy = remedy
