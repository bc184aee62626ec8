"""Secrets: read when they are needed, kept for a while, never shown."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from pathlib import Path
from typing import Final

from lptui.errors import ProblemKind, TransportError
from lptui.fleet.topology import SecretRef

KEEP_S: Final = 300.0
DEADLINE_S: Final = 10.0
_SIZE_LIMIT: Final = 64 * 1024


class Secrets:
    """Secrets by reference."""

    def __init__(self) -> None:
        self._kept: dict[SecretRef, tuple[float, str]] = {}

    async def get(self, ref: SecretRef) -> str:
        """The secret, without surrounding white space; raises TransportError(SECRET)."""
        kept = self._kept.get(ref)
        if kept is not None and time.monotonic() - kept[0] < KEEP_S:
            return kept[1]
        if ref.kind == "env":
            value = os.environ.get(ref.value, "")
            if not value:
                raise _missing(f"environment variable {ref.value}", "it is not set")
        elif ref.kind == "file":
            value = await _from_file(ref.value)
        elif ref.kind == "command":
            value = await _from_command(ref.argv)
        else:
            raise _missing(f"secret of kind {ref.kind}", "there is no such kind")
        value = value.strip()
        if not value or not value.isprintable():
            raise _missing(_named(ref), "it is empty, or more than one line")
        self._kept[ref] = (time.monotonic(), value)
        return value

    def forget(self, ref: SecretRef) -> None:
        """It was not accepted: read it anew next time."""
        self._kept.pop(ref, None)


def for_header(ref: SecretRef, value: str) -> str:
    """The value of an HTTP header made of a secret; libraries' errors would repeat it."""
    if not value.isascii():
        raise _missing(_named(ref), "an HTTP header cannot carry its characters")
    return value


def _named(ref: SecretRef) -> str:
    return f"secret from {ref.kind} {ref.argv[0] if ref.argv else ref.value}"


def _missing(what: str, why: str) -> TransportError:
    return TransportError(
        what, why, "correct the reference in the configuration", kind=ProblemKind.SECRET
    )


async def _from_file(name: str) -> str:
    # A thread of its own: a pipe or a dead mount must not keep one of the loop's for ever.
    loop = asyncio.get_running_loop()
    future: asyncio.Future[str] = loop.create_future()

    def settle(result: str | OSError) -> None:
        if not future.done():
            if isinstance(result, OSError):
                future.set_exception(result)
            else:
                future.set_result(result)

    def read() -> None:
        result: str | OSError
        try:
            with Path(name).expanduser().open("rb") as file:
                result = file.read(_SIZE_LIMIT).decode("utf-8", "replace")
        except OSError as error:
            result = error
        if not loop.is_closed():
            loop.call_soon_threadsafe(settle, result)

    threading.Thread(target=read, name="secret", daemon=True).start()
    try:
        async with asyncio.timeout(DEADLINE_S):
            return await future
    except TimeoutError:
        raise _missing(f"secret from file {name}", f"no answer within {DEADLINE_S:g} s") from None
    except OSError as error:
        why = (error.strerror or "cannot be read").lower()
        raise _missing(f"secret from file {name}", why) from None


async def _from_command(argv: tuple[str, ...]) -> str:
    what = f"secret from command {argv[0] if argv else ''}"
    try:
        process = await asyncio.create_subprocess_exec(
            *argv,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            start_new_session=True,
        )
    except (OSError, ValueError, TypeError) as error:
        raise _missing(what, clean_reason(error)) from None
    try:
        async with asyncio.timeout(DEADLINE_S):
            output, _ = await process.communicate()
    except TimeoutError:
        raise _missing(what, f"no answer within {DEADLINE_S:g} s") from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode != 0:
        raise _missing(what, f"it ended with status {process.returncode}")
    return output[:_SIZE_LIMIT].decode("utf-8", "replace")


def clean_reason(error: Exception) -> str:
    """Why a program could not be started, without its arguments."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    return "it cannot be started"
