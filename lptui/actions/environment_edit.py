"""Changes one variable in the bytes of an environment file, and no other byte. Pure."""

from __future__ import annotations

import re
from typing import Final

from lptui.errors import BadAnswerError, RefusedError
from lptui.probes.host import assignments
from lptui.probes.host.assignments import Assignment

_PLAIN: Final = re.compile(r"[A-Za-z0-9._:/@=,+%?\[\]-]*", re.ASCII)
_QUOTED: Final = re.compile(r"[A-Za-z0-9._~:/@=,+%?\[\]#&;|*(){} -]*", re.ASCII)
_EXPORT: Final = re.compile(rb"[ \t]*export[ \t]")


class EditError(RefusedError):
    """The variable cannot be changed; why is in the words."""


def is_writable(value: str) -> bool:
    """Whether systemd and a shell would both read this value back as it is."""
    return _QUOTED.fullmatch(value) is not None


def edit(text: bytes, variable: str, value: str | None) -> bytes:
    """The file with a variable set to a value, or (None) without the line that sets it.

    The last assignment is the one that counts, so that is the one that is changed; where there
    is none a line is added. Quotes, `export`, comments and ends of lines stay as they are. Raises
    EditError when the value cannot be written, or when the line is written in a way that is not
    taken apart.
    """
    if value is not None and not is_writable(value):
        raise EditError(variable, "its value has characters that an environment file cannot hold")
    lines = text.splitlines(keepends=True)
    own = [at for at, line in enumerate(lines) if assignments.variable_of(line) == variable]
    if not own:
        return text if value is None else _added(text, lines, variable, value)
    last = own[-1]
    if value is not None:
        lines[last] = _changed(lines[last], value)
    elif len(own) > 1:
        raise EditError(variable, f"the file sets it {len(own)} times", "leave one of the lines")
    else:
        del lines[last]
    return b"".join(lines)


def value_in(text: bytes, variable: str) -> str | None:
    """What a file sets a variable to; None when it does not. Raises EditError like `edit`."""
    lines = text.splitlines(keepends=True)
    own = [line for line in lines if assignments.variable_of(line) == variable]
    return _parsed(own[-1]).value if own else None


def _changed(line: bytes, value: str) -> bytes:
    was = _parsed(line)
    quote = was.quote or (b"" if _PLAIN.fullmatch(value) else b'"')
    return line[: was.start] + quote + value.encode("ascii") + quote + line[was.end :]


def _parsed(line: bytes) -> Assignment:
    try:
        found = assignments.parse(line)
    except BadAnswerError as error:
        raise EditError(error.what, error.why, error.remedy) from None
    if found is None:
        raise EditError("environment file", "no assignment")
    return found


def _added(text: bytes, lines: list[bytes], variable: str, value: str) -> bytes:
    """A line at the end, in the manner of the others."""
    end = b"\r\n" if lines and lines[0].endswith(b"\r\n") else b"\n"
    if lines and lines[-1].rstrip(b"\r\n").endswith(b"\\"):
        raise EditError(variable, "the file's last line goes on where a line would be added")
    between = b"" if not text or text.endswith((b"\n", b"\r")) else end
    own = [line for line in lines if assignments.variable_of(line)]
    prefix = b"export " if own and all(_EXPORT.match(line) for line in own) else b""
    quote = b"" if _PLAIN.fullmatch(value) else b'"'
    return text + between + prefix + f"{variable}=".encode() + quote + value.encode() + quote + end
