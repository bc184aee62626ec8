"""The section of the operator's own commands."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import BeforeValidator, Field

from lptui.config import kinds
from lptui.config.kinds import Duration, Text
from lptui.config.parts import MANY, Part, words

EFFECTS: Final = ("read", "write", "destructive")
_OTHER_EFFECTS: Final = {
    "none": "read",
    "reads": "read",
    "safe": "read",
    "change": "write",
    "changes": "write",
    "writes": "write",
    "dangerous": "destructive",
    "destroy": "destructive",
    "delete": "destructive",
}

Argv = Annotated[list[kinds.Argument], BeforeValidator(kinds.argv), Field(min_length=1)]


class CommandSpec(Part):
    """A command of your own. {node}, {host} and {unit} in an argument stand for its target."""

    run: Argv = Field(description="program and arguments; never through a shell")
    on: Annotated[list[Text], MANY] = Field(
        min_length=1,
        description="what it is run for: node (all nodes), node:NAME, role:ROLE, tag:NAME; "
        "or host (all hosts) and names of hosts",
    )
    effect: Annotated[str, *words("effect", EFFECTS, _OTHER_EFFECTS)] = Field(
        description="what it may do at worst: read, write or destructive"
    )
    help: Text | None = Field(None, description="what it does, in a line")
    confirm: Text | None = Field(None, description="what you are told before it is done")
    timeout: Duration | None = Field(None, description="after which it is ended; 1m")
    check: Argv | None = Field(
        None, description="command that shows whether it is done: status 0 done, 1 not done"
    )
    undo: Argv | None = Field(None, description="command that takes it back")
    as_root: bool = Field(False, description="true: run as root, by the host's `privilege`")
