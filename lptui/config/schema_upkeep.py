"""What the operator states of upkeep: backups, least versions, settings that may differ."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Annotated, Final

from pydantic import BeforeValidator, Field, WithJsonSchema

from lptui.config.kinds import Duration, RemotePath, described, mistake, text_of
from lptui.config.mistakes import shown
from lptui.config.parts import Part
from lptui.fleet.versions import version

_SIZE: Final = re.compile(r"([0-9]{1,12}(?:\.[0-9]{1,6})?) ?([kKMGT]?)(i?)B")
_POWERS: Final = {"": 0, "k": 1, "K": 1, "M": 2, "G": 3, "T": 4}
_FLAG: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,60}", re.ASCII)
_WRITTEN_FLAG: Final = r"^-{0,2}[A-Za-z][A-Za-z0-9_]{0,60}$"


def size(value: object) -> int:
    """Bytes from `100 B`, `64 kB`, `1.5 GiB`."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    text = str(value) if number else text_of(value, "a size like 10 MB")
    found = _SIZE.fullmatch(text)
    if found is None:
        meant = f"{text} B" if isinstance(value, int) and number else ""
        raise mistake(f"'{shown(text)}' is not a size like 100 B, 64 kB or 1.5 GiB", value, meant)
    base = 1024 if found[3] else 1000
    return int(Decimal(found[1]) * base ** _POWERS[found[2]])


def least_version(value: object) -> str:
    """A version like 0.8.9, which must have quotes where YAML takes it for a number."""
    text = text_of(value, "a version like '0.8.9'")
    if version(text) is None:
        raise mistake(f"'{shown(text)}' is not a version like 0.8.9", text)
    return text


def flag_name(value: object) -> str:
    """The name of a flag, with or without its dashes."""
    text = text_of(value, "a flag's name like maxGasPrice")
    bare = text.removeprefix("-").removeprefix("-")
    if not _FLAG.fullmatch(bare):
        raise mistake(f"'{shown(text)}' is not a flag's name like maxGasPrice", text)
    return bare


Size = Annotated[
    int, BeforeValidator(size), described("100 B, 64 kB, 1.5 GiB", f"^{_SIZE.pattern}$")
]
LeastVersion = Annotated[str, BeforeValidator(least_version), described("0.8.9")]
FlagName = Annotated[
    str, BeforeValidator(flag_name), WithJsonSchema({"type": "string", "pattern": _WRITTEN_FLAG})
]


class BackupSpec(Part):
    """A file that is written anew again and again; of several that match, the newest counts."""

    path: RemotePath = Field(
        description="the file on this host, or a pattern like /backup/keys-*.tar.gz"
    )
    max_age: Duration | None = Field(None, description="how old the newest may be; 1d")
    min_size: Size | None = Field(None, description="how small it may be; 1 B: not empty")
    checksum: bool = Field(
        False, description="true: PATH.sha256 beside it must agree; it is read whole once for that"
    )
